"""Rows of removed artifacts stay and say when and why; exports are remembered. Version 0001 never looks here."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE artifacts ADD COLUMN deleted_at timestamptz, ADD COLUMN deleted_reason text")
    op.execute("ALTER TABLE candidates ADD COLUMN exported_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE artifacts DROP COLUMN deleted_at, DROP COLUMN deleted_reason")
    op.execute("ALTER TABLE candidates DROP COLUMN exported_at")
