-- The views for people with psql or pandas: a public interface, like the tables.
-- A change goes here and, as a frozen copy, into a new migration (db/migrations/versions/). New columns come last:
-- replaced, not dropped, a view keeps who may read it.

-- One wide row per candidate. Latencies and device_miou are those of the search's first device class; `metrics` has
-- all of them. `epochs`: of training so far, up to the end of the rung; trained metrics are as they were then.
-- `contested_at`: since when a complete candidate is being measured again; what was known of it stands meanwhile.
CREATE OR REPLACE VIEW candidate_metrics AS
SELECT
    e.name AS search,
    c.id AS candidate_id,
    c.number,
    c.digest,
    c.status,
    c.reason,
    c.origin,
    c.parents,
    (c.metrics ->> 'parameters')::numeric::bigint AS parameters,
    (c.metrics ->> 'macs')::numeric::bigint AS macs,
    (c.metrics ->> 'miou')::double precision AS miou,
    (c.metrics ->> 'f1')::double precision AS f1,
    e.devices[1] AS device,
    (c.metrics ->> ('latency_ms@' || e.devices[1]))::double precision AS latency_ms,
    (c.intervals -> ('latency_ms@' || e.devices[1]) ->> 0)::double precision AS latency_low_ms,
    (c.intervals -> ('latency_ms@' || e.devices[1]) ->> 1)::double precision AS latency_high_ms,
    c.simulated,
    c.metrics,
    c.intervals,
    c.architecture,
    c.created_at,
    c.started_at,
    c.finished_at,
    extract(epoch FROM c.finished_at - c.started_at)::double precision AS duration_s,
    (c.metrics ->> ('device_miou@' || e.devices[1]))::double precision AS device_miou,
    c.rung,
    (e.config #>> ARRAY['training', 'epochs', c.rung::text])::bigint AS epochs,
    c.contested_at
FROM candidates c
JOIN experiments e ON e.id = c.experiment_id;

-- Complete candidates that keep every constraint, as points whose coordinates are all minimised, once per device class
-- that the objectives name (`device` is null where they name none): an objective of another device class plays no part.
-- Coordinates beyond the search's objectives are 0.
CREATE OR REPLACE VIEW objective_points AS
SELECT
    e.id AS experiment_id,
    e.name AS search,
    d.device,
    o.keys AS objectives,
    c.id AS candidate_id,
    c.number,
    p.x1,
    p.x2,
    p.x3
FROM experiments e
CROSS JOIN LATERAL (
    SELECT DISTINCT objective ->> 'device' AS device
    FROM jsonb_array_elements(e.config -> 'objectives') AS objective
    WHERE objective ->> 'device' IS NOT NULL
    UNION ALL
    SELECT NULL
    WHERE NOT jsonb_path_exists(e.config, '$.objectives[*] ? (@.device != null)')
) AS d
CROSS JOIN LATERAL (
    SELECT
        array_agg((objective ->> 'name') || coalesce('@' || (objective ->> 'device'), '') ORDER BY position) AS keys,
        array_agg(CASE objective ->> 'goal' WHEN 'maximize' THEN -1 ELSE 1 END ORDER BY position) AS signs
    FROM jsonb_array_elements(e.config -> 'objectives') WITH ORDINALITY AS listed (objective, position)
    WHERE objective ->> 'device' IS NULL OR objective ->> 'device' = d.device
) AS o
JOIN candidates c ON c.experiment_id = e.id AND c.status = 'complete'
CROSS JOIN LATERAL (
    SELECT
        o.signs[1] * (c.metrics ->> o.keys[1])::double precision AS x1,
        CASE WHEN cardinality(o.keys) < 2 THEN 0 ELSE o.signs[2] * (c.metrics ->> o.keys[2])::double precision END AS x2,
        CASE WHEN cardinality(o.keys) < 3 THEN 0 ELSE o.signs[3] * (c.metrics ->> o.keys[3])::double precision END AS x3
) AS p
WHERE p.x1 IS NOT NULL AND p.x2 IS NOT NULL AND p.x3 IS NOT NULL
AND NOT EXISTS (
    SELECT
    FROM jsonb_array_elements(e.config -> 'constraints') AS limits
    CROSS JOIN LATERAL (
        SELECT (
            c.metrics ->> ((limits ->> 'name') || coalesce('@' || (limits ->> 'device'), ''))
        )::double precision AS value
    ) AS known
    WHERE known.value IS NULL
    OR known.value > (limits ->> 'at_most')::double precision
    OR known.value < (limits ->> 'at_least')::double precision
);

-- Who is on the Pareto front: one row per search, device class and member. Of equal points all are members.
-- Two objectives take one sorted pass, three a comparison of all pairs: a second for some thousand candidates.
CREATE OR REPLACE VIEW pareto_front AS
WITH swept AS (
    SELECT
        objective_points.*,
        min(x2) OVER (
            PARTITION BY experiment_id, device ORDER BY x1
            GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS best_before,
        min(x2) OVER (PARTITION BY experiment_id, device, x1) AS best_beside
    FROM objective_points
    WHERE cardinality(objectives) < 3
), members AS (
    SELECT experiment_id, search, device, objectives, candidate_id
    FROM swept
    WHERE x2 = best_beside AND (best_before IS NULL OR x2 < best_before)
    UNION ALL
    SELECT experiment_id, search, device, objectives, candidate_id
    FROM objective_points AS p
    WHERE cardinality(objectives) = 3
    AND NOT EXISTS (
        SELECT
        FROM objective_points AS q
        WHERE q.experiment_id = p.experiment_id
        AND q.device IS NOT DISTINCT FROM p.device
        AND q.x1 <= p.x1 AND q.x2 <= p.x2 AND q.x3 <= p.x3
        AND (q.x1 < p.x1 OR q.x2 < p.x2 OR q.x3 < p.x3)
    )
)
SELECT
    m.experiment_id,
    m.search,
    m.device,
    m.objectives,
    c.id AS candidate_id,
    c.number,
    c.digest,
    (c.metrics ->> 'parameters')::numeric::bigint AS parameters,
    (c.metrics ->> 'macs')::numeric::bigint AS macs,
    (c.metrics ->> 'miou')::double precision AS miou,
    (c.metrics ->> 'f1')::double precision AS f1,
    (c.metrics ->> ('latency_ms@' || m.device))::double precision AS latency_ms,
    (c.intervals -> ('latency_ms@' || m.device) ->> 0)::double precision AS latency_low_ms,
    (c.intervals -> ('latency_ms@' || m.device) ->> 1)::double precision AS latency_high_ms,
    EXISTS (
        SELECT
        FROM evaluations v
        LEFT JOIN measurements s ON s.evaluation_id = v.id
        WHERE v.candidate_id = c.id AND v.device IS NOT DISTINCT FROM m.device
        AND (s.simulated OR (v.details ->> 'simulated')::boolean)
    ) AS simulated,
    c.metrics,
    c.intervals,
    c.architecture,
    (c.metrics ->> ('device_miou@' || m.device))::double precision AS device_miou
FROM members m
JOIN candidates c ON c.id = m.candidate_id;

-- How phones are: one row per phone that was ever registered. Shares of time are of the last day, counts of the last
-- seven. `reference_ratio`: the reference network's time in the last check as a multiple of what was usual then.
CREATE OR REPLACE VIEW phone_health AS
SELECT
    p.id AS phone_id,
    p.serial,
    p.device,
    p.manufacturer,
    p.model,
    p.soc,
    p.simulated,
    p.state,
    p.state_reason,
    p.state_since,
    p.quarantined_at,
    p.agent,
    p.last_seen_at,
    coalesce(
        (p.conditions ->> 'battery_temperature')::double precision,
        (SELECT max(sensor.value::double precision) FROM jsonb_each_text(
            CASE jsonb_typeof(p.conditions -> 'temperatures') WHEN 'object' THEN p.conditions -> 'temperatures' END
        ) AS sensor)
    ) AS temperature_celsius,
    w.busy_share,
    m.measurements,
    m.noisy_measurements,
    r.checks,
    r.failed_checks,
    l.latency_ms / nullif(l.baseline_ms, 0) AS reference_ratio,
    l.at AS checked_at
FROM phones p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(epoch FROM
        least(work.ended_at, now()) - greatest(work.started_at, now() - interval '1 day')
    )) / 86400, 0)::double precision AS busy_share
    FROM phone_work work
    -- Nothing lasts longer than a week.
    WHERE work.phone_id = p.id AND work.started_at > now() - interval '8 days'
    AND work.ended_at > now() - interval '1 day'
) AS w
CROSS JOIN LATERAL (
    SELECT
        count(*) AS measurements,
        count(*) FILTER (WHERE (s.summary ->> 'noisy')::boolean) AS noisy_measurements
    FROM measurements s
    WHERE s.phone_id = p.id AND s.created_at > now() - interval '7 days'
) AS m
CROSS JOIN LATERAL (
    SELECT count(*) AS checks, count(*) FILTER (WHERE NOT c.passed) AS failed_checks
    FROM reference_checks c
    WHERE c.phone_id = p.id AND c.at > now() - interval '7 days'
) AS r
LEFT JOIN LATERAL (
    SELECT c.latency_ms, c.baseline_ms, c.at
    FROM reference_checks c
    WHERE c.phone_id = p.id
    ORDER BY c.at DESC, c.id DESC
    LIMIT 1
) AS l ON true;

