"""The artifact store: content comes back as it was put in, whole or not at all."""

import hashlib
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from db.artifacts import ArtifactStore
from paretofarm.errors import ArtifactMissing, ArtifactStoreFull, ArtifactStoreUnavailable, ConfigError

CONTENT = b"network" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture(params=["local", "remote"])
def store(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> ArtifactStore:
    """One in a folder, and one that can be reached by copies only."""
    if request.param == "local":
        return ArtifactStore(folder.as_uri())
    return ArtifactStore(f"memory://{uuid4().hex}", cache=tmp_path / "cache")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_content_comes_back(store: ArtifactStore, tmp_path: Path) -> None:
    source = tmp_path / "network.onnx"
    source.write_bytes(CONTENT)
    stored = store.put_file(source, "onnx_fp32")
    assert (stored.sha256, stored.kind, stored.size_bytes) == (SHA256, "onnx_fp32", len(CONTENT))
    assert stored.uri.endswith(f"/{SHA256[:2]}/{SHA256}")
    assert store.fetch(stored).read_bytes() == CONTENT
    assert store.fetch(SHA256).read_bytes() == CONTENT
    assert store.put_bytes(CONTENT, "onnx_fp32") == stored


def test_missing_artifact_is_named(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactMissing, match=SHA256):
        store.fetch(SHA256)


def test_same_content_is_one_file(folder: Path) -> None:
    store = ArtifactStore(folder.as_uri())
    with ThreadPoolExecutor(8) as pool:
        stored = set(pool.map(lambda _: store.put_bytes(CONTENT, "x"), range(16)))
    assert len(stored) == 1
    assert [path.name for path in files(folder)] == [SHA256]


@pytest.mark.parametrize("damaged", [CONTENT[:100], b"N" + CONTENT[1:], b""])
def test_damaged_content_is_missing_until_it_is_stored_again(folder: Path, damaged: bytes) -> None:
    store = ArtifactStore(folder.as_uri())
    stored = store.put_bytes(CONTENT, "x")
    (folder / SHA256[:2] / SHA256).write_bytes(damaged)
    with pytest.raises(ArtifactMissing, match="damaged"):
        store.fetch(stored)
    store.put_bytes(CONTENT, "x")
    assert store.fetch(stored).read_bytes() == CONTENT


def test_damaged_copy_is_fetched_again(tmp_path: Path) -> None:
    store = ArtifactStore(f"memory://{uuid4().hex}", cache=tmp_path)
    stored = store.put_bytes(CONTENT, "x")
    store.fetch(stored).write_bytes(b"junk")
    assert store.fetch(stored).read_bytes() == CONTENT


@contextmanager
def no_file_longer_than(size_bytes: int) -> Iterator[None]:
    """Writing more fails in the middle, as on a full disk; needs no privileges and holds for root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_is_said_and_leaves_nothing(folder: Path) -> None:
    store = ArtifactStore(folder.as_uri())
    with no_file_longer_than(1000), pytest.raises(ArtifactStoreFull, match=rf"storing x \({len(CONTENT)} bytes\)"):
        store.put_bytes(CONTENT, "x")
    assert files(folder) == []
    assert store.fetch(store.put_bytes(CONTENT, "x")).read_bytes() == CONTENT


def test_full_cache_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    store = ArtifactStore(f"memory://{uuid4().hex}", cache=tmp_path)
    stored = store.put_bytes(CONTENT, "x")
    with no_file_longer_than(1000), pytest.raises(ArtifactStoreFull):
        store.fetch(stored)
    assert files(tmp_path) == []


def test_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("a file, not a folder")
    with pytest.raises(ArtifactStoreUnavailable, match="artifacts"):
        ArtifactStore((tmp_path / "artifacts").as_uri()).put_bytes(CONTENT, "x")


def test_remote_store_needs_a_cache_and_a_known_protocol() -> None:
    with pytest.raises(ConfigError, match="needs a cache"):
        ArtifactStore("memory://bucket")
    with pytest.raises(ConfigError, match="PARETOFARM_ARTIFACTS = 'nonsense://x'"):
        ArtifactStore("nonsense://x")
