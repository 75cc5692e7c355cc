"""Tokens and logins of the HTTP API, pins, views, and candidates as points: what fronts and pages are read from.

Version 0003 survives it: points are kept by triggers, whoever writes candidates.
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = ("candidates_status_idx", "candidates_rejected_idx", "candidates_finished_idx", "evaluations_failed_idx")


def upgrade() -> None:
    op.execute("ALTER TABLE candidates ADD COLUMN pinned_at timestamptz")
    _create_indexes()
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0004_points.sql").read_text(encoding="utf-8"))
    op.execute(
        """
        CREATE TABLE api_tokens (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT api_tokens_pkey PRIMARY KEY,
            key text NOT NULL CONSTRAINT api_tokens_key_key UNIQUE,
            name text NOT NULL,
            scope varchar(16) NOT NULL CONSTRAINT api_tokens_scope_known CHECK (scope IN ('read', 'operate', 'admin')),
            secret_sha256 text NOT NULL CONSTRAINT api_tokens_sha256_hex CHECK (length(secret_sha256) = 64),
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            expires_at timestamptz,
            revoked_at timestamptz,
            last_used_at timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE TABLE login_sessions (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT login_sessions_pkey PRIMARY KEY,
            secret_sha256 text NOT NULL CONSTRAINT login_sessions_secret_sha256_key UNIQUE
                CONSTRAINT login_sessions_sha256_hex CHECK (length(secret_sha256) = 64),
            token_id bigint NOT NULL
                CONSTRAINT login_sessions_token_id_fkey REFERENCES api_tokens (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX login_sessions_token_id_idx ON login_sessions (token_id)")
    op.get_bind().exec_driver_sql(Path(__file__).with_name("v0004_views.sql").read_text(encoding="utf-8"))


def _create_indexes() -> None:
    op.execute("CREATE INDEX candidates_status_idx ON candidates (experiment_id, status)")
    op.execute(
        """
        CREATE INDEX candidates_rejected_idx ON candidates (experiment_id, number)
        WHERE status IN ('infeasible', 'failed')
        """
    )
    op.execute(
        "CREATE INDEX candidates_finished_idx ON candidates (experiment_id, finished_at) WHERE status = 'complete'"
    )
    op.execute("CREATE INDEX evaluations_failed_idx ON evaluations (candidate_id, code) WHERE status = 'failed'")


def downgrade() -> None:
    op.execute("DROP VIEW search_progress")
    op.execute("DROP VIEW phone_health")
    op.execute("DROP TABLE login_sessions")
    op.execute("DROP TABLE api_tokens")
    op.execute("DROP TRIGGER candidates_points_insert ON candidates")
    op.execute("DROP TRIGGER candidates_points_update ON candidates")
    op.execute("DROP FUNCTION keep_points()")
    op.execute("DROP FUNCTION candidate_points(candidates)")
    op.execute("DROP TABLE points")
    for index in INDEXES:
        op.execute(f"DROP INDEX {index}")
    op.execute("ALTER TABLE candidates DROP COLUMN pinned_at")
