"""Measurements before the latest one, of candidates that were measured again.

Version 0006 survives it: it measures nobody again and knows nothing of the new table.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE earlier_measurements (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT earlier_measurements_pkey PRIMARY KEY,
            evaluation_id bigint NOT NULL CONSTRAINT earlier_measurements_evaluation_id_fkey
                REFERENCES evaluations (id) ON DELETE CASCADE,
            measurement jsonb NOT NULL,
            replaced_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """
    )
    op.execute("CREATE INDEX earlier_measurements_evaluation_id_idx ON earlier_measurements (evaluation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE earlier_measurements")
