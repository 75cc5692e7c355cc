"""A file in the artifact store as everybody else sees it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredArtifact:
    """sha256: of the content, 64 hexadecimal digits; kind: what it is for, e.g. `onnx_fp32`; uri: for people."""

    sha256: str
    kind: str
    size_bytes: int
    uri: str


@dataclass(frozen=True)
class CandidateArtifact(StoredArtifact):
    """One that an evaluation of a candidate produced, for one device class where it is specific to one.

    deleted_at: when it was removed to save space (`paretofarm gc`), None while it is there.
    """

    device: str | None
    deleted_at: str | None = None
