"""The two statements that every evaluation runs through, each one round trip: claim and report."""

from db.prepared import Prepared

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
                   'sha256', a.sha256, 'kind', l.kind, 'size_bytes', a.size_bytes, 'uri', a.uri, 'device', l.device
               ) ORDER BY l.id DESC)
               FROM candidate_artifacts l JOIN artifacts a ON a.sha256 = l.sha256
               WHERE l.candidate_id = c.id
           ) AS artifacts
    FROM claimed
    JOIN candidates c ON c.id = claimed.candidate_id
    JOIN experiments e ON e.id = c.experiment_id
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
    },
    """
    WITH done AS (
        UPDATE evaluations
        SET status = 'done', token = NULL, lease_expires_at = NULL, progress = 1, code = NULL, reason = NULL,
            details = :details, finished_at = clock_timestamp()
        WHERE id = :evaluation_id AND token = :token AND status = 'leased'
        RETURNING id, candidate_id, attempt, owner
    ), merged AS (
        UPDATE candidates
        SET metrics = candidates.metrics || :metrics,
            intervals = candidates.intervals || :intervals,
            simulated = candidates.simulated OR :simulated
        FROM done
        WHERE candidates.id = done.candidate_id
        RETURNING candidates.id, candidates.experiment_id
    ), noted AS (
        INSERT INTO events (kind, experiment_id, candidate_id, evaluation_id, details)
        SELECT 'evaluation_done', merged.experiment_id, merged.id, done.id,
               jsonb_build_object('owner', done.owner, 'attempt', done.attempt)
        FROM done CROSS JOIN merged
    )
    SELECT id FROM done
    """,
)
