"""DLCs on the HTP, timed by Qualcomm's `snpe-net-run`. Never run on silicon: tested with scripted stand-ins.

SNPE tells averages over a run only; a block is several runs of at most 50 inferences, as each inference leaves its
output on the phone.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from device_agents.phone import HOME
from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import (
    Layout,
    batch_folder,
    image_bytes,
    missing_output,
    pull_logits,
    push_images,
    push_list,
)
from device_agents.runtimes.snpe_sdk import RUNNER, SnpeSdk
from device_agents.runtimes.snpe_times import SnpeTimes, parse_diagview
from device_agents.runtimes.unpacking import described, network_bytes, require_fitting, some_input, unpack
from device_agents.runtimes.watched_run import watched_run
from paretofarm.dsp_signs import DspSign, dsp_sign
from paretofarm.errors import NotDeployable, RunnerFailed, Unavailable
from paretofarm.ports import CommandResult, DeviceLink
from paretofarm.runtimes import SnpeMeasurement
from paretofarm.snpe_network import SnpeNetwork

DLC = "network.dlc"
INPUT = "input.raw"
LOG = "SNPEDiag_0.log"
RUN_INFERENCES = 50
RUN_TIMEOUT_S = 300.0
TRIES = 2
"""The log is sometimes missing."""
VENDOR_DSP = "/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp;/system/lib/rfsa/adsp;/system/vendor/lib/rfsa/adsp;/dsp"


@dataclass(frozen=True)
class SnpeRuntime:
    """Runs networks with the SDK of this agent's host. home: the folder on the phone for all that is pushed."""

    settings: SnpeMeasurement
    sdk: SnpeSdk
    home: str = HOME

    def prepare(self, link: DeviceLink) -> str:
        tools = self._tools(link)
        return f"{RUNNER} {tools.rsplit('/', 1)[-1]}"

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        image = some_input(described(SnpeNetwork, compiled))
        (folder / INPUT).write_bytes(image_bytes(image[0], Layout.HWC))
        return {DLC: unpack(compiled, folder / DLC), INPUT: folder / INPUT}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        runner = self._runner(link, network)
        runs = math.ceil(inferences / RUN_INFERENCES)
        peak = runner.warm_up(folder, min(self.settings.warmup_inferences, RUN_INFERENCES), watch_memory)
        times = [runner.timed(folder, math.ceil(inferences / runs)) for _ in range(runs)]
        inside = [{**one.nested_ms, **one.layers_ms} for one in times]
        layers = {name: fmean(one.get(name, 0.0) for one in inside) for name in inside[0]}
        peak = None if peak is None else peak + network_bytes(network.local)
        samples = tuple(one.total_ms for one in times)
        return BlockTimes(samples, layers, load_ms=times[0].init_ms, peak_memory_bytes=peak)

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        runner = self._runner(link, network)
        require_fitting(images, runner.description)
        with batch_folder(link, folder) as batch:
            inputs = push_images(link, images, batch, Layout.HWC, home=self.home)
            runner.run(inputs, len(images), inputs_in=batch, outputs=batch)
            return pull_logits(link, batch, images, Layout.HWC, runner.description.output_shape[1:])

    def reference(self) -> None:
        return None

    def _runner(self, link: DeviceLink, network: InstalledNetwork) -> "_Runner":
        return _Runner(self.settings, self.sdk, link, network, self._tools(link), described(SnpeNetwork, network.local))

    def _tools(self, link: DeviceLink) -> str:
        """Remote folder of the phone's part of the SDK."""
        return self.sdk.toolset(link.properties(), self.home).install(link)


