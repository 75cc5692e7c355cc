-- Candidates that have ended, as plain numbers, one row per device class; kept from `candidates` by triggers.

CREATE TABLE points (
    experiment_id bigint NOT NULL
        CONSTRAINT points_experiment_id_fkey REFERENCES experiments (id) ON DELETE CASCADE,
    device text NOT NULL,
    number bigint NOT NULL,
    candidate_id bigint NOT NULL,
    status varchar(16) NOT NULL,
    generation bigint NOT NULL,
    train_s double precision NOT NULL,
    parameters double precision,
    macs double precision,
    network_bytes double precision,
    latency_ms double precision,
    latency_low_ms double precision,
    latency_high_ms double precision,
    latency_p90_ms double precision,
    miou double precision,
    f1 double precision,
    pixel_accuracy double precision,
    loss double precision,
    device_miou double precision,
    device_f1 double precision,
    device_pixel_accuracy double precision,
    simulated boolean NOT NULL,
    noisy boolean NOT NULL,
    finished_at timestamptz,
    CONSTRAINT points_pkey PRIMARY KEY (experiment_id, device, number)
);

-- As functions of the owner: who reports or finishes a candidate needs no rights on `points`.
CREATE FUNCTION candidate_points(c candidates) RETURNS SETOF points
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT
        c.experiment_id,
        d.device,
        c.number,
        c.id,
        c.status,
        -- Parents end before their children are proposed.
        coalesce((
            SELECT max(p.generation) + 1
            FROM points p
            WHERE p.experiment_id = c.experiment_id AND p.device = d.device AND p.number = ANY (c.parents)
        ), 0),
        coalesce((
            SELECT sum(t.duration_s)
            FROM evaluations v
            JOIN training_metrics t ON t.evaluation_id = v.id
            WHERE v.candidate_id = c.id
        ), 0),
        (c.metrics ->> 'parameters')::double precision,
        (c.metrics ->> 'macs')::double precision,
        (c.metrics ->> ('network_bytes@' || d.device))::double precision,
        (c.metrics ->> ('latency_ms@' || d.device))::double precision,
        (c.intervals -> ('latency_ms@' || d.device) ->> 0)::double precision,
        (c.intervals -> ('latency_ms@' || d.device) ->> 1)::double precision,
        (c.metrics ->> ('latency_p90_ms@' || d.device))::double precision,
        (c.metrics ->> 'miou')::double precision,
        (c.metrics ->> 'f1')::double precision,
        (c.metrics ->> 'pixel_accuracy')::double precision,
        (c.metrics ->> 'loss')::double precision,
        (c.metrics ->> ('device_miou@' || d.device))::double precision,
        (c.metrics ->> ('device_f1@' || d.device))::double precision,
        (c.metrics ->> ('device_pixel_accuracy@' || d.device))::double precision,
        coalesce(m.simulated, false),
        coalesce(m.noisy, false),
        c.finished_at
    FROM experiments e
    CROSS JOIN LATERAL unnest(CASE cardinality(e.devices) WHEN 0 THEN ARRAY[''] ELSE e.devices END) AS d (device)
    LEFT JOIN LATERAL (
        SELECT
            bool_or(s.simulated OR (v.details ->> 'simulated')::boolean) AS simulated,
            bool_or((s.summary ->> 'noisy')::boolean) AS noisy
        FROM evaluations v
        LEFT JOIN measurements s ON s.evaluation_id = v.id
        WHERE v.candidate_id = c.id AND v.device = d.device
    ) AS m ON true
    WHERE e.id = c.experiment_id
$$;

CREATE FUNCTION keep_points() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM points WHERE experiment_id = NEW.experiment_id AND number = NEW.number;
    IF NEW.status IN ('complete', 'infeasible', 'failed') THEN
        INSERT INTO points SELECT * FROM candidate_points(NEW);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER candidates_points_insert AFTER INSERT ON candidates
FOR EACH ROW WHEN (NEW.status IN ('complete', 'infeasible', 'failed')) EXECUTE FUNCTION keep_points();
CREATE TRIGGER candidates_points_update AFTER UPDATE OF status, metrics, intervals, finished_at ON candidates
FOR EACH ROW
WHEN (NEW.status IN ('complete', 'infeasible', 'failed') OR OLD.status IN ('complete', 'infeasible', 'failed'))
EXECUTE FUNCTION keep_points();

-- One by one, since a generation is counted from those before it.
DO $$
DECLARE
    ended candidates;
BEGIN
    FOR ended IN
        SELECT * FROM candidates WHERE status IN ('complete', 'infeasible', 'failed') ORDER BY experiment_id, number
    LOOP
        INSERT INTO points SELECT * FROM candidate_points(ended);
    END LOOP;
END
$$;

-- With what most pages ask for beside the order, so that they need not look at the rows that they leave out.
CREATE INDEX points_latency_idx ON points (experiment_id, device, latency_ms, number)
INCLUDE (candidate_id, status, miou, simulated, noisy);
CREATE INDEX points_miou_idx ON points (experiment_id, device, miou, number)
INCLUDE (candidate_id, status, latency_ms, simulated, noisy);
CREATE INDEX points_simulated_idx ON points (experiment_id, device) WHERE simulated;
