"""The artifact store that the environment names."""

from collections.abc import Mapping

from cli.connection import settings_with
from db.artifacts import ArtifactStore
from paretofarm.settings import Settings


def storage_settings(environment: Mapping[str, str]) -> Settings:
    """Settings of commands that need the store and no broker."""
    return settings_with(environment, "postgresql://", "redis://")


def artifact_store(environment: Mapping[str, str]) -> ArtifactStore:
    """Errors: ConfigError."""
    settings = storage_settings(environment)
    return ArtifactStore(settings.artifacts, settings.cache)
