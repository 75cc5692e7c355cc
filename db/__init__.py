"""The database: tables, leases, reports, artifacts. Postgres is the truth."""
