"""The runtime onnxruntime on the virtual phone: times as before, and outputs that are those of onnxruntime here."""

import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_runtime_contract import CLASSES, SIDE, Bench, DeviceRuntimeContract, RecordingLink, installed, some_images
from phone_processes import start_virtual_phone
from torch import nn

from device_agents.link import open_link
from device_agents.runtimes import Images, Logits, device_runtime
from device_agents.runtimes.onnxruntime import OnnxRuntime
from paretofarm.errors import ConfigError, NotDeployable, PhoneOffline
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import OnnxRuntimeMeasurement
from workers.export import export_onnx, run_onnx
from workers.toolchains import toolchain

SETTINGS = OnnxRuntimeMeasurement(runtime="onnxruntime", warmup_inferences=2)


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    layers = (nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, CLASSES, 1))
    export_onnx(nn.Sequential(*layers), (1, 3, SIDE, SIDE), folder / "float.onnx")
    images = [image[None] for image in some_images(8)]
    return toolchain(SETTINGS, {}, folder).compile(folder / "float.onnx", images, "virtual", folder / "int8.onnx").path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("phone") / "it's a root"


@pytest.fixture(scope="module")
def link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
    phone = start_virtual_phone(root)
    link = open_link(phone.address, tmp_path_factory.mktemp("key") / "adbkey")
    yield link
    link.close()
    phone.stop()


class TestVirtualPhone(DeviceRuntimeContract):
    tells_memory = True

    @pytest.fixture
    @classmethod
    def bench(cls, link: DeviceLink, int8: Path, tmp_path: Path) -> Bench:
        runtime = device_runtime(SETTINGS, {})
        (tmp_path / "bad.onnx").write_bytes(b"not a network")
        home = f"/data/local/tmp/{tmp_path.name}"
        link.run(["mkdir", "-p", f"{home}/job"], timeout_s=10)
        good = installed(link, runtime, int8, f"{home}/good", tmp_path)
        bad = installed(link, runtime, tmp_path / "bad.onnx", f"{home}/bad", tmp_path)
        return Bench(runtime, RecordingLink(link), good, bad, f"{home}/job")

    @pytest.fixture(autouse=True)
    def _network(self, int8: Path) -> None:
        self.int8 = int8

    def expected(self, images: Images) -> Logits:
        return np.concatenate([run_onnx(self.int8, image[None]) for image in images])

    def test_the_same_bytes_come_out_twice(self, bench: Bench) -> None:
        first, second = (
            bench.runtime.infer(bench.link, bench.good, some_images(), folder=bench.folder) for _ in range(2)
        )
        assert first.tobytes() == second.tobytes()

    def test_a_program_of_the_users_is_pushed_once(self, bench: Bench, root: Path, tmp_path: Path) -> None:
        program = tmp_path / "my_runner"
        program.write_text((root / "system/bin/onnxruntime_run").read_text())
        runtime = OnnxRuntime(SETTINGS, runner=program)
        for _ in range(2):
            runtime.infer(bench.link, bench.good, some_images(1), folder=bench.folder)
        pushed = [name for name in bench.link.pushed if name.endswith("/onnxruntime_run")]
        assert len(pushed) == 1
        program.write_text("#!/bin/sh\nexit 137\n")
        with pytest.raises(PhoneOffline, match="onnxruntime_run was killed"):
            runtime.infer(bench.link, bench.good, some_images(1), folder=bench.folder)

    def test_a_program_that_is_no_file_is_named(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="absent is not a file"):
            OnnxRuntime(SETTINGS, runner=tmp_path / "absent").infer(
                bench.link, bench.good, some_images(1), folder=bench.folder
            )

    def test_a_phone_without_the_program_says_how_to_get_it(self, bench: Bench, root: Path) -> None:
        program = root / "system/bin/onnxruntime_run"
        program.chmod(program.stat().st_mode & ~(stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
        try:
            with pytest.raises(ConfigError, match="PARETOFARM_ONNXRUNTIME_RUN"):
                bench.runtime.infer(bench.link, bench.good, some_images(1), folder=bench.folder)
        finally:
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def test_images_of_another_size_are_the_networks_limit(self, bench: Bench) -> None:
        images = np.zeros((1, 3, SIDE, 2 * SIDE), np.float32)
        with pytest.raises(NotDeployable, match="image takes 1x3x32x32"):
            bench.runtime.infer(bench.link, bench.good, images, folder=bench.folder)


@pytest.mark.parametrize(
    ("words", "files", "complaint"),
    [
        (["--model", "m.onnx", "--input_list", "absent", "--output_dir", "o"], {}, "input list absent: No such file"),
        (["--model", "absent", "--input_list", "l", "--output_dir", "o"], {"l": "a"}, "Load model from absent failed"),
        (["--model", "m.onnx", "--input_list", "l", "--output_dir", "o"], {"l": "a"}, "input a: No such file"),
        (["--model", "m.onnx", "--input_list", "l", "--output_dir", "o"], {"l": "y:=a"}, "the network's inputs are im"),
        (["--model", "m.onnx", "--input_list", "l", "--output_dir", "o"], {"l": "a b"}, "a line names 2: a b"),
        (["--model", "m.onnx", "--input_list", "l"], {}, "the following arguments are required: --output_dir"),
    ],
)
def test_the_program_refuses_in_one_line(
    link: DeviceLink, int8: Path, tmp_path: Path, words: list[str], files: dict[str, str], complaint: str
) -> None:
    folder = f"/data/local/tmp/{tmp_path.name}"
    link.push(int8, f"{folder}/m.onnx")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        link.push(tmp_path / name, f"{folder}/{name}")
    result = link.run(["onnxruntime_run", *words], timeout_s=30, directory=folder)
    assert result.exit_code == 255
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_named_inputs_and_comments_are_read(link: DeviceLink, int8: Path, tmp_path: Path) -> None:
    folder = f"/data/local/tmp/{tmp_path.name}"
    link.push(int8, f"{folder}/m.onnx")
    some_images(1).tofile(tmp_path / "a.raw")
    (tmp_path / "list").write_text("# what follows\n\nimage:=a.raw\n")
    for name in ("a.raw", "list"):
        link.push(tmp_path / name, f"{folder}/{name}")
    words = ["--model", "m.onnx", "--input_list", "list", "--output_dir", "out", "--threads", "2"]
    result = link.run(["onnxruntime_run", *words], timeout_s=30, directory=folder)
    assert (result.exit_code, result.stdout) == (0, "Finished 1 inferences\n")
    assert len(link.pull(f"{folder}/out/Result_0/logits.raw")) == CLASSES * SIDE * SIDE * 4
