"""ONNX networks on the phone's CPU, timed by onnxruntime's own `onnxruntime_perf_test`.

The virtual phone carries the program. For a handset, build it with onnxruntime's Android instructions
(`--android --android_abi arm64-v8a`) and name the file in PARETOFARM_ONNXRUNTIME_PERF_TEST: the agent pushes it once.
It does not hand out what it computes. For that there is `onnxruntime_run` (its interface: docs/runtimes.md), which the
virtual phone carries too; for a handset PARETOFARM_ONNXRUNTIME_RUN names an Android build of it.
"""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from uuid import uuid4

from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import batch_folder, pull_logits, push_images
from device_agents.runtimes.toolset import Toolset
from device_agents.runtimes.watched_run import watched_run
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import OnnxRuntimeMeasurement

PROGRAM = "onnxruntime_perf_test"
NETWORK = "network.onnx"
RUNNER = "onnxruntime_run"
BLOCK_TIMEOUT_S = 600.0
INFER_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class OnnxRuntime:
    """Runs `onnxruntime_perf_test`. `program`: the local file of an Android build, None to use the phone's own.

    runner: the same for `onnxruntime_run`. block_timeout_s: after which a block of inferences is taken to hang.
    """

    settings: OnnxRuntimeMeasurement
    program: Path | None = None
    runner: Path | None = None
    block_timeout_s: float = BLOCK_TIMEOUT_S

    def prepare(self, link: DeviceLink) -> str:
        if self.program is not None:
            return f"{PROGRAM} {self._install(link, self.program).rsplit('/', 1)[-1]}"
        found = link.run(["which", PROGRAM], timeout_s=10)
        if found.exit_code != 0:
            raise ConfigError(
                f"{link.serial}: the phone has no {PROGRAM}; build it for Android and name the file in "
                "PARETOFARM_ONNXRUNTIME_PERF_TEST"
            )
        return PROGRAM

    def _install(self, link: DeviceLink, program: Path) -> str:
        """Pushed once; the folder on the phone."""
        if not program.is_file():
            raise ConfigError(f"PARETOFARM_ONNXRUNTIME_PERF_TEST names {program}, which is not a file")
        return _toolset(program).install(link)

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        return {NETWORK: compiled}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        # The program appends to a file that is there.
        result_file = f"{folder}/times-{uuid4().hex}.csv"
        warmup = self.settings.warmup_inferences
        argv = [
            *(f"{_toolset(self.program).folder}/{PROGRAM}" if self.program else PROGRAM,),
            *("-m", "times", "-r", str(inferences + warmup)),
            *("-x", str(self.settings.threads), "-y", "1", "-e", "cpu", "-I"),
            *(f"{network.folder}/{NETWORK}", result_file),
        ]
        timeout_s = self.block_timeout_s
        result, peak = watched_run(link, argv, timeout_s=timeout_s, directory=folder, watch=watch_memory)
        if result.exit_code != 0:
            raise _blame(PROGRAM, result.exit_code, result.stderr or result.stdout, network.folder)
        rows = link.pull(result_file).decode()
        times = parse_times(rows)[warmup:]
        if len(times) != inferences:
            raise RunnerFailed(f"{PROGRAM} on {link.serial} timed {len(times)} of {inferences} inferences")
        peak = parse_peak_memory(rows) or peak
        return BlockTimes(times, load_ms=parse_load_ms(result.stdout), peak_memory_bytes=peak)

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        program = self._runner(link)
        with batch_folder(link, folder) as batch:
            argv = [
                *(program, "--model", f"{network.folder}/{NETWORK}"),
                *("--input_list", push_images(link, images, batch), "--output_dir", batch),
                *("--threads", str(self.settings.threads)),
            ]
            result = link.run(argv, timeout_s=INFER_TIMEOUT_S, directory=batch)
            if result.exit_code != 0:
                raise _blame(RUNNER, result.exit_code, result.stderr or result.stdout, network.folder)
            return pull_logits(link, batch, images, output=network.output)

    def _runner(self, link: DeviceLink) -> str:
        if self.runner is not None:
            return f"{Toolset('onnxruntime_run', {RUNNER: self.runner}).install(link)}/{RUNNER}"
        if link.run(["which", RUNNER], timeout_s=10).exit_code != 0:
            raise ConfigError(
                f"{link.serial}: the phone has no {RUNNER}, without which it gives no outputs; name an Android build "
                "of it in PARETOFARM_ONNXRUNTIME_RUN"
            )
        return RUNNER

    def reference(self) -> Path:
        with as_file(files("device_agents.reference").joinpath("reference_int8.onnx")) as path:
            return path


def _toolset(program: Path) -> Toolset:
    return Toolset(PROGRAM, {PROGRAM: program})


def parse_times(text: str) -> tuple[float, ...]:
    """Milliseconds per inference from the result file of `onnxruntime_perf_test`.

    Its rows are `model name, seconds, peak memory, CPU share, run index`; other lines are left out.
    """
    times = tuple(float(row[1]) * 1e3 for row in _rows(text))
    return tuple(time for time in times if math.isfinite(time) and time > 0)


def parse_peak_memory(text: str) -> int | None:
    """Bytes, from the same rows. Old versions, and systems that do not say, write 0."""
    return max((int(row[2]) for row in _rows(text) if row[2].strip().isdigit()), default=0) or None


def parse_load_ms(output: str) -> float | None:
    """From the summary's line `Session creation time cost: 0.0123 s`."""
    found = re.search(r"^Session creation time cost: ([\d.eE+-]+) s", output, re.MULTILINE)
    return float(found.group(1)) * 1e3 if found else None


def _rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text)) if len(row) >= 5 and row[-1].strip().isdigit()]


def _blame(program: str, exit_code: int, output: str, network: str) -> NotDeployable | RunnerFailed:
    """A runner that was killed (128 + signal) says nothing about the network; one that refuses it (255) does."""
    tail = " ".join(output.split())[-300:]
    if 128 < exit_code < 255:
        return RunnerFailed(f"{program} was killed (exit code {exit_code}): {tail}")
    return NotDeployable(f"{program} cannot run {network.rsplit('/', 1)[-1]} (exit code {exit_code}): {tail}")
