"""The schema's history, for alembic. A version that has been released is never edited."""
