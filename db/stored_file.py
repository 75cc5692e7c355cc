"""A file in the artifact store as its housekeeping sees it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class StoredFile:
    """modified_at: when the content was last stored (UTC), None where the store does not say."""

    sha256: str
    size_bytes: int
    modified_at: datetime | None
