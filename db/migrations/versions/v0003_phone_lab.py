"""Scores taken on phones, more that may be wrong with a phone, its reference checks and how it spends its time.

Version 0002 survives it: what is new stays empty unless new agents and searches write it.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STAGES = ("build", "compile", "measure", "train")
STATES = ("ready", "busy", "offline", "unauthorized", "unhealthy")
NEW_STATES = ("booting", "cooling", "low_battery", "full", "suspect", "quarantined")
VIEWS = ("pareto_front", "objective_points", "candidate_metrics")


def upgrade() -> None:
    _run_file("v0003_views.sql")
    _allow("evaluations", "stage", (*STAGES, "score"))
    _allow("phones", "state", (*STATES, *NEW_STATES))
    op.execute(
        """
        ALTER TABLE phones
            ADD COLUMN state_since timestamptz,
            ADD COLUMN conditions jsonb NOT NULL DEFAULT '{}'::jsonb,
            ADD COLUMN quarantined_at timestamptz
        """
    )
    op.execute(
        """
        ALTER TABLE measurements
            ADD COLUMN device text,
            ADD COLUMN protocol_key text,
            ADD COLUMN details jsonb NOT NULL DEFAULT '{}'::jsonb,
            ADD COLUMN reused_from bigint
        """
    )
    op.execute("CREATE INDEX measurements_network_idx ON measurements (network_sha256, device, protocol_key)")
    op.execute(
        """
        CREATE TABLE reference_checks (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reference_checks_pkey PRIMARY KEY,
            phone_id bigint NOT NULL CONSTRAINT reference_checks_phone_id_fkey REFERENCES phones (id),
            at timestamptz NOT NULL DEFAULT clock_timestamp(),
            reference_sha256 text NOT NULL,
            protocol_key text NOT NULL,
            latency_ms double precision,
            baseline_ms double precision,
            output_sha256 text,
            passed boolean NOT NULL,
            reason text,
            conditions jsonb NOT NULL DEFAULT '{}'::jsonb,
            simulated boolean NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX reference_checks_phone_id_at_idx ON reference_checks (phone_id, at)")
    op.execute(
        """
        CREATE TABLE phone_work (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT phone_work_pkey PRIMARY KEY,
            phone_id bigint NOT NULL CONSTRAINT phone_work_phone_id_fkey REFERENCES phones (id),
            kind text NOT NULL,
            evaluation_id bigint,
            started_at timestamptz NOT NULL,
            ended_at timestamptz NOT NULL,
            outcome text NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX phone_work_phone_id_started_at_idx ON phone_work (phone_id, started_at)")


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    _run_file("v0001_views.sql")
    op.execute("DROP TABLE phone_work")
    op.execute("DROP TABLE reference_checks")
    op.execute("DROP INDEX measurements_network_idx")
    op.execute(
        """
        ALTER TABLE measurements
            DROP COLUMN device, DROP COLUMN protocol_key, DROP COLUMN details, DROP COLUMN reused_from
        """
    )
    op.execute("ALTER TABLE phones DROP COLUMN quarantined_at, DROP COLUMN state_since, DROP COLUMN conditions")
    op.execute(f"UPDATE phones SET state = 'unhealthy' WHERE state IN ({_listed(NEW_STATES)})")
    _allow("phones", "state", STATES)
    op.execute("DELETE FROM evaluations WHERE stage = 'score'")
    _allow("evaluations", "stage", STAGES)


def _run_file(name: str) -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    name = f"{table}_{column}_known"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({_listed(values)}))")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
