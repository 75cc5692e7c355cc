"""Searches that train another one's best networks to the end. What each evaluation has taken.

Version 0005 survives it: it knows of no such search and leaves the new column empty, and a trigger adds up the time.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Who dies under a lease has worked until it expires, as far as anybody knows.
ACCOUNT = """
CREATE FUNCTION account_for_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.spent_s := OLD.spent_s + greatest(0, extract(epoch FROM
        least(clock_timestamp(), OLD.lease_expires_at) - OLD.started_at));
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE experiments ADD COLUMN final_of bigint")
    op.execute(
        """
        ALTER TABLE experiments ADD CONSTRAINT experiments_final_of_fkey
        FOREIGN KEY (final_of) REFERENCES experiments (id) ON DELETE SET NULL
        """
    )
    op.execute("CREATE INDEX experiments_final_of_idx ON experiments (final_of)")
    op.execute("ALTER TABLE evaluations ADD COLUMN spent_s double precision NOT NULL DEFAULT 0")
    op.execute(ACCOUNT)
    op.execute(
        """
        CREATE TRIGGER evaluations_account BEFORE UPDATE ON evaluations FOR EACH ROW
        WHEN (OLD.status = 'leased' AND NEW.status <> 'leased') EXECUTE FUNCTION account_for_lease()
        """
    )
    op.execute(
        """
        UPDATE evaluations SET spent_s = extract(epoch FROM finished_at - started_at)
        WHERE started_at < finished_at
        """
    )
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0006_views.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW search_progress")
    op.execute("DROP TRIGGER evaluations_account ON evaluations")
    op.execute("DROP FUNCTION account_for_lease")
    op.execute("ALTER TABLE evaluations DROP COLUMN spent_s")
    op.execute("ALTER TABLE experiments DROP COLUMN final_of")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0005_views.sql").read_text(encoding="utf-8"))
