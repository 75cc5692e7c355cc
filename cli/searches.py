"""What is checked before a search is started."""

from pathlib import Path

from cli.whole_file import check_writable
from db.artifacts import ArtifactStore
from db.table_files import TableFiles
from paretofarm.dataset import DatasetSettings
from paretofarm.errors import ConfigError, DataError
from paretofarm.experiment import Experiment
from paretofarm.settings import Settings
from paretofarm.table_settings import TableSource

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")


def check_inputs(experiment: Experiment) -> None:
    """Errors: DataError where its data set or its tables are not there or cannot be used."""
    training = experiment.training
    check_dataset(training.dataset if training else None)
    for part in (training, experiment.measurement):
        if isinstance(part, TableSource):
            TableFiles().table(part, experiment.search_space.search_space())


def check_dataset(settings: DatasetSettings | None) -> None:
    """Errors: DataError where the folder is not there, cannot be read, or lacks files."""
    if settings is None:
        return
    try:
        from workers.datasets.registry import list_images  # its package needs the extra `worker`
    except ImportError:
        _check_folder(settings.path)
        return
    try:
        list_images(settings)
    except OSError as error:
        raise DataError(f"{error.filename or settings.path}: cannot be read: {error.strerror}") from error


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        raise DataError(f"{path}: no such folder")


def check_artifact_store(settings: Settings) -> None:
    """Stores a few bytes. Errors: ArtifactStoreFull, ArtifactStoreUnavailable, ConfigError."""
    ArtifactStore(settings.artifacts, settings.cache).put_bytes(b"paretofarm", "probe")


def check_picture_path(path: Path) -> None:
    """Before hours of search rather than after. Errors: ConfigError."""
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise ConfigError(f"{path}: a picture's name must end with {', '.join(PICTURE_SUFFIXES)}")
    check_writable(path)
