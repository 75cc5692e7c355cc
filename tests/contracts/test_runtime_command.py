"""The runtime command with a scripted runner, on the virtual phone and on AOSP's own daemon."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from device_runtime_contract import CLASSES, SIDE, Bench, DeviceRuntimeContract, RecordingLink, installed, some_images
from phone_processes import fetch_adbd, start_adbd, start_virtual_phone
from torch import nn

from device_agents.link import open_link
from device_agents.runtimes import Images, Logits, device_runtime
from device_agents.runtimes.command import CommandRuntime
from paretofarm.commands import Command, parse_commands
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.packed_network import DESCRIPTION, NETWORK, PackedNetwork
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import CommandMeasurement
from workers.export import export_onnx, run_onnx
from workers.toolchains import toolchain

EXAMPLE = Path(__file__).parents[2] / "examples/commands/commands.yaml"
SETTINGS = CommandMeasurement(runtime="command", command="mine", warmup_inferences=2)
RUNNER = f"""#!{sys.executable}
import os, sys
from array import array
verb, network, *words = sys.argv[1:]
said = open(network).read()
if said.startswith("exit "):
    print("cannot load the network", file=sys.stderr)
    sys.exit(int(said.split()[1]))
def computed(file):
    image = array("f", open(file, "rb").read())
    size = len(image) // 3
    sums = [image[at] + image[at + size] + image[at + 2 * size] for at in range(size)]
    return array("f", (total * (c + 1) for c in range(int(said)) for total in sums)).tobytes()
if verb == "time":
    inferences, warmup, threads, form = int(words[0]), int(words[1]), words[2], words[3]
    print("threads", threads, "mark", os.environ["MARK"])
    if form == "json":
        open("times.json", "w").write('{{"runs": %s}}' % [1500 + i for i in range(inferences)])
    elif form == "csv":
        open("times.csv", "w").write("run,ms\\n" + "".join("%d,%.1f\\n" % (i, 1.5) for i in range(warmup + inferences)))
    else:
        for i in range(inferences):
            print("run %d: 1.5 ms" % i)
    print("done", *(open(file).read().split() for file in words[4:]))
elif verb == "list":
    for number, name in enumerate(open(words[0]).read().split()):
        open("out_%d.raw" % number, "wb").write(computed(name))
elif verb == "one":
    open(words[1], "wb").write(computed(words[0]))
"""
TIMES: Mapping[str, Mapping[str, Any]] = {
    "print": {"latency": {"regex": r"^run \d+: (?P<time>[\d.]+) ms", "unit": "ms"}},
    "csv": {"reads": "times.csv", "latency": {"csv_column": "ms", "unit": "ms", "includes_warmup": True}},
    "json": {"reads": "times.json", "latency": {"json_path": "runs", "unit": "us"}},
}


def command(runner: Path, form: str = "print", **changes: Any) -> Command:
    time = {
        "argv": ["{tools}/bin/runner", "time", "{network}", "{inferences}", "{warmup}", "{threads}", form],
        "environment": {"MARK": "a word; $(id)"},
        **TIMES[form],
    }
    document = {
        "network": "network.txt",
        "files": {"bin/runner": str(runner)},
        "time": time,
        "infer": {"argv": ["{tools}/bin/runner", "list", "{network}", "{inputs}"], "outputs": "out_{i}.raw"},
        **changes,
    }
    return parse_commands({"commands": {"mine": document}}, "commands.yaml")["mine"]


def compiled(folder: Path, name: str, content: str) -> Path:
    shapes = PackedNetwork(input_shape=(1, 3, SIDE, SIDE), output_shape=(1, CLASSES, SIDE, SIDE))
    with ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(NETWORK, content)
        archive.writestr(DESCRIPTION, shapes.to_json())
    return folder / f"{name}.zip"


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("mine") / "my_runner"
    program.write_text(RUNNER)
    return program


def stopped(phone: Any, key: Path) -> Iterator[DeviceLink]:
    link = open_link(phone.address, key)
    yield link
    link.close()
    phone.stop()


class CommandContract(DeviceRuntimeContract):
    """Needs `link` and `home`, a folder on the phone, once for all tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls, link: DeviceLink, runner: Path, home: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
        runtime = CommandRuntime(SETTINGS, command(runner), home)
        scratch = tmp_path_factory.mktemp("networks")
        bad = installed(link, runtime, compiled(scratch, "bad", "exit 3"), f"{home}/bad", scratch)
        good = installed(link, runtime, compiled(scratch, "good", str(CLASSES)), f"{home}/good", scratch)
        return Bench(runtime, RecordingLink(link), good, bad, f"{home}/jobs")

    @pytest.fixture
    def bench(self, prepared: Bench, tmp_path: Path) -> Bench:
        folder = f"{prepared.folder}/{tmp_path.name}"
        prepared.link.run(["mkdir", "-p", folder], timeout_s=10)
        return replace(prepared, link=RecordingLink(prepared.link.link), folder=folder)

    def expected(self, images: Images) -> Logits:
        return images.sum(axis=1, keepdims=True) * np.arange(1, CLASSES + 1, dtype=np.float32)[:, None, None]

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_times_come_from_a_file_too(self, bench: Bench, runner: Path, home: str, form: str) -> None:
        runtime = CommandRuntime(SETTINGS, command(runner, form), home)
        times = runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=4)
        assert len(times.samples_ms) == 4
        assert times.samples_ms[0] == pytest.approx(1.5)


