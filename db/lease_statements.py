"""The statements that every evaluation runs through, each one round trip: claim, attach and report."""

from db.prepared import Prepared

_LINK_ARTIFACTS = """
    stored AS (
        INSERT INTO artifacts (sha256, kind, size_bytes, uri)
        SELECT a.sha256, a.kind, a.size_bytes, a.uri
        FROM holder, jsonb_to_recordset(:artifacts) AS a (sha256 text, kind text, size_bytes bigint, uri text)
        -- As everywhere: two transactions that store the same two files must not wait for each other.
        ORDER BY a.sha256
        -- One that had been removed to save space is there again.
        ON CONFLICT (sha256) DO UPDATE SET deleted_at = NULL, deleted_reason = NULL
        WHERE artifacts.deleted_at IS NOT NULL
    ), linked AS (
        INSERT INTO candidate_artifacts (candidate_id, evaluation_id, sha256, kind, device)
        SELECT holder.candidate_id, holder.id, a.sha256, a.kind, holder.device
        FROM holder, jsonb_to_recordset(:artifacts) AS a (sha256 text, kind text)
        ON CONFLICT (evaluation_id, kind) DO UPDATE SET sha256 = excluded.sha256, device = excluded.device
    )
"""
"""A newer artifact of the same evaluation and kind takes the place of the older. `holder`: the evaluation, locked."""

CLAIM = Prepared(
    "claim_evaluation",
    {
        "evaluation_id": "bigint",
        "attempt": "bigint",
        "device": "text",
        "token": "uuid",
        "owner": "text",
        "lease_s": "double precision",
    },
    """
    WITH claimed AS (
        UPDATE evaluations
        SET status = 'leased', token = :token, owner = :owner, progress = NULL, started_at = clock_timestamp(),
            lease_expires_at = clock_timestamp() + make_interval(secs => :lease_s)
        WHERE id = :evaluation_id AND attempt = :attempt AND status = 'queued'
        AND (:device IS NULL OR device = :device)
        RETURNING id, candidate_id, stage, device, rung, attempt, failures
    ), begun AS (
        UPDATE candidates
        SET status = 'running', started_at = clock_timestamp()
        FROM claimed
        WHERE candidates.id = claimed.candidate_id AND candidates.status = 'proposed'
    ), noted AS (
        INSERT INTO events (kind, experiment_id, candidate_id, evaluation_id, details)
        SELECT 'evaluation_claimed', c.experiment_id, c.id, claimed.id,
               jsonb_build_object('owner', :owner, 'attempt', claimed.attempt)
        FROM claimed JOIN candidates c ON c.id = claimed.candidate_id
    )
    SELECT set_config('synchronous_commit', 'off', true),
           claimed.stage, claimed.device, claimed.rung, claimed.failures, c.id AS candidate_id, c.number,
           c.architecture, c.metrics, e.id AS experiment_id, e.name AS experiment_name, e.config::text AS config,
           (
               SELECT jsonb_agg(jsonb_build_object(
                   'sha256', a.sha256, 'kind', l.kind, 'size_bytes', a.size_bytes, 'uri', a.uri, 'device', l.device,
                   'deleted_at', a.deleted_at
               ) ORDER BY l.id DESC)
               FROM candidate_artifacts l JOIN artifacts a ON a.sha256 = l.sha256
               WHERE l.candidate_id = c.id
           ) AS artifacts
    FROM claimed
    JOIN candidates c ON c.id = claimed.candidate_id
    JOIN experiments e ON e.id = c.experiment_id
    """,
)

# Who gets further each time is not given up, however often a worker dies under it in a training of days.
ATTACH = Prepared(
    "attach_artifacts",
    {"evaluation_id": "bigint", "token": "uuid", "artifacts": "jsonb"},
    f"""
    WITH holder AS (
        UPDATE evaluations
        SET failures = 0
        WHERE id = :evaluation_id AND token = :token AND status = 'leased'
        RETURNING id, candidate_id, device
    ), {_LINK_ARTIFACTS}
    SELECT id FROM holder
    """,
)

REPORT = Prepared(
    "report_evaluation",
    {
        "evaluation_id": "bigint",
        "token": "uuid",
        "metrics": "jsonb",
        "intervals": "jsonb",
        "simulated": "boolean",
        "details": "jsonb",
        "artifacts": "jsonb",
    },
    f"""
    WITH done AS (
        UPDATE evaluations
        SET status = 'done', token = NULL, lease_expires_at = NULL, progress = 1, code = NULL, reason = NULL,
            details = :details, finished_at = clock_timestamp()
        WHERE id = :evaluation_id AND token = :token AND status = 'leased'
        RETURNING id, candidate_id, stage, device, rung, attempt, owner
    ), holder AS (
        UPDATE candidates
        SET metrics = candidates.metrics || :metrics,
            intervals = candidates.intervals || :intervals,
            simulated = candidates.simulated OR :simulated,
            rung = CASE done.stage WHEN 'train' THEN done.rung ELSE candidates.rung END
        FROM done
        WHERE candidates.id = done.candidate_id
        RETURNING done.id, done.candidate_id, done.device, done.attempt, done.owner, candidates.experiment_id
    ), noted AS (
        INSERT INTO events (kind, experiment_id, candidate_id, evaluation_id, details)
        SELECT 'evaluation_done', experiment_id, candidate_id, id,
               jsonb_build_object('owner', owner, 'attempt', attempt)
        FROM holder
    ), {_LINK_ARTIFACTS}
    SELECT id FROM holder
    """,
)
