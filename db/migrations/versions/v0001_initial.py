"""The tables and views as first released."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

VIEWS = ("pareto_front", "objective_points", "candidate_metrics")
TABLES = (
    "training_metrics",
    "measurements",
    "candidate_artifacts",
    "device_baselines",
    "evaluations",
    "candidates",
    "workers",
    "phones",
    "experiments",
    "events",
    "artifacts",
)


def upgrade() -> None:
    for name in ("v0001_tables.sql", "v0001_views.sql"):
        op.get_bind().exec_driver_sql(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION events_are_append_only()")
