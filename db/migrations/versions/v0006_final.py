"""Searches that train another one's best networks to the end.

Version 0005 survives it: it knows of no such search and leaves the new column empty.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE experiments ADD COLUMN final_of bigint")
    op.execute(
        """
        ALTER TABLE experiments ADD CONSTRAINT experiments_final_of_fkey
        FOREIGN KEY (final_of) REFERENCES experiments (id) ON DELETE SET NULL
        """
    )
    op.execute("CREATE INDEX experiments_final_of_idx ON experiments (final_of)")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0006_views.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW search_progress")
    op.execute("ALTER TABLE experiments DROP COLUMN final_of")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0005_views.sql").read_text(encoding="utf-8"))
