-- The views for people with psql or pandas: a public interface, like the tables.
-- A change goes here and, as a frozen copy, into a new migration (db/migrations/versions/). New columns come last:
-- replaced, not dropped, a view keeps who may read it.

-- One wide row per candidate. Latencies and device_miou are those of the search's first device class; `metrics` has
-- all of them.
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
    (c.metrics ->> ('device_miou@' || e.devices[1]))::double precision AS device_miou
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
