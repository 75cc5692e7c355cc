"""The embedded stack: Postgres, the broker and the services of one machine, kept alive by one supervisor."""
