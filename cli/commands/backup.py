"""`paretofarm backup` and `paretofarm restore`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.artifact_store import artifact_store
from cli.backup.archive import archive_folder, is_archive, pack, unpacked
from cli.backup.folder import Backup, BackupFolder
from cli.backup.make import Progress, back_up
from cli.backup.restore import restore as restore_backup
from cli.connection import data_folder, database_url, has_own_servers
from cli.local_stack import embedded_database
from cli.progress_bar import progress_bar
from cli.words import bytes_text


@click.command()
@click.argument("target", metavar="DIR|FILE.tar", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Read again what earlier backups have copied to DIR.")
@click.option("--skip-missing", is_flag=True, help="Go on without artifacts that the store has lost.")
def backup(target: Path, verify: bool, skip_missing: bool) -> None:
    """Copy the database and the artifacts that it refers to.

    DIR gets a folder named after the time, and the artifacts beside it: the next backup into the same DIR copies only
    what is new. FILE.tar is one file with everything. Searches may go on meanwhile: the backup is of one moment. It is
    whole or it is not there. Passwords are not in it; whoever reads it reads everything else.

    \b
    Examples:
      paretofarm backup /backups/farm
      paretofarm backup farm.tar
    """
    store = artifact_store(os.environ)
    with database_url(os.environ) as url, _destination(target) as folder, _artifacts("copying artifacts") as progress:
        made = back_up(url, store, folder, os.environ, progress=progress, verify=verify, skip_missing=skip_missing)
        if is_archive(target):
            pack(made, target)
    _say("backed up", made, target if is_archive(target) else made.folder)
    for sha256 in made.manifest.missing:
        click.echo(f"missing in the store: artifact {sha256}", err=True)


@click.command()
@click.argument("source", metavar="DIR|FILE.tar", type=click.Path(exists=True, path_type=Path))
@click.option("--name", metavar="TIME", help="Which of the backups in DIR.  [default: the newest]")
@click.option("--replace", is_flag=True, help="Delete what the database holds. There is no way back.")
def restore(source: Path, name: str | None, replace: bool) -> None:
    """Put a backup into an empty database and an artifact store.

    Stop everything that uses the database first. Row counts and the hashes of all artifacts are compared with the
    backup's. Evaluations that were being worked on are queued again when their leases have expired, and unfinished
    searches go on. A backup of an earlier version is migrated to this one.

    \b
    Examples:
      paretofarm restore /backups/farm
      paretofarm restore /backups/farm --name 20261122T031500Z
      paretofarm restore farm.tar
    """
    store = artifact_store(os.environ)
    with _source(source) as folder, _target_url() as url, _artifacts("restoring artifacts") as progress:
        found = folder.find(name)
        restore_backup(found, url, store, os.environ, progress=progress, replace=replace)
    _say("restored", found, source if is_archive(source) else found.folder)


@contextmanager
def _destination(target: Path) -> Iterator[BackupFolder]:
    if is_archive(target):
        with archive_folder(target) as folder:
            yield folder
    else:
        yield BackupFolder(target)


@contextmanager
def _source(source: Path) -> Iterator[BackupFolder]:
    if is_archive(source):
        with unpacked(source) as folder:
            yield folder
    else:
        yield BackupFolder(source)


@contextmanager
def _target_url() -> Iterator[str]:
    """The user's own server, else the embedded database, which may be new."""
    if has_own_servers(os.environ):
        with database_url(os.environ) as url:
            yield url
    else:
        with embedded_database(data_folder(os.environ)) as url:
            yield url


@contextmanager
def _artifacts(what: str) -> Iterator[Progress]:
    with progress_bar(what, None) as show:
        yield lambda done, total: show(done)


def _say(what: str, backup: Backup, place: Path) -> None:
    manifest = backup.manifest
    amount = f"{manifest.rows:,} rows in {len(manifest.tables)} tables, {len(manifest.artifacts):,} artifacts"
    size = bytes_text(manifest.dump_bytes + manifest.artifact_bytes)
    click.echo(f"{what}: {amount} ({size}), of {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC, {place}")
