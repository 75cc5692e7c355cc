"""The runtime snpe with scripted stand-ins for Qualcomm's tools, on the virtual phone and on AOSP's own daemon.

The real SDK was never there: what is checked is who calls what with which arguments, environment and files.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from device_runtime_contract import CLASSES, SIDE, Bench, DeviceRuntimeContract, RecordingLink, installed, some_images
from fake_snpe import make_sdk, remove
from phone_processes import fetch_adbd, start_adbd, start_virtual_phone

from device_agents.link import open_link
from device_agents.runtimes import Images, InstalledNetwork, Logits, device_runtime
from device_agents.runtimes.snpe import SnpeRuntime
from device_agents.runtimes.snpe_sdk import SnpeSdk
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.packed_network import DESCRIPTION, NETWORK
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import SnpeMeasurement
from paretofarm.snpe_network import SnpeNetwork

SETTINGS = SnpeMeasurement(runtime="snpe", warmup_inferences=2)
NESTED_MS = {
    "Total Inference Time": 3.318,
    "Forward Propagate Time": 3.306,
    "RPC Execute Time": 2.618,
    "Snpe Accelerator Time": 2.518,
    "Accelerator Time": 2.318,
}


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sdk(tmp_path_factory.mktemp("snpe") / "sdk")


def compiled(folder: Path, name: str, **peculiarities: Any) -> Path:
    """A network as the toolchain leaves it."""
    dlc = {"stage": "prepared", "input": [1, SIDE, SIDE, 3], "classes": CLASSES, **peculiarities}
    about = SnpeNetwork(
        input_shape=(1, 3, SIDE, SIDE),
        output_shape=(1, CLASSES, SIDE, SIDE),
        soc="SM8550",
        arch=73,
        precision="int8",
        sdk="2.31.0",
    )
    with ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(NETWORK, json.dumps(dlc))
        archive.writestr(DESCRIPTION, about.to_json())
    return folder / f"{name}.zip"


def stopped(phone: Any, key: Path) -> Iterator[DeviceLink]:
    link = open_link(phone.address, key)
    yield link
    link.close()
    phone.stop()


class SnpeContract(DeviceRuntimeContract):
    """Needs `link` and `home`, a folder on the phone, once for all tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls, link: DeviceLink, sdk: Path, home: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
        runtime = SnpeRuntime(SETTINGS, SnpeSdk(sdk), home)
        scratch = tmp_path_factory.mktemp("networks")
        refused = compiled(scratch, "bad", say="error_code=1002; Could not create context from binary")
        bad = installed(link, runtime, refused, f"{home}/bad", scratch)
        good = installed(link, runtime, compiled(scratch, "good"), f"{home}/good", scratch)
        return Bench(runtime, RecordingLink(link), good, bad, f"{home}/jobs")

    @pytest.fixture
    def bench(self, prepared: Bench, tmp_path: Path) -> Bench:
        folder = f"{prepared.folder}/{tmp_path.name}"
        prepared.link.run(["mkdir", "-p", folder], timeout_s=10)
        return replace(prepared, link=RecordingLink(prepared.link.link), folder=folder)

    def samples(self, inferences: int) -> int:
        return 1 if inferences <= 50 else 2

    def expected(self, images: Images) -> Logits:
        return images.sum(axis=1, keepdims=True) * np.arange(1, CLASSES + 1, dtype=np.float32)[:, None, None]

    def test_the_program_gets_its_arguments_and_libraries(self, bench: Bench, sdk: Path) -> None:
        home = bench.folder
        bench = replace(bench, runtime=SnpeRuntime(SETTINGS, SnpeSdk(sdk), home))
        bench.runtime.prepare(bench.link)
        tools = bench.link.pushed[0].removesuffix("/bin/snpe-net-run")
        assert tools.startswith(f"{home}/tools/snpe/")
        assert {name.removeprefix(tools) for name in bench.link.pushed} == {
            "/bin/snpe-net-run",
            "/lib/libSNPE.so",
            "/lib/libSnpeHtpV68Stub.so",
            "/lib/libSnpeHtpV73Stub.so",
            "/dsp/libSnpeHtpV68Skel.so",
            "/dsp/libSnpeHtpV73Skel.so",
        }
        bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=5)
        argv, environment = next(command for command in bench.link.commands if command[0][0].endswith("snpe-net-run"))
        assert argv[:3] == (f"{tools}/bin/snpe-net-run", "--container", f"{bench.good.folder}/network.dlc")
        assert argv[-5:] == ("--use_dsp", "--perf_profile", "burst", "--profiling_level", "basic")
        assert environment == {
            "LD_LIBRARY_PATH": f"{tools}/lib:/vendor/lib64",
            "ADSP_LIBRARY_PATH": f"{tools}/dsp;/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp;/system/lib/rfsa/adsp;"
            "/system/vendor/lib/rfsa/adsp;/dsp",
        }


