"""The runtime tabular: the promises of every runtime that tells times, and where its numbers come from."""

from pathlib import Path

import numpy as np
import pytest
from device_runtime_contract import Bench, DeviceTimingContract, RecordingLink, some_images

from device_agents.runtimes import InstalledNetwork, device_runtime
from device_agents.runtimes.tabular import TabularRuntime
from device_agents.table_measurer import NO_LINK
from paretofarm.errors import ConfigError
from paretofarm.runtimes import TabularMeasurement
from workers.toolchains import toolchain

LATENCY_MS = 12.5


def settings(noise: float) -> TabularMeasurement:
    return TabularMeasurement(
        runtime="tabular", table=Path("table.npz"), latency_ms={"virtual": {"column": "lat"}}, noise=noise
    )


def bench_with(noise: float) -> Bench:
    runtime = TabularRuntime(settings(noise), {"good": LATENCY_MS}, np.random.default_rng(0))
    good, bad = (InstalledNetwork(Path(), name) for name in ("good", "bad"))
    return Bench(runtime, RecordingLink(NO_LINK), good, bad, "")


class TestTabular(DeviceTimingContract):
    @pytest.fixture
    @classmethod
    def bench(cls) -> Bench:
        return bench_with(noise=0.02)

    def test_without_noise_every_inference_takes_what_the_table_says(self) -> None:
        bench = bench_with(noise=0.0)
        times = bench.runtime.time_block(bench.link, bench.good, folder="", inferences=4)
        assert times.samples_ms == (LATENCY_MS,) * 4

    def test_inferences_scatter_by_the_noise(self, bench: Bench) -> None:
        times = bench.runtime.time_block(bench.link, bench.good, folder="", inferences=2000)
        relative = np.log(np.array(times.samples_ms) / LATENCY_MS)
        assert relative.std() == pytest.approx(0.02, rel=0.1)
        assert relative.mean() == pytest.approx(0.0, abs=0.002)

    def test_it_has_no_outputs(self, bench: Bench) -> None:
        with pytest.raises(ConfigError, match="computes nothing"):
            bench.runtime.infer(bench.link, bench.good, some_images(1), folder="")


def test_neither_a_phone_nor_a_compiler_is_asked_for_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no use for a phone"):
        device_runtime(settings(0.0), {})
    with pytest.raises(ConfigError, match="no networks to compile"):
        toolchain(settings(0.0), {}, tmp_path)