class TestVirtualPhone(CommandContract):
    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        folder = tmp_path_factory.mktemp("phone")
        yield from stopped(start_virtual_phone(folder / "root"), folder / "adbkey")

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls) -> str:
        return "/data/local/tmp/home"

    def time(self, bench: Bench, changed: Command, home: str) -> tuple[float, ...]:
        runtime = CommandRuntime(SETTINGS, changed, home)
        return runtime.time_block(bench.link, bench.good, folder=bench.folder, inferences=3).samples_ms

    def test_words_and_variables_arrive_as_they_are(self, bench: Bench, runner: Path, home: str) -> None:
        wanted = {"expect": r"^threads 1 mark a word; \$\(id\)$", **TIMES["print"]}
        argv = ["{tools}/bin/runner", "time", "{network}", "{inferences}", "0", "{threads}", "print"]
        time = {"argv": argv, "environment": {"MARK": "a word; $(id)"}, **wanted}
        assert self.time(bench, command(runner, time=time), home) == (1.5, 1.5, 1.5)
        argvs = [words for words, _ in bench.link.commands if words[0].endswith("/bin/runner")]
        assert argvs[0][1:] == ("time", f"{bench.good.folder}/network.txt", "3", "0", "1", "print")
        missed = {**time, "expect": "all is well"}
        with pytest.raises(RunnerFailed, match="mine does not say 'all is well': threads 1"):
            self.time(bench, command(runner, time=missed), home)

    def test_an_input_is_made_up_for_a_runner_that_needs_one(self, bench: Bench, runner: Path, home: str) -> None:
        argv = ["{tools}/bin/runner", "time", "{network}", "{inferences}", "0", "1", "print", "{inputs}"]
        wanted = {"expect": r"^done \['inputs/0/0\.raw'\]", **TIMES["print"]}
        assert self.time(bench, command(runner, time={"argv": argv, "environment": {"MARK": ""}, **wanted}), home)

    def test_images_go_one_at_a_time_where_the_runner_takes_one(self, bench: Bench, runner: Path, home: str) -> None:
        argv = ["{tools}/bin/runner", "one", "{network}", "{input}", "result_{i}.raw"]
        runtime = CommandRuntime(SETTINGS, command(runner, infer={"argv": argv, "outputs": "result_{i}.raw"}), home)
        logits = runtime.infer(bench.link, bench.good, some_images(), folder=bench.folder)
        np.testing.assert_allclose(logits, self.expected(some_images()), atol=1e-5)

    def test_a_command_without_outputs_says_so(self, bench: Bench, runner: Path, home: str) -> None:
        runtime = CommandRuntime(SETTINGS, command(runner, infer=None), home)
        with pytest.raises(ConfigError, match="the command mine has no `infer:`"):
            runtime.infer(bench.link, bench.good, some_images(1), folder=bench.folder)

    def test_another_build_of_the_program_is_pushed_in_place_of_the_old(
        self, bench: Bench, runner: Path, tmp_path: Path, home: str
    ) -> None:
        versions = []
        for text in ("one", "two"):
            (tmp_path / "program").write_text(f"#!/bin/sh\necho {text}\n")
            versions.append(CommandRuntime(SETTINGS, command(tmp_path / "program"), f"{home}/own").prepare(bench.link))
        assert versions[0] != versions[1]
        assert len(bench.link.run(["ls", f"{home}/own/tools/command-mine"], timeout_s=5).stdout.split()) == 1

    @pytest.mark.parametrize(
        ("argv", "kind", "reason"),
        [
            (["no-such-program"], ConfigError, "no-such-program cannot be started"),
            (["sh", "-c", "kill -9 $$"], RunnerFailed, r"mine was killed \(exit code 137\)"),
            (["sh", "-c", "echo nothing"], RunnerFailed, "no time in the runner's output: nothing"),
            (["sh", "-c", "echo no such op >&2; exit 1"], NotDeployable, r"\(exit code 1\): no such op"),
        ],
    )
    def test_whose_fault_it_is(
        self, bench: Bench, runner: Path, home: str, argv: list[str], kind: type[Exception], reason: str
    ) -> None:
        time = {"argv": argv, **TIMES["print"]}
        with pytest.raises(kind, match=reason):
            self.time(bench, command(runner, time=time), home)


