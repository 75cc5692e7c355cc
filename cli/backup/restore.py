"""Puts a backup back into an empty database and an artifact store, and proves that nothing is missing."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from cli.backup.folder import Backup
from cli.backup.make import Progress
from cli.backup.programs import find_programs
from db import migrate
from db.artifact_folder import sha256_of
from db.artifacts import ArtifactStore
from db.contents import (
    TABLES,
    artifact_sizes,
    connected,
    existing_tables,
    other_users,
    row_counts,
    server_major,
)
from paretofarm.errors import BackupError

CONTENT = ("experiments", "candidates", "evaluations", "artifacts", "measurements")
"""Tables whose rows are somebody's work; those of a farm that has just been started are not."""


def restore(
    backup: Backup,
    url: str,
    store: ArtifactStore,
    environment: Mapping[str, str],
    *,
    progress: Progress,
    replace: bool = False,
) -> None:
    """Artifacts first, then the database in one transaction, then its migration to this version.

    replace: delete what the database holds. Interrupted anywhere, it can be begun again. Errors: BackupError where the
    backup is damaged, the database holds something or is in use, or something differs afterwards.
    """
    _check_dump(backup)
    with connected(url) as connection:
        _check_target(connection, backup, replace=replace)
        programs = find_programs(environment, server_major(connection))
    _restore_artifacts(backup, store, progress)
    _clear(url)
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    with connected(url) as connection:
        name = str(connection.scalar(text("SELECT current_database()")))
    programs.run("pg_restore", (*options, f"--dbname={name}", str(backup.dump)), url)
    with connected(url) as connection:
        _compare(connection, backup, store)
    migrate.upgrade(url)
    with connected(url) as connection:
        _settle(connection, store)


def _check_dump(backup: Backup) -> None:
    manifest = backup.manifest
    try:
        with backup.dump.open("rb") as file:
            if sha256_of(file) != manifest.dump_sha256:
                raise BackupError(f"{backup.dump} is damaged: it is not what the manifest says")
    except OSError as error:
        raise BackupError(f"{backup.dump}: {error.strerror}") from error
    if not migrate.is_known(manifest.revision):
        raise BackupError(
            f"the backup was made by a newer version (paretofarm {manifest.paretofarm}, tables {manifest.revision})"
        )
    for sha256, size_bytes in manifest.artifacts.items():
        if backup.artifacts.size(sha256) != size_bytes:
            raise BackupError(f"{backup.artifacts.path(sha256)} is missing or damaged")


def _check_target(connection: Connection, backup: Backup, *, replace: bool) -> None:
    if server_major(connection) < backup.manifest.postgres:
        raise BackupError(
            f"the backup is of PostgreSQL {backup.manifest.postgres}, the server is {server_major(connection)}"
        )
    users = other_users(connection)
    if users:
        named = ", ".join(sorted(set(users)))
        raise BackupError(f"others are connected to the database ({len(users)}, as {named}): stop what uses it first")
    tables = existing_tables(connection)
    found = migrate.current(connection.engine.url.render_as_string(hide_password=False))
    if found is not None and not migrate.is_known(found):
        raise BackupError(f"the database's tables are of a newer version ({found}): restore with that version")
    counts = row_counts(connection, sorted(tables & set(CONTENT)))
    if any(counts.values()) and not replace:
        held = ", ".join(f"{rows} {table}" for table, rows in counts.items() if rows)
        raise BackupError(f"the database is not empty ({held}): --replace deletes all that and restores the backup")


def _restore_artifacts(backup: Backup, store: ArtifactStore, progress: Progress) -> None:
    artifacts = backup.manifest.artifacts
    for number, sha256 in enumerate(artifacts, 1):
        stored = store.put_file(backup.artifacts.path(sha256), "backup")
        if stored.sha256 != sha256:
            raise BackupError(f"{backup.artifacts.path(sha256)} is damaged: its content is not what its name says")
        progress(number, len(artifacts))


def _clear(url: str) -> None:
    """Removes our tables and views, whatever version they are of, and leaves what else is in the database."""
    if migrate.current(url) is not None:
        migrate.downgrade(url, "base")
    with connected(url) as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        connection.commit()


def _compare(connection: Connection, backup: Backup, store: ArtifactStore) -> None:
    """Errors: BackupError that says what differs."""
    manifest = backup.manifest
    counts = row_counts(connection, sorted(existing_tables(connection) & TABLES))
    different = [
        f"{table}: {counts.get(table)} rows instead of {rows}"
        for table, rows in manifest.tables.items()
        if counts.get(table) != rows
    ]
    expected = {**manifest.artifacts, **dict.fromkeys(manifest.missing, None)}
    named = artifact_sizes(connection)
    different += [f"artifact {sha256} is not in the backup" for sha256 in named if sha256 not in expected]
    different += [
        f"artifact {sha256}: {store.size(sha256)} bytes in the store instead of {size_bytes}"
        for sha256, size_bytes in manifest.artifacts.items()
        if store.size(sha256) != size_bytes
    ]
    if different:
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise BackupError(f"restored, but it differs from the backup: {'; '.join(different[:3])}{more}")


def _settle(connection: Connection, store: ArtifactStore) -> None:
    """Artifacts may be in another place now; and the planner knows nothing about new tables."""
    moved = "UPDATE artifacts SET uri = :root || left(sha256, 2) || '/' || sha256 WHERE deleted_at IS NULL"
    connection.execute(text(moved), {"root": store.root_uri})
    connection.execute(text("ANALYZE"))
    connection.commit()
