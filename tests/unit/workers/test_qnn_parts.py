"""The parts of the toolchain qnn that need no compiler: traces, packages, the cache, the SDK's version."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from paretofarm.errors import ConversionFailed
from paretofarm.qairt import runs, sdk_version
from workers.toolchains import qnn_cache
from workers.toolchains.op_trace import UnsupportedNode, parse_op_trace, refusal
from workers.toolchains.qnn_cache import CompileCache, content_key
from workers.toolchains.qnn_calibration import spool
from workers.toolchains.qnn_package import read_member, write_package

CAPTURED = Path(__file__).parent / "output/qnn_op_trace.json"


def test_a_captured_trace_names_the_op_the_node_and_the_reason() -> None:
    (node,) = parse_op_trace(CAPTURED.read_text())
    assert node == UnsupportedNode(
        "NonZero", "number 1", "NonZero output shape must be static. Set shape to [rank, num_elements]"
    )
    assert refusal((node,), "SM8350 (V68)").startswith("SM8350 (V68) cannot run op NonZero (node number 1): NonZero ou")


def test_what_only_wraps_a_refused_op_is_left_out() -> None:
    entry = '{"node_index": %d, "node_name": "n", "op_type": "%s", "reason": "no"}'
    entries = [entry % (index, op) for index, op in enumerate(("QuantizeLinear", "Erf", "DequantizeLinear"))]
    nodes = parse_op_trace(f'{{"unsupported_nodes": [{", ".join(entries)}]}}')
    assert [node.op for node in nodes] == ["Erf"]


def test_a_long_list_is_cut() -> None:
    nodes = tuple(UnsupportedNode("Erf", str(index), "no") for index in range(7))
    assert refusal(nodes, "SM8350").endswith("op Erf (node 4): no; and 2 more")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"unsupported_nodes": [{}]}'])
def test_a_damaged_trace_is_told(text: str) -> None:
    with pytest.raises(ConversionFailed, match="op trace is not readable"):
        parse_op_trace(text)


def test_a_package_depends_on_its_contents_only(tmp_path: Path) -> None:
    write_package(tmp_path / "one", {"b": b"2", "a": b"1"})
    write_package(tmp_path / "another", {"a": b"1", "b": b"2"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "another").read_bytes()
    assert read_member(tmp_path / "one", "b") == b"2"
    with zipfile.ZipFile(tmp_path / "one") as package:
        assert {entry.compress_type for entry in package.infolist()} == {zipfile.ZIP_STORED}


def test_the_cache_hands_out_copies_of_what_it_keeps(tmp_path: Path) -> None:
    cache = CompileCache(tmp_path / "cache")
    assert not cache.fetch("key", tmp_path / "out")
    (tmp_path / "made").write_bytes(b"network")
    cache.keep("key", tmp_path / "made")
    assert cache.fetch("key", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"network"


def test_the_cache_lets_go_of_what_was_used_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qnn_cache, "KEPT", 2)
    cache = CompileCache(tmp_path / "cache")
    (tmp_path / "made").write_bytes(b"network")
    for age, key in enumerate(("reference", "old", "new")):
        cache.keep(key, tmp_path / "made")
        os.utime(tmp_path / f"cache/{key}.zip", (1000 + age, 1000 + age))
        cache.fetch("reference", tmp_path / "out")
    assert sorted(path.stem for path in (tmp_path / "cache").iterdir()) == ["new", "reference"]


def test_the_key_is_that_of_all_parts() -> None:
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    assert content_key({"a": 1}) != content_key({"a": "1"})


def test_images_are_spooled_with_channels_last(tmp_path: Path) -> None:
    images = list(np.random.default_rng(0).random((3, 1, 3, 4, 5), dtype=np.float32))
    spooled = spool(iter(images), tmp_path / "images")
    assert spooled.shape == (1, 4, 5, 3)
    for before, after in zip(images, spooled.images(), strict=True):
        np.testing.assert_array_equal(before.transpose(0, 2, 3, 1), after)
    assert spool(images[:2], tmp_path / "fewer").digest != spooled.digest
    assert spool(images, tmp_path / "again").digest == spooled.digest


@pytest.mark.parametrize(
    ("description", "folder", "version"),
    [
        ("name: QAIRT\nversion: 2.31.0.250130\n", "sdk", "2.31.0.250130"),
        ("version: 'v2.26.2'", "2.99.9", "2.26.2"),
        ("", "2.39.0.250926", "2.39.0.250926"),
        ("", "qairt-v2.39.0", "2.39.0"),
        ("", "qairt", None),
    ],
)
def test_the_sdk_tells_its_version(description: str, folder: str, version: str | None) -> None:
    assert sdk_version(description, folder) == version


def test_a_runtime_must_not_be_older_than_the_compiler() -> None:
    assert runs("2.51.0.260929", "2.51.0")
    assert runs("2.51.0", "2.51.3")
    assert runs("3.0.0", "2.51.0")
    assert not runs("2.9.0", "2.51.0")
