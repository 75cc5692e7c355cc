"""What every artifact store promises, wherever its files are: in a folder, in memory, on an S3 server."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from s3_server import S3Server, running_s3

from db.artifacts import ArtifactStore
from paretofarm.errors import ArtifactMissing, ArtifactStoreUnavailable

CONTENT = b"network" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SOON = timedelta(minutes=1)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new one, on a server that the environment names."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid4().hex}"
    s3.make_bucket(name)
    fsspec.filesystem("s3").clear_instance_cache()
    yield name
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture(params=["folder", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return (tmp_path / "artifacts").as_uri()
    if request.param == "memory":
        return f"memory://{uuid4().hex}"
    return f"s3://{request.getfixturevalue('bucket')}/artifacts"


@pytest.fixture
def store(url: str, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(url, tmp_path / "cache")


def test_content_comes_back_to_any_other_host(store: ArtifactStore, url: str, tmp_path: Path) -> None:
    source = tmp_path / "network.onnx"
    source.write_bytes(CONTENT)
    stored = store.put_file(source, "onnx")
    assert (stored.sha256, stored.size_bytes) == (SHA256, len(CONTENT))
    assert stored.uri == f"{url}/{SHA256[:2]}/{SHA256}".replace("memory://", "memory:///")
    assert store.put_bytes(CONTENT, "onnx") == stored
    assert ArtifactStore(url, tmp_path / "other").fetch(stored).read_bytes() == CONTENT


def test_large_content_comes_back(store: ArtifactStore, tmp_path: Path) -> None:
    """In parts, where the store takes parts."""
    source = tmp_path / "checkpoint.pt"
    source.write_bytes(os.urandom(1 << 20) * 60)
    stored = store.put_file(source, "checkpoint")
    store.copy(stored.sha256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


def test_what_is_not_there_is_named(store: ArtifactStore, tmp_path: Path) -> None:
    assert store.size(SHA256) is None
    with pytest.raises(ArtifactMissing, match=SHA256):
        store.fetch(SHA256)
    with pytest.raises(ArtifactMissing, match=SHA256):
        store.copy(SHA256, tmp_path / "copy")
    assert not store.remove(SHA256, stored_before=datetime.now(UTC) + SOON)
    assert list(store.files()) == []


def test_damage_is_never_read(store: ArtifactStore, url: str, tmp_path: Path) -> None:
    store.put_bytes(CONTENT, "x")
    with fsspec.open(f"{url}/{SHA256[:2]}/{SHA256}", "wb") as file:
        file.write(b"N" + CONTENT[1:])
    with pytest.raises(ArtifactMissing, match="damaged"):
        store.fetch(SHA256)
    with pytest.raises(ArtifactMissing, match="damaged"):
        store.copy(SHA256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_half_a_file_is_repaired_by_storing_it_again(store: ArtifactStore, url: str) -> None:
    store.put_bytes(CONTENT, "x")
    with fsspec.open(f"{url}/{SHA256[:2]}/{SHA256}", "wb") as file:
        file.write(CONTENT[:100])
    store.put_bytes(CONTENT, "x")
    assert store.fetch(SHA256).read_bytes() == CONTENT


def test_many_who_store_the_same_leave_one_file(store: ArtifactStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: store.put_bytes(CONTENT, "x"), range(16)))) == 1
    assert [(file.sha256, file.size_bytes) for file in store.files()] == [(SHA256, len(CONTENT))]


def test_files_are_listed_with_their_age_and_removed_by_it(store: ArtifactStore) -> None:
    store.put_bytes(CONTENT, "x")
    [file] = store.files()
    assert file.modified_at is not None
    assert abs(file.modified_at - datetime.now(UTC)) < SOON
    assert not store.remove(SHA256, stored_before=datetime.now(UTC) - SOON)
    assert store.remove(SHA256, stored_before=datetime.now(UTC) + SOON)
    assert list(store.files()) == []


def test_a_bucket_that_does_not_exist_is_said(bucket: str, tmp_path: Path) -> None:
    store = ArtifactStore(f"s3://{bucket}-nowhere/artifacts", tmp_path)
    with pytest.raises(ArtifactStoreUnavailable, match="bucket does not exist"):
        store.put_bytes(CONTENT, "x")


def test_keys_that_are_wrong_are_said(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    store = ArtifactStore(f"s3://{bucket}/artifacts", tmp_path)
    s3.check_keys(True)
    try:
        with pytest.raises(ArtifactStoreUnavailable, match=r"(?i)access|forbidden"):
            store.put_bytes(CONTENT, "x")
        with pytest.raises(ArtifactStoreUnavailable, match=r"(?i)access|forbidden"):
            store.fetch(SHA256)
    finally:
        s3.check_keys(False)


def test_a_server_that_is_down_is_said_in_one_line(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_s3() as dead:
        monkeypatch.setenv("AWS_ENDPOINT_URL", dead.url)
    fsspec.filesystem("s3").clear_instance_cache()
    store = ArtifactStore(f"s3://{bucket}/artifacts", tmp_path)
    with pytest.raises(ArtifactStoreUnavailable, match="Could not connect to the endpoint URL") as caught:
        store.put_bytes(CONTENT, "x")
    assert "\n" not in str(caught.value)