class TestTheExample:
    """The command `onnxruntime` of examples/commands, from a worker's compilation to outputs on a virtual phone."""

    def test_it_times_and_runs_what_a_worker_made(self, tmp_path: Path) -> None:
        export_onnx(nn.Conv2d(3, CLASSES, 3, padding=1), (1, 3, SIDE, SIDE), tmp_path / "float.onnx")
        settings = CommandMeasurement(runtime="command", command="onnxruntime", warmup_inferences=2)
        environment = {"PARETOFARM_COMMANDS": str(EXAMPLE)}
        images = [image[None] for image in some_images(4)]
        compiler = toolchain(settings, environment, tmp_path / "cache")
        made = compiler.compile(tmp_path / "float.onnx", images, "virtual", tmp_path / "packed")
        assert made.reference is not None
        for link in stopped(start_virtual_phone(tmp_path / "root"), tmp_path / "adbkey"):
            runtime = device_runtime(settings, environment)
            assert runtime.prepare(link).startswith("onnxruntime ")
            reference = installed(link, runtime, made.reference, "/data/local/tmp/reference", tmp_path)
            network = installed(link, runtime, made.path, "/data/local/tmp/network", tmp_path)
            for one in (reference, network):
                times = runtime.time_block(link, one, folder="/data/local/tmp/job", inferences=10)
                assert len(times.samples_ms) == 10
            logits = runtime.infer(link, network, some_images(), folder="/data/local/tmp/job")
            expected = np.concatenate([run_onnx(tmp_path / "network.onnx", image[None]) for image in some_images()])
            np.testing.assert_allclose(logits, expected, atol=1e-5)


class TestAospDaemon(CommandContract):
    @pytest.fixture(scope="class")
    @classmethod
    def link(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
        folder = tmp_path_factory.mktemp("phone")
        yield from stopped(start_adbd(fetch_adbd(), folder), folder / "adbkey")

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return str(tmp_path_factory.mktemp("home"))


def test_only_the_operators_file_says_what_is_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PARETOFARM_COMMANDS names it"):
        device_runtime(SETTINGS, {})
    file = tmp_path / "commands.yaml"
    environment = {"PARETOFARM_COMMANDS": str(file)}
    with pytest.raises(ConfigError, match=r"commands\.yaml: No such file or directory"):
        device_runtime(SETTINGS, environment)
    file.write_text("commands: {")
    with pytest.raises(ConfigError, match=r"commands\.yaml: not YAML: "):
        device_runtime(SETTINGS, environment)
    file.write_text("commands: {}")
    with pytest.raises(ConfigError, match=r"commands\.yaml has no command 'mine'; it has none"):
        device_runtime(SETTINGS, environment)
    file.chmod(0o646)
    with pytest.raises(ConfigError, match=r"everybody may write it: chmod o-w .*commands\.yaml"):
        device_runtime(SETTINGS, environment)
