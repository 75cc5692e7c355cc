"""Context binaries on the HTP, timed by Qualcomm's `qnn-net-run` from the user's SDK.

Never run on silicon: tested with scripted stand-ins. `qnn-net-run` throws no first inferences away and tells averages
over a run only, so a run of `warmup_inferences` goes before each timed one, and a block has one sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

import numpy as np

from device_agents.phone import HOME
from device_agents.runtimes.dsp_batch import pull_outputs, push_inputs, require_outputs
from device_agents.runtimes.dsp_profile import NET_RUN, QnnProfile, parse_profile
from device_agents.runtimes.dsp_sdk import RUNNER, QnnSdk
from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import batch_folder
from paretofarm.dsp_signs import DspSign, dsp_sign
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.ports import CommandResult, DeviceLink
from paretofarm.qairt import runs
from paretofarm.qnn_network import CONTEXT, INTERFACE, QnnInterface, parse_interface
from paretofarm.runtimes import QnnMeasurement

INPUT, INPUT_LIST = "input.raw", "input.txt"
FINISHED = "Finished Executing Graphs"
LOGS = ("qnn-profiling-data_0.log", "qnn-profiling-data.log")
RUN_TIMEOUT_S = 600.0
VENDOR_DSP = "/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp;/system/lib/rfsa/adsp;/system/vendor/lib/rfsa/adsp;/dsp"


@dataclass(frozen=True)
class QnnRuntime:
    """Runs networks with the SDK of this agent's host. home: the folder on the phone for all that is pushed."""

    settings: QnnMeasurement
    sdk: QnnSdk
    home: str = HOME

    def prepare(self, link: DeviceLink) -> str:
        return f"{RUNNER} {self.sdk.version} ({self._tools(link).rsplit('/', 1)[-1]})"

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        interface = self._interface(compiled)
        (folder / CONTEXT).write_bytes(_member(compiled, CONTEXT))
        noise = np.random.default_rng(0).integers(0, np.iinfo(interface.input.dtype).max, interface.input.shape)
        noise.astype(interface.input.dtype).tofile(folder / INPUT)
        (folder / INPUT_LIST).write_text(f"{interface.input.name}:={INPUT}\n")
        return {name: folder / name for name in (CONTEXT, INPUT, INPUT_LIST)}

    def time_block(self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int) -> BlockTimes:
        output = self._interface(network.local).output
        inputs = f"{network.folder}/{INPUT_LIST}"
        with batch_folder(link, folder) as batch:
            options = ("--keep_num_outputs", "1", "--num_inferences")
            self._run(link, network, inputs, f"{batch}/warm-up", *options, str(self.settings.warmup_inferences))
            profiled = (*options, str(inferences), "--profiling_level", "basic")
            self._run(link, network, inputs, f"{batch}/timed", *profiled)
            require_outputs(link, f"{batch}/timed", count=1, size_bytes=output.size_bytes)
            profile = self._profile(link, f"{batch}/timed")
        return BlockTimes((profile.average_ms[NET_RUN],), profile.average_ms, load_ms=profile.load_ms)

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        interface = self._interface(network.local)
        native = interface.input.to_native(images)
        with batch_folder(link, folder) as batch:
            link.run(["mkdir", "-p", batch], timeout_s=RUN_TIMEOUT_S)
            files = [image.tobytes() for image in native]
            inputs = push_inputs(link, interface.input.name, files, batch, home=self.home)
            self._run(link, network, inputs, f"{batch}/outputs", directory=batch)
            content = pull_outputs(link, batch, "outputs", count=len(images), size_bytes=interface.output.size_bytes)
        return interface.output.from_native(content)

    def reference(self) -> None:
        return None

    def _interface(self, compiled: Path) -> QnnInterface:
        interface = parse_interface(_member(compiled, INTERFACE), str(compiled))
        if not runs(self.sdk.version, interface.qnn_version):
            raise ConfigError(
                f"the network was compiled by QNN {interface.qnn_version}, which the older {self.sdk.version} in "
                f"{self.sdk.root} does not run: take a newer SDK, or compile with this one (QNN_SDK_ROOT on workers)"
            )
        return interface

    def _tools(self, link: DeviceLink) -> str:
        """Remote folder of the phone's part of the SDK, pushed where it is not there yet."""
        return self.sdk.toolset(link.properties(), self.home).install(link)

    def _run(
        self,
        link: DeviceLink,
        network: InstalledNetwork,
        inputs: str,
        outputs: str,
        *options: str,
        directory: str | None = None,
    ) -> None:
        """directory: what the names in the list `inputs` count from; the network's folder by default."""
        tools = self._tools(link)
        argv = [
            *(f"{tools}/bin/{RUNNER}", "--backend", f"{tools}/lib/libQnnHtp.so"),
            *("--retrieve_context", f"{network.folder}/{CONTEXT}", "--input_list", inputs, "--output_dir", outputs),
            *("--use_native_input_files", "--use_native_output_files"),
            *("--perf_profile", self.settings.perf_profile, *options),
        ]
        done = link.run(
            argv,
            timeout_s=RUN_TIMEOUT_S,
            environment=libraries(tools),
            directory=directory or network.folder,
        )
        problem = blame(done, link.serial)
        if problem is not None:
            raise problem

    def _profile(self, link: DeviceLink, outputs: str) -> QnnProfile:
        with TemporaryDirectory(prefix="paretofarm-profile-") as folder:
            local = Path(folder, "profile.log")
            local.write_bytes(_first_file(link, [f"{outputs}/{name}" for name in LOGS]))
            return parse_profile(self.sdk.read_profile(local))


def libraries(tools: str) -> dict[str, str]:
    """Where the phone looks for libraries of its own processor, and the DSP's loader for the DSP's."""
    return {
        "LD_LIBRARY_PATH": f"{tools}/lib:/vendor/lib64",
        "ADSP_LIBRARY_PATH": f"{tools}/dsp;{VENDOR_DSP}",
    }


def blame(done: CommandResult, serial: str) -> NotDeployable | RunnerFailed | None:
    """Why a run was none; None where it was. Success is exit code 0 and the words at the end."""
    output = f"{done.stdout}\n{done.stderr}"
    if done.exit_code == 0 and FINISHED in output:
        return None
    said = f"{RUNNER} on {serial} (exit code {done.exit_code}): {' '.join(output.split())[-300:]}"
    sign = dsp_sign(output)
    if 128 < done.exit_code < 255:
        return RunnerFailed(f"killed: {said}")
    if sign is DspSign.CONTEXT:
        return NotDeployable(f"{said}; where the phone refuses contexts for one SoC, set measurement.target: arch")
    return RunnerFailed(said)


def _first_file(link: DeviceLink, names: list[str]) -> bytes:
    for name in names:
        try:
            return link.pull(name)
        except FileNotFoundError:
            continue
    raise RunnerFailed(f"{RUNNER} on {link.serial} left no profile: {' or '.join(names)}")


def _member(compiled: Path, name: str) -> bytes:
    try:
        with ZipFile(compiled) as archive:
            return archive.read(name)
    except (BadZipFile, KeyError) as error:
        raise ConfigError(f"{compiled.name} was not compiled for the runtime qnn: {error}") from error
