"""The runtime qnn on the virtual phone and on AOSP's daemon, with scripted stand-ins for Qualcomm's programs."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import fake_qnn
import numpy as np
import pytest
from device_runtime_contract import CLASSES, SIDE, Bench, DeviceRuntimeContract, RecordingLink, installed, some_images
from phone_processes import fetch_adbd, start_adbd, start_virtual_phone

from device_agents.link import open_link
from device_agents.runtimes import Images, InstalledNetwork, Logits, device_runtime
from device_agents.runtimes.dsp_sdk import QnnSdk
from device_agents.runtimes.qnn import QnnRuntime
from paretofarm.errors import ConfigError, NotDeployable, ParetofarmError, PhoneOffline, RunnerFailed
from paretofarm.ports import DeviceLink
from paretofarm.qnn_network import QnnInterface, QnnTensor
from paretofarm.runtimes import QnnMeasurement

SETTINGS = QnnMeasurement(runtime="qnn", warmup_inferences=7)
IMAGE = QnnTensor(name="image", shape=(1, SIDE, SIDE, 3), dtype="uint8", scale=1 / 255, offset=0)
LOGITS = QnnTensor(name="logits", shape=(1, SIDE, SIDE, CLASSES), dtype="uint8", scale=0.5, offset=-10)


def package(path: Path, context: bytes, qnn_version: str = "2.51.0", general: bytes | None = None) -> Path:
    """general: the context for all chips of the architecture."""
    interface = QnnInterface(
        input=IMAGE, output=LOGITS, soc="SM8550", arch=73, stamped=True, precision="int8", qnn_version=qnn_version
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("context.bin", context)
        if general is not None:
            archive.writestr("context-arch.bin", general)
        archive.writestr("interface.json", interface.to_json())
    return path


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> QnnSdk:
    root = fake_qnn.make_sdk(tmp_path_factory.mktemp("sdk") / "it's an sdk")
    return QnnSdk.find({"PARETOFARM_QNN_SDK": str(root)})


class QnnRuntimeContract(DeviceRuntimeContract):
    """home: a folder that may be written on the phone."""

    home: str

    @pytest.fixture
    @classmethod
    def bench(cls, link: DeviceLink, home: str, sdk: QnnSdk, tmp_path: Path) -> Bench:
        runtime = QnnRuntime(SETTINGS, sdk, home)
        mine = f"{home}/{tmp_path.name}"
        link.run(["mkdir", "-p", f"{mine}/job"], timeout_s=10)
        scratch = tmp_path / "good"
        scratch.mkdir()
        good = package(tmp_path / "good.zip", fake_qnn.stand_in(SIDE, CLASSES))
        bad = package(tmp_path / "bad.zip", b"not a context")
        return Bench(
            runtime,
            RecordingLink(link),
            installed(link, runtime, good, f"{mine}/good", scratch),
            installed(link, runtime, bad, f"{mine}/bad", scratch),
            f"{mine}/job",
        )

    def samples(self, inferences: int) -> int:
        return 1

    def expected(self, images: Images) -> Logits:
        levels = np.rint(images[:, 0] * 255)[:, None] + np.arange(CLASSES).reshape(1, -1, 1, 1)
        return ((levels.clip(0, 255) - 10) * 0.5).astype(np.float32)

    def test_all_four_nested_times_are_kept(self, bench: Bench) -> None:
        times = bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=30)
        assert times.samples_ms == (3.1,)
        assert times.load_ms == 87.5
        assert times.layers_ms == {
            "NetRun": 3.1,
            "Backend (RPC (execute) time)": 2.9,
            "Backend (QNN accelerator (execute) time)": 2.6,
            "Backend (Accelerator (execute) time)": 2.4,
        }

    def test_a_warm_up_goes_before_the_timed_run(self, bench: Bench) -> None:
        bench.link.commands.clear()
        bench.runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=30)
        runs = [argv for argv, _ in bench.link.commands if argv[0].endswith("/qnn-net-run")]
        counts = [argv[argv.index("--num_inferences") + 1] for argv in runs]
        assert counts == ["7", "30"]
        assert ["--profiling_level" in argv for argv in runs] == [False, True]
        assert all(argv[argv.index("--perf_profile") + 1] == "burst" for argv in runs)

    def test_a_phone_that_refuses_a_context_for_its_soc_gets_the_one_for_its_architecture(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        refused, fine = fake_qnn.stand_in(SIDE, CLASSES, "refused"), fake_qnn.stand_in(SIDE, CLASSES)
        network = self.installed(bench, package(tmp_path / "stamped.zip", refused, general=fine))
        times = bench.runtime.time_block(bench.link, network, folder=bench.folder, inferences=30)
        assert (times.samples_ms, times.form) == ((3.1,), "arch")
        assert [name.rsplit("/", 1)[-1][:13] for name in bench.link.pushed] == ["context-arch-"]
        logits = bench.runtime.infer(bench.link, network, some_images(), folder=bench.folder)
        np.testing.assert_allclose(logits, self.expected(some_images()), atol=self.tolerance)

    def test_what_a_phone_has_refused_is_not_tried_again_before_its_system_is_another(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        refused, fine = fake_qnn.stand_in(SIDE, CLASSES, "refused"), fake_qnn.stand_in(SIDE, CLASSES)
        network = self.installed(bench, package(tmp_path / "stamped.zip", refused, general=fine))

        def contexts(link: RecordingLink) -> list[str]:
            link.commands.clear()
            bench.runtime.time_block(link, network, folder=bench.folder, inferences=30)
            runs = [argv for argv, _ in link.commands if argv[0].endswith("/qnn-net-run")]
            return [argv[argv.index("--retrieve_context") + 1].rsplit("/", 1)[-1][:12] for argv in runs]

        assert contexts(bench.link) == ["context.bin", "context-arch", "context-arch"]
        assert contexts(bench.link) == ["context-arch", "context-arch"]
        assert contexts(UpdatedPhone(bench.link.link)) == ["context.bin", "context-arch", "context-arch"]

    def test_a_network_whose_contexts_are_both_refused_is_not_deployable(self, bench: Bench, tmp_path: Path) -> None:
        refused = fake_qnn.stand_in(SIDE, CLASSES, "refused")
        network = self.installed(bench, package(tmp_path / "stamped.zip", refused, general=refused))
        with pytest.raises(NotDeployable, match="err 1002") as caught:
            bench.runtime.time_block(bench.link, network, folder=bench.folder, inferences=5)
        assert "target: arch" not in str(caught.value)

    @pytest.mark.parametrize("fault", ["dsp", "odd", "killed"])
    def test_another_context_is_no_answer_to_other_trouble(self, bench: Bench, tmp_path: Path, fault: str) -> None:
        broken, fine = fake_qnn.stand_in(SIDE, CLASSES, fault), fake_qnn.stand_in(SIDE, CLASSES)
        network = self.installed(bench, package(tmp_path / "stamped.zip", broken, general=fine))
        with pytest.raises(RunnerFailed):
            bench.runtime.time_block(bench.link, network, folder=bench.folder, inferences=5)
        assert bench.link.pushed == []

    def installed(self, bench: Bench, local: Path) -> InstalledNetwork:
        scratch = local.with_suffix("")
        scratch.mkdir()
        network = installed(bench.link.link, bench.runtime, local, f"{bench.folder}/{local.stem}", scratch)
        bench.runtime.prepare(bench.link)
        bench.link.pushed.clear()
        return network


class UpdatedPhone(RecordingLink):
    """The same one with another build of Android."""

    def properties(self) -> dict[str, str]:
        return {**self.link.properties(), "ro.build.fingerprint": "another/build"}


class TestVirtualPhone(QnnRuntimeContract):
    @pytest.fixture(scope="class")
    @classmethod
    def home(cls) -> str:
        return "/data/local/tmp/paretofarm"

    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        phone = start_virtual_phone(tmp_path_factory.mktemp("phone") / "it's a root")
        link = open_link(phone.address, tmp_path_factory.mktemp("key") / "adbkey")
        yield link
        link.close()
        phone.stop()

    @pytest.mark.parametrize(
        ("fault", "error", "words"),
        [
            ("refused", NotDeployable, r"err 1002.*set measurement.target: arch"),
            ("short", NotDeployable, "Result_0/logits_native.raw has 4095 bytes, the network's output 4096"),
            ("dsp", RunnerFailed, "openSession qnn_open failed"),
            ("odd", RunnerFailed, "something that nobody has seen before"),
            ("quiet", RunnerFailed, r"qnn-net-run on .* \(exit code 0\): qnn-net-run pid:1"),
            ("killed", RunnerFailed, r"killed: .*exit code 137"),
            ("no-output", PhoneOffline, "0 of 1 in"),
            ("no-profile", RunnerFailed, "left no profile"),
        ],
    )
    def test_whatever_goes_wrong_is_told_apart(
        self, bench: Bench, tmp_path: Path, fault: str, error: type[ParetofarmError], words: str
    ) -> None:
        """The last words of a runner reach whoever decides between candidate and phone."""
        local = package(tmp_path / "faulty.zip", fake_qnn.stand_in(SIDE, CLASSES, fault))
        network = installed(bench.link, bench.runtime, local, f"{bench.folder}/faulty", tmp_path)  # type: ignore[arg-type]
        with pytest.raises(error, match=words) as caught:
            bench.runtime.time_block(bench.link, network, folder=bench.folder, inferences=5)
        assert type(caught.value) is error

    def test_images_of_another_size_are_refused(self, bench: Bench) -> None:
        images = np.zeros((1, 3, SIDE, 2 * SIDE), np.float32)
        with pytest.raises(ConfigError, match=r"image takes images \(3, 32, 32\)"):
            bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)

    def test_an_sdk_that_is_older_than_the_compiler_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        local = package(tmp_path / "newer.zip", b"", qnn_version="2.60.1")
        with pytest.raises(ConfigError, match=r"compiled by QNN 2.60.1, which the older 2.51.0.260929 .* does not run"):
            bench.runtime.files(local, tmp_path)

    def test_another_runtimes_network_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "network.onnx").write_bytes(b"onnx")
        with pytest.raises(ConfigError, match=r"network.onnx was not compiled for the runtime qnn"):
            bench.runtime.files(tmp_path / "network.onnx", tmp_path)


class TestAospDaemon(QnnRuntimeContract):
    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return str(tmp_path_factory.mktemp("phone") / "paretofarm")

    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        phone = start_adbd(fetch_adbd(), tmp_path_factory.mktemp("phone"))
        link = open_link(phone.address, tmp_path_factory.mktemp("key") / "adbkey")
        yield link
        link.close()
        phone.stop()


def test_only_the_libraries_of_the_phones_chip_are_pushed(sdk: QnnSdk) -> None:
    files = sdk.toolset({"ro.soc.model": "SM8350", "ro.board.platform": "lahaina"}).files
    assert {name for name in files if "V" in name} == {"lib/libQnnHtpV68Stub.so", "dsp/libQnnHtpV68Skel.so"}
    assert sdk.toolset({"ro.board.platform": "lahaina"}).files == files
    assert {name for name in sdk.toolset({}).files if name.startswith("dsp/")} == {
        "dsp/libQnnHtpV68Skel.so",
        "dsp/libQnnHtpV73Skel.so",
    }


def test_an_sdk_without_the_phones_libraries_says_so(sdk: QnnSdk) -> None:
    with pytest.raises(ConfigError, match=r"has no libraries for V81, the Hexagon of SM8850"):
        sdk.toolset({"ro.soc.model": "SM8850"})


def test_no_sdk_names_the_setting() -> None:
    with pytest.raises(ConfigError, match=r"PARETOFARM_QNN_SDK names its folder"):
        device_runtime(SETTINGS, {})


def test_what_an_sdk_lacks_is_listed(tmp_path: Path) -> None:
    root = fake_qnn.make_sdk(tmp_path / "sdk")
    (root / "bin/aarch64-android/qnn-net-run").unlink()
    for skel in root.glob("lib/hexagon-*/unsigned/*"):
        skel.unlink()
    with pytest.raises(ConfigError, match=r"QNN_SDK_ROOT: .*sdk has no bin/aarch64-android/qnn-net-run, lib/aarch64-a"):
        QnnSdk.find({"QNN_SDK_ROOT": str(root)})


def test_a_profile_reader_that_does_not_start_is_told(tmp_path: Path) -> None:
    root = fake_qnn.make_sdk(tmp_path / "sdk")
    (root / "bin/x86_64-linux-clang/qnn-profile-viewer").write_text("#!/absent/interpreter\n")
    with pytest.raises(ConfigError, match=r"qnn-profile-viewer does not run"):
        QnnSdk.find({"QNN_SDK_ROOT": str(root)}).check_reader()
