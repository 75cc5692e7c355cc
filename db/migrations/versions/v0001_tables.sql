-- The tables as first released; frozen. db/tables.py describes them.

CREATE TABLE artifacts (
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    uri TEXT NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT artifacts_pkey PRIMARY KEY (sha256),
    CONSTRAINT artifacts_sha256_hex CHECK (length(sha256) = 64)
);

CREATE TABLE events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    kind TEXT NOT NULL,
    experiment_id BIGINT,
    candidate_id BIGINT,
    evaluation_id BIGINT,
    phone_id BIGINT,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (id)
);

CREATE INDEX events_candidate_idx ON events (candidate_id, id) WHERE evaluation_id IS NOT NULL;

CREATE INDEX events_experiment_idx ON events (experiment_id, id);

CREATE TABLE experiments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    status VARCHAR(16) DEFAULT 'running' NOT NULL,
    source TEXT NOT NULL,
    config JSONB NOT NULL,
    devices TEXT[] NOT NULL,
    seed BIGINT NOT NULL,
    code_version TEXT NOT NULL,
    reason TEXT,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT experiments_pkey PRIMARY KEY (id),
    CONSTRAINT experiments_status_known CHECK (status IN ('running', 'stopped', 'finished')),
    CONSTRAINT experiments_name_key UNIQUE (name)
);

CREATE INDEX experiments_unfinished_idx ON experiments (id) WHERE status <> 'finished';

CREATE TABLE phones (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    serial TEXT NOT NULL,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    model TEXT NOT NULL,
    soc TEXT NOT NULL,
    os_version TEXT NOT NULL,
    build_fingerprint TEXT NOT NULL,
    simulated BOOLEAN NOT NULL,
    properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    agent TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    state_reason TEXT,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    last_seen_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT phones_pkey PRIMARY KEY (id),
    CONSTRAINT phones_state_known CHECK (state IN ('ready', 'busy', 'offline', 'unauthorized', 'unhealthy')),
    CONSTRAINT phones_serial_key UNIQUE (serial)
);

CREATE TABLE workers (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    queues TEXT[] NOT NULL,
    code_version TEXT NOT NULL,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    started_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    heartbeat_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT workers_pkey PRIMARY KEY (id),
    CONSTRAINT workers_name_key UNIQUE (name)
);

CREATE TABLE candidates (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    experiment_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    architecture JSONB NOT NULL,
    origin TEXT NOT NULL,
    parents BIGINT[] NOT NULL,
    status VARCHAR(16) DEFAULT 'proposed' NOT NULL,
    reason TEXT,
    metrics JSONB DEFAULT '{}'::jsonb NOT NULL,
    intervals JSONB DEFAULT '{}'::jsonb NOT NULL,
    simulated BOOLEAN DEFAULT false NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT candidates_pkey PRIMARY KEY (id),
    CONSTRAINT candidates_status_known CHECK (status IN ('proposed', 'running', 'complete', 'infeasible', 'failed')),
    CONSTRAINT candidates_experiment_id_digest_key UNIQUE (experiment_id, digest),
    CONSTRAINT candidates_experiment_id_number_key UNIQUE (experiment_id, number),
    CONSTRAINT candidates_digest_sha256 CHECK (length(digest) = 64),
    CONSTRAINT candidates_experiment_id_fkey FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
) WITH (fillfactor = 70);

CREATE INDEX candidates_complete_idx ON candidates (experiment_id, number) WHERE status = 'complete';

CREATE INDEX candidates_unfinished_idx ON candidates (experiment_id, number) WHERE status IN ('proposed', 'running');

CREATE TABLE device_baselines (
    device TEXT NOT NULL,
    reference_sha256 TEXT NOT NULL,
    protocol TEXT NOT NULL,
    baseline_ms DOUBLE PRECISION NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT device_baselines_pkey PRIMARY KEY (device, reference_sha256, protocol)
);

CREATE TABLE evaluations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    candidate_id BIGINT NOT NULL,
    stage VARCHAR(16) NOT NULL,
    device TEXT,
    rung BIGINT,
    queue TEXT NOT NULL,
    status VARCHAR(16) DEFAULT 'queued' NOT NULL,
    attempt BIGINT DEFAULT 1 NOT NULL,
    failures BIGINT DEFAULT 0 NOT NULL,
    token UUID,
    owner TEXT,
    lease_expires_at timestamptz,
    progress DOUBLE PRECISION,
    not_before timestamptz DEFAULT clock_timestamp() NOT NULL,
    dispatched_at timestamptz,
    code TEXT,
    reason TEXT,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT evaluations_pkey PRIMARY KEY (id),
    CONSTRAINT evaluations_status_known CHECK (status IN ('queued', 'leased', 'done', 'failed', 'cancelled')),
    CONSTRAINT evaluations_stage_known CHECK (stage IN ('build', 'compile', 'measure', 'train')),
    CONSTRAINT evaluations_candidate_id_stage_device_rung_key UNIQUE NULLS NOT DISTINCT (candidate_id, stage, device, rung),
    CONSTRAINT evaluations_lease_has_token CHECK ((status = 'leased') = (token IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CONSTRAINT evaluations_candidate_id_fkey FOREIGN KEY(candidate_id) REFERENCES candidates (id) ON DELETE CASCADE
) WITH (fillfactor = 70);

CREATE INDEX evaluations_leased_idx ON evaluations (lease_expires_at) WHERE status = 'leased';

CREATE INDEX evaluations_queued_idx ON evaluations (queue, id) WHERE status = 'queued';

CREATE TABLE candidate_artifacts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    candidate_id BIGINT NOT NULL,
    evaluation_id BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    device TEXT,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT candidate_artifacts_pkey PRIMARY KEY (id),
    CONSTRAINT candidate_artifacts_evaluation_id_kind_key UNIQUE (evaluation_id, kind),
    CONSTRAINT candidate_artifacts_candidate_id_fkey FOREIGN KEY(candidate_id) REFERENCES candidates (id) ON DELETE CASCADE,
    CONSTRAINT candidate_artifacts_evaluation_id_fkey FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE,
    CONSTRAINT candidate_artifacts_sha256_fkey FOREIGN KEY(sha256) REFERENCES artifacts (sha256)
);

CREATE INDEX candidate_artifacts_candidate_id_idx ON candidate_artifacts (candidate_id);

CREATE INDEX candidate_artifacts_sha256_idx ON candidate_artifacts (sha256);

CREATE TABLE measurements (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    evaluation_id BIGINT NOT NULL,
    phone_id BIGINT NOT NULL,
    network_sha256 TEXT NOT NULL,
    runtime TEXT NOT NULL,
    protocol BIGINT NOT NULL,
    samples JSONB NOT NULL,
    summary JSONB NOT NULL,
    conditions JSONB NOT NULL,
    simulated BOOLEAN NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT measurements_pkey PRIMARY KEY (id),
    CONSTRAINT measurements_evaluation_id_key UNIQUE (evaluation_id),
    CONSTRAINT measurements_evaluation_id_fkey FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE,
    CONSTRAINT measurements_phone_id_fkey FOREIGN KEY(phone_id) REFERENCES phones (id)
);

CREATE INDEX measurements_phone_id_idx ON measurements (phone_id);

CREATE TABLE training_metrics (
    evaluation_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    train_loss DOUBLE PRECISION NOT NULL,
    metrics JSONB DEFAULT '{}'::jsonb NOT NULL,
    duration_s DOUBLE PRECISION NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT training_metrics_pkey PRIMARY KEY (evaluation_id, epoch),
    CONSTRAINT training_metrics_evaluation_id_fkey FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE
);

CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();