-- How far searches are: one row each. `queued`, `leased`: evaluations that wait and that are worked on.
CREATE OR REPLACE VIEW search_progress AS
SELECT
    e.id AS search_id,
    e.name AS search,
    e.status,
    e.reason,
    (e.config -> 'stop' ->> 'candidates')::bigint AS target,
    c.proposed,
    c.running,
    c.complete,
    c.infeasible,
    c.failed,
    v.queued,
    v.leased,
    l.complete_last_hour,
    t.train_hours,
    e.created_at,
    e.finished_at,
    extract(epoch FROM coalesce(e.finished_at, now()) - e.created_at)::double precision AS elapsed_s,
    c.paused,
    o.name AS control_of,
    f.name AS final_of
FROM experiments e
LEFT JOIN experiments o ON o.id = e.control_of
LEFT JOIN experiments f ON f.id = e.final_of
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE status = 'proposed') AS proposed,
        count(*) FILTER (WHERE status = 'running') AS running,
        count(*) FILTER (WHERE status = 'complete') AS complete,
        count(*) FILTER (WHERE status = 'infeasible') AS infeasible,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'paused') AS paused
    FROM candidates
    WHERE experiment_id = e.id
) AS c
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE open.status = 'queued') AS queued,
        count(*) FILTER (WHERE open.status = 'leased') AS leased
    FROM candidates
    JOIN evaluations open ON open.candidate_id = candidates.id AND open.status IN ('queued', 'leased')
    WHERE candidates.experiment_id = e.id
    AND (candidates.status IN ('proposed', 'running') OR candidates.contested_at IS NOT NULL)
) AS v
CROSS JOIN LATERAL (
    SELECT count(*) AS complete_last_hour
    FROM candidates
    WHERE experiment_id = e.id AND status = 'complete' AND finished_at > now() - interval '1 hour'
) AS l
CROSS JOIN LATERAL (
    SELECT coalesce(sum(train_s), 0) / 3600 AS train_hours
    FROM points
    WHERE experiment_id = e.id AND device = coalesce(e.devices[1], '')
) AS t;
