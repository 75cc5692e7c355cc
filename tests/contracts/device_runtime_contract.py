"""What every device runtime promises. Subclasses provide the phone, the runtime and a network in its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_agents.runtimes import DeviceRuntime, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import INPUT_LIST
from paretofarm.errors import NotDeployable
from paretofarm.ports import CommandResult, DeviceLink

SIDE = 32
CLASSES = 4


class RecordingLink:
    """A link that remembers what went over it."""

    def __init__(self, link: DeviceLink) -> None:
        self.link = link
        self.pushed: list[str] = []
        self.commands: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.link, name)

    def push(self, local: Path, remote: str) -> None:
        self.pushed.append(remote)
        self.link.push(local, remote)

    def run(self, argv: Sequence[str], **options: Any) -> CommandResult:
        self.commands.append((tuple(argv), options.get("environment") or {}))
        return self.link.run(argv, **options)


@dataclass(frozen=True)
class Bench:
    """A runtime on a phone: `good` runs, `bad` does not. folder: of this test alone, on the phone."""

    runtime: DeviceRuntime
    link: RecordingLink
    good: InstalledNetwork
    bad: InstalledNetwork
    folder: str


def installed(link: DeviceLink, runtime: DeviceRuntime, local: Path, remote: str, scratch: Path) -> InstalledNetwork:
    """Puts a compiled network on the phone as an agent does."""
    for name, file in runtime.files(local, scratch).items():
        link.push(file, f"{remote}/{name}")
    return InstalledNetwork(local, remote)


def some_images(count: int = 3) -> Images:
    return np.random.default_rng(5).random((count, 3, SIDE, SIDE), dtype=np.float32)


class DeviceTimingContract:
    """What every runtime promises that tells times. Needs the fixture `bench` and `samples`."""

    def samples(self, inferences: int) -> int:
        """How many samples a block of so many inferences has."""
        return inferences

    def test_preparing_twice_pushes_once(self, bench: Bench) -> None:
        version = bench.runtime.prepare(bench.link)
        assert version
        bench.link.pushed.clear()
        assert bench.runtime.prepare(bench.link) == version
        assert bench.link.pushed == []

    @pytest.mark.parametrize("inferences", [5, 70])
    def test_a_block_has_its_samples(self, bench: Bench, inferences: int) -> None:
        bench.runtime.prepare(bench.link)
        times = bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=inferences)
        assert len(times.samples_ms) == self.samples(inferences)
        assert all(0 < sample < 10_000 for sample in times.samples_ms)

    def test_one_block_after_the_other(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        for _ in range(2):
            times = bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=5)
            assert len(times.samples_ms) == self.samples(5)

    def test_a_network_that_does_not_run_is_not_deployable(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        with pytest.raises(NotDeployable):
            bench.runtime.time_block(bench.link, bench.bad, folder=bench.folder, inferences=5)

    def test_the_reference_is_a_file_or_the_toolchains(self, bench: Bench) -> None:
        reference = bench.runtime.reference()
        assert reference is None or reference.is_file()


class DeviceRuntimeContract(DeviceTimingContract):
    """What every runtime promises that runs on a phone: outputs, and memory. Needs `expected` beside."""

    tolerance = 1e-5
    tells_memory = False
    """Whether the runner says by itself how much memory it took."""

    def expected(self, images: Images) -> Logits:
        """What the good network gives."""
        raise NotImplementedError

    def test_the_runners_peak_memory_is_known_where_it_is_watched(self, bench: Bench) -> None:
        """Programs under test are scripts of Python, which takes some megabytes."""
        bench.runtime.prepare(bench.link)
        # A program of some milliseconds can be over before a busy machine has looked at it: the best of three looks.
        looks = [
            bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=5, watch_memory=True)
            for _ in range(3)
        ]
        watched = max(looks, key=lambda times: times.peak_memory_bytes or 0)
        assert watched.peak_memory_bytes is not None
        assert 4 * 2**20 < watched.peak_memory_bytes < 2**31
        assert len(watched.samples_ms) == self.samples(5)
        plain = bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=5)
        assert (plain.peak_memory_bytes is not None) is self.tells_memory

    def test_a_network_that_does_not_run_gives_no_outputs(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        with pytest.raises(NotDeployable):
            bench.runtime.infer(bench.link, bench.bad, some_images(1), folder=bench.folder)

    def test_outputs_are_the_networks(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        images = some_images()
        logits = bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)
        assert logits.shape == (3, CLASSES, SIDE, SIDE)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, self.expected(images), atol=self.tolerance)

    def test_images_that_the_phone_has_seen_are_not_pushed_again(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        images = np.random.default_rng(6).random((10, 3, SIDE, SIDE), dtype=np.float32)
        first = bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)
        bench.link.pushed.clear()
        again = bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)
        np.testing.assert_array_equal(again, first)
        assert [name.rsplit("/", 1)[-1] for name in bench.link.pushed] == [INPUT_LIST]

    def test_a_batch_leaves_nothing_behind(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        before = self._files(bench)
        bench.runtime.infer(bench.link, bench.good, some_images(2), folder=bench.folder)
        assert self._files(bench) == before

    def _files(self, bench: Bench) -> str:
        return bench.link.run(["find", bench.folder], timeout_s=10).stdout
