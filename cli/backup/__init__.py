"""Backups: the database and the artifacts that it refers to, in one folder or file."""