class TestVirtualPhone(SnpeContract):
    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        folder = tmp_path_factory.mktemp("phone")
        yield from stopped(start_virtual_phone(folder / "root"), folder / "adbkey")

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls) -> str:
        return "/data/local/tmp/home"

    @pytest.fixture
    def network(self, bench: Bench, tmp_path: Path) -> Callable[..., InstalledNetwork]:
        """Puts a network with a peculiarity on the phone."""

        def put(**peculiarities: Any) -> InstalledNetwork:
            local = compiled(tmp_path, "peculiar", **peculiarities)
            return installed(bench.link.link, bench.runtime, local, f"{bench.folder}/peculiar", tmp_path)

        return put

    def test_all_nested_times_are_kept(self, bench: Bench) -> None:
        bench.runtime.prepare(bench.link)
        times = bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=60)
        assert times.samples_ms == (3.318, 3.318)
        assert times.layers_ms == pytest.approx(NESTED_MS)
        assert times.load_ms == pytest.approx(158.658)

    def test_each_layer_is_kept_where_it_is_asked_for(self, bench: Bench, sdk: Path, home: str) -> None:
        settings = SETTINGS.model_copy(update={"profiling_level": "detailed"})
        runtime = SnpeRuntime(settings, SnpeSdk(sdk), home)
        times = runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=5)
        assert times.layers_ms["layer 1: stem:OpId_18"] == pytest.approx(0.101)
        assert settings.protocol_key != SETTINGS.protocol_key

    @pytest.mark.parametrize("missing", [2, 3])
    def test_a_log_that_is_missing_once_is_measured_again(
        self, bench: Bench, network: Callable[..., InstalledNetwork], tmp_path: Path, missing: int
    ) -> None:
        """The first is the warm-up's, which nobody reads."""
        forgetful = network()
        (tmp_path / "logs_missing").write_text(str(missing))
        bench.link.push(tmp_path / "logs_missing", f"{forgetful.folder}/logs_missing")
        if missing == 2:
            times = bench.runtime.time_block(bench.link, forgetful, folder=bench.folder, inferences=5)
            assert times.samples_ms == (3.318,)
        else:
            with pytest.raises(RunnerFailed, match=r"left no SNPEDiag_0\.log, 2 times"):
                bench.runtime.time_block(bench.link, forgetful, folder=bench.folder, inferences=5)

    def test_outputs_of_another_size_are_the_networks_fault(
        self, bench: Bench, network: Callable[..., InstalledNetwork]
    ) -> None:
        with pytest.raises(NotDeployable, match=r"gave outputs of \[8192\] bytes, not one of 16384 each"):
            bench.runtime.time_block(bench.link, network(cut=2), folder=bench.folder, inferences=5)

    def test_a_dsp_that_is_away_and_a_killed_runner_are_not_the_networks_fault(
        self, bench: Bench, network: Callable[..., InstalledNetwork]
    ) -> None:
        away = network(say="Failed to load skel, error: 4000\nTransport layer setup failed: 14001")
        with pytest.raises(RunnerFailed, match="14001"):
            bench.runtime.time_block(bench.link, away, folder=bench.folder, inferences=5)
        with pytest.raises(RunnerFailed, match="exit code 137"):
            bench.runtime.infer(bench.link, network(signal="SIGKILL"), some_images(1), folder=bench.folder)

    def test_a_refusal_says_why(self, bench: Bench) -> None:
        with pytest.raises(NotDeployable, match="Could not create context from binary"):
            bench.runtime.time_block(bench.link, bench.bad, folder=bench.folder, inferences=5)

    def test_images_of_another_size_are_refused_before_anything_is_sent(self, bench: Bench) -> None:
        images = np.zeros((1, 3, SIDE, 2 * SIDE), np.float32)
        with pytest.raises(NotDeployable, match=r"takes images \(3, 32, 32\), not \(3, 32, 64\)"):
            bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)


class TestAospDaemon(SnpeContract):
    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        folder = tmp_path_factory.mktemp("phone")
        yield from stopped(start_adbd(fetch_adbd(), folder), folder / "adbkey")

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return str(tmp_path_factory.mktemp("home"))


def test_a_phone_that_names_its_chip_gets_that_chips_libraries(sdk: Path) -> None:
    files = SnpeSdk(sdk).toolset({"ro.soc.model": "SM8550"}).files
    assert "dsp/libSnpeHtpV73Skel.so" in files
    assert not any("V68" in place for place in files)
    lahaina = SnpeSdk(sdk).toolset({"ro.board.platform": "lahaina"}).files
    assert "lib/libSnpeHtpV68Stub.so" in lahaina


def test_a_chip_that_the_sdk_does_not_know_is_named(sdk: Path) -> None:
    with pytest.raises(ConfigError, match="no libraries for V79, the Hexagon of SM8750"):
        SnpeSdk(sdk).toolset({"ro.soc.model": "SM8750"})


def test_what_is_missing_of_the_sdk_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SNPE_ROOT names its folder"):
        device_runtime(SETTINGS, {})
    root = make_sdk(tmp_path / "sdk")
    assert isinstance(device_runtime(SETTINGS, {"SNPE_ROOT": str(root)}), SnpeRuntime)
    remove(root, "bin/x86_64-linux-clang/snpe-diagview", "lib/hexagon-v68", "lib/hexagon-v73")
    with pytest.raises(ConfigError, match=r"has no bin/x86_64-linux-clang/snpe-diagview, .*Skel\.so"):
        device_runtime(SETTINGS, {"SNPE_ROOT": str(root)})


def test_an_older_sdks_folders_are_found(tmp_path: Path) -> None:
    root = make_sdk(tmp_path / "sdk")
    for kind in ("bin", "lib"):
        (root / kind / "aarch64-android").rename(root / kind / "aarch64-android-clang8.0")
    assert SnpeSdk.find({"SNPE_ROOT": str(root)}).archs() == [68, 73]


def test_a_network_of_another_runtime_is_said_to_be_one(sdk: Path, tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_bytes(b"an onnx network")
    with pytest.raises(ConfigError, match=r"network\.onnx is no packed network"):
        SnpeRuntime(SETTINGS, SnpeSdk(sdk)).files(tmp_path / "network.onnx", tmp_path)
