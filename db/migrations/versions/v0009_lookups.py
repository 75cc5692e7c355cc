"""Indexes for what is looked up as a candidate ends, and as a scheduler takes a search over.

Version 0008 survives it: it only finds the same rows sooner.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # keep_points() does not name a device. Before Postgres 18 nothing else leads it to its rows; since then the primary
    # key does, but only where the planner has statistics.
    op.execute("CREATE INDEX points_number_idx ON points (experiment_id, number)")
    op.execute("CREATE INDEX events_remarks_idx ON events (experiment_id, id) WHERE kind = 'algorithm_remarked'")


def downgrade() -> None:
    op.execute("DROP INDEX events_remarks_idx")
    op.execute("DROP INDEX points_number_idx")
