"""Rungs: candidates that wait, and what they were trained to. A search that is the random control of another.

Version 0004 survives it: it knows no search with rungs to be promoted to, and so meets no candidate that waits.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLD = ("proposed", "running", "complete", "infeasible", "failed")


def upgrade() -> None:
    op.execute("ALTER TABLE candidates ADD COLUMN rung bigint")
    _restrict_status("proposed", "running", "paused", "complete", "infeasible", "failed")
    op.execute("ALTER TABLE experiments ADD COLUMN control_of bigint")
    op.execute("ALTER TABLE experiments ADD CONSTRAINT experiments_control_of_key UNIQUE (control_of)")
    op.execute(
        """
        ALTER TABLE experiments ADD CONSTRAINT experiments_control_of_fkey
        FOREIGN KEY (control_of) REFERENCES experiments (id) ON DELETE CASCADE
        """
    )
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0005_views.sql").read_text(encoding="utf-8"))


def _restrict_status(*allowed: str) -> None:
    """Rows are checked in a second step, which keeps nobody waiting however many they are."""
    listed = ", ".join(f"'{status}'" for status in allowed)
    op.execute("ALTER TABLE candidates DROP CONSTRAINT candidates_status_known")
    op.execute(f"ALTER TABLE candidates ADD CONSTRAINT candidates_status_known CHECK (status IN ({listed})) NOT VALID")
    op.execute("ALTER TABLE candidates VALIDATE CONSTRAINT candidates_status_known")


def downgrade() -> None:
    """A candidate that waits has failed for a version that does not know waiting."""
    op.execute("DROP VIEW search_progress")
    op.execute("DROP VIEW pareto_front")
    op.execute("DROP VIEW candidate_metrics")
    op.execute("DROP VIEW objective_points")
    op.execute("UPDATE candidates SET status = 'failed', reason = 'waited for a rung' WHERE status = 'paused'")
    _restrict_status(*OLD)
    op.execute("ALTER TABLE candidates DROP COLUMN rung")
    op.execute("ALTER TABLE experiments DROP COLUMN control_of")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0004_views.sql").read_text(encoding="utf-8"))
