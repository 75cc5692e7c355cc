"""Who is measured again stays complete, with what is known of it; its measurements are kept as newer ones come.

Version 0007 survives it: where it measures again, nothing has to be kept any more.
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# As a function of the owner: who reports a measurement needs no rights on those before it.
KEEP_EARLIER = """
CREATE FUNCTION keep_earlier_measurement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH taken AS (DELETE FROM measurements WHERE evaluation_id = NEW.evaluation_id RETURNING *)
    INSERT INTO earlier_measurements (evaluation_id, measurement)
    SELECT evaluation_id, to_jsonb(taken) FROM taken;
    RETURN NEW;
END
$$
"""
BACK = """
WITH taken AS (
    DELETE FROM earlier_measurements WHERE id IN (
        SELECT max(e.id)
        FROM earlier_measurements e
        JOIN evaluations v ON v.id = e.evaluation_id
        WHERE NOT EXISTS (SELECT FROM measurements m WHERE m.evaluation_id = v.id)
        GROUP BY v.id
    )
    RETURNING measurement
)
INSERT INTO measurements OVERRIDING SYSTEM VALUE
SELECT found.* FROM taken, jsonb_populate_record(NULL::measurements, taken.measurement) found
"""
ASIDE = """
WITH taken AS (
    DELETE FROM measurements WHERE evaluation_id IN (
        SELECT v.id
        FROM evaluations v
        JOIN candidates c ON c.id = v.candidate_id
        WHERE c.contested_at IS NOT NULL AND v.stage = 'measure' AND v.status <> 'done'
    )
    RETURNING *
)
INSERT INTO earlier_measurements (evaluation_id, measurement)
SELECT evaluation_id, to_jsonb(taken) FROM taken
"""


def upgrade() -> None:
    op.execute("ALTER TABLE candidates ADD COLUMN contested_at timestamptz")
    op.execute(
        """
        CREATE INDEX candidates_contested_idx ON candidates (experiment_id, number) WHERE contested_at IS NOT NULL
        """
    )
    op.execute(BACK)
    op.execute(
        """
        UPDATE candidates SET status = 'complete', contested_at = clock_timestamp()
        WHERE status = 'running' AND finished_at IS NOT NULL
        """
    )
    op.execute(KEEP_EARLIER)
    op.execute(
        """
        CREATE TRIGGER measurements_keep_earlier BEFORE INSERT ON measurements
        FOR EACH ROW EXECUTE FUNCTION keep_earlier_measurement()
        """
    )
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0008_views.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW search_progress")
    op.execute("DROP VIEW candidate_metrics")
    op.execute("DROP TRIGGER measurements_keep_earlier ON measurements")
    op.execute("DROP FUNCTION keep_earlier_measurement")
    op.execute(ASIDE)
    op.execute("UPDATE candidates SET status = 'running' WHERE contested_at IS NOT NULL")
    op.execute("ALTER TABLE candidates DROP COLUMN contested_at")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0006_views.sql").read_text(encoding="utf-8"))