@dataclass(frozen=True)
class _Runner:
    """The program with one network, on one phone. tools: remote folder of the SDK's part."""

    settings: SnpeMeasurement
    sdk: SnpeSdk
    link: DeviceLink
    network: InstalledNetwork
    tools: str
    description: SnpeNetwork

    def warm_up(self, folder: str, inferences: int, watch_memory: bool) -> int | None:
        """The peak memory of the program, where it is watched."""
        with batch_folder(self.link, folder) as batch:
            inputs = push_list(self.link, [INPUT] * inferences, batch)
            return self.run(inputs, inferences, inputs_in=self.network.folder, outputs=batch, watch_memory=watch_memory)

    def timed(self, folder: str, inferences: int) -> SnpeTimes:
        """Times of one run on the network's own input."""
        for _ in range(TRIES):
            with batch_folder(self.link, folder) as batch:
                inputs = push_list(self.link, [INPUT] * inferences, batch)
                self.run(inputs, inferences, inputs_in=self.network.folder, outputs=batch)
                if log := self._log(batch):
                    return parse_diagview(self._read(log))
        raise RunnerFailed(f"{RUNNER} on {self.link.serial} left no {LOG}, {TRIES} times")

    def run(
        self, inputs: str, inferences: int, *, inputs_in: str, outputs: str, watch_memory: bool = False
    ) -> int | None:
        """inputs: the list, whose names count from the folder `inputs_in`. The peak memory, where it is watched."""
        argv = [
            *(f"{self.tools}/bin/{RUNNER}", "--container", f"{self.network.folder}/{DLC}"),
            *("--input_list", inputs, "--output_dir", outputs, "--use_dsp"),
            *("--perf_profile", self.settings.perf_profile, "--profiling_level", self.settings.profiling_level),
        ]
        result, peak = watched_run(
            self.link,
            argv,
            timeout_s=RUN_TIMEOUT_S,
            environment=_environment(self.tools),
            directory=inputs_in,
            watch=watch_memory,
        )
        if result.exit_code != 0:
            raise _blame(result)
        self._require_outputs(outputs, inferences)
        return peak

    def _require_outputs(self, outputs: str, inferences: int) -> None:
        """A runner that ends well has not always computed."""
        expected = self.description.output_bytes
        script = 'wc -c "$1"/Result_*/*.raw'
        listing = self.link.run(["sh", "-c", script, "sh", outputs], timeout_s=RUN_TIMEOUT_S).stdout
        sizes = [int(size) for size in re.findall(r"^\s*(\d+) .*\.raw$", listing, re.MULTILINE)]
        if len(sizes) < inferences or 0 in sizes:
            raise missing_output(self.link, outputs, f"{len(sizes)} of {inferences}")
        if set(sizes) != {expected} or len(sizes) > inferences:
            raise NotDeployable(f"{RUNNER} gave outputs of {sorted(set(sizes))} bytes, not one of {expected} each")

    def _log(self, folder: str) -> bytes:
        try:
            return self.link.pull(f"{folder}/{LOG}")
        except FileNotFoundError:
            return b""

    def _read(self, log: bytes) -> str:
        with TemporaryDirectory(prefix="paretofarm-snpe-") as folder:
            Path(folder, LOG).write_bytes(log)
            return self.sdk.read_log(Path(folder, LOG))


def _environment(tools: str) -> dict[str, str]:
    """The second separates folders by semicolons: it is read on the DSP's side."""
    return {
        "LD_LIBRARY_PATH": f"{tools}/lib:/vendor/lib64",
        "ADSP_LIBRARY_PATH": f"{tools}/dsp;{VENDOR_DSP}",
    }


def _blame(result: CommandResult) -> NotDeployable | Unavailable:
    """A DSP that is away, or a runner that was killed, says nothing about the network; one that refuses it does."""
    output = f"{result.stdout}\n{result.stderr}"
    tail = " ".join(output.split())[-300:]
    if result.exit_code > 128 or dsp_sign(output) is DspSign.SUBSYSTEM:
        return RunnerFailed(f"{RUNNER} broke (exit code {result.exit_code}): {tail}")
    return NotDeployable(f"{RUNNER} cannot run the network (exit code {result.exit_code}): {tail}")
