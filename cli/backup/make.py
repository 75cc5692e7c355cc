"""Makes a backup while the farm goes on working."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cli.backup.folder import DUMP, Backup, BackupFolder
from cli.backup.manifest import Manifest
from cli.backup.programs import find_programs
from db.artifact_folder import ArtifactFolder, is_intact, sha256_of
from db.artifacts import ArtifactStore
from db.contents import Contents, Source, open_source
from paretofarm.errors import ArtifactMissing, BackupError

Progress = Callable[[int, int], None]
"""Artifacts that are safe, of how many."""


def back_up(
    url: str,
    store: ArtifactStore,
    target: BackupFolder,
    environment: Mapping[str, str],
    *,
    progress: Progress,
    verify: bool = False,
    skip_missing: bool = False,
) -> Backup:
    """Dumps one snapshot of the database, then copies the artifacts that it names and that are not there already.

    An artifact is stored before the row that names it, so those of the snapshot are all there afterwards. verify: read
    again what earlier backups have copied. skip_missing: go on without artifacts that the store has lost. Errors:
    BackupError, DatabaseUnavailable, ArtifactStoreUnavailable.
    """
    with open_source(url) as source, target.writing() as partial:
        created_at = datetime.now(UTC)
        contents = _dump(source, url, partial / DUMP, environment)
        missing = _copy(store, target.artifacts, contents.artifacts, progress, verify=verify, skip_missing=skip_missing)
        manifest = _manifest(contents, partial / DUMP, created_at, missing)
        return target.finish(partial, manifest)


def _dump(source: Source, url: str, file: Path, environment: Mapping[str, str]) -> Contents:
    with source.snapshot() as (snapshot, contents):
        programs = find_programs(environment, contents.postgres)
        options = ("--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s")
        programs.run("pg_dump", (*options, f"--snapshot={snapshot}", f"--file={file}"), url)
        return contents


def _copy(
    store: ArtifactStore,
    target: ArtifactFolder,
    artifacts: Mapping[str, int],
    progress: Progress,
    *,
    verify: bool,
    skip_missing: bool,
) -> list[str]:
    """Those that the store does not have, where that is allowed."""
    missing: list[str] = []
    for number, (sha256, size_bytes) in enumerate(artifacts.items(), 1):
        there = is_intact(target.path(sha256), sha256) if verify else target.size(sha256) == size_bytes
        try:
            if not there:
                store.copy(sha256, target.path(sha256))
        except ArtifactMissing as error:
            if not skip_missing:
                raise BackupError(f"{error}; --skip-missing makes a backup without what is lost") from error
            missing.append(sha256)
        progress(number, len(artifacts))
    return missing


def _manifest(contents: Contents, dump: Path, created_at: datetime, missing: list[str]) -> Manifest:
    with dump.open("rb") as file:
        sha256 = sha256_of(file)
    return Manifest(
        created_at=created_at,
        paretofarm=metadata.version("paretofarm"),
        postgres=contents.postgres,
        revision=contents.revision,
        dump_sha256=sha256,
        dump_bytes=dump.stat().st_size,
        tables=contents.tables,
        artifacts={name: size for name, size in contents.artifacts.items() if name not in missing},
        missing=tuple(missing),
    )
