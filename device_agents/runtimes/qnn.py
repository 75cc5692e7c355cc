"""Context binaries on the HTP, timed by Qualcomm's `qnn-net-run` from the user's SDK.

Never run on silicon: tested with scripted stand-ins. `qnn-net-run` throws no first inferences away and tells averages
over a run only, so a run of `warmup_inferences` goes before each timed one, and a block has one sample.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from zipfile import BadZipFile, ZipFile

import numpy as np

from device_agents.phone import HOME
from device_agents.runtimes.dsp_batch import pull_outputs, push_inputs, require_outputs
from device_agents.runtimes.dsp_profile import NET_RUN, QnnProfile, parse_profile
from device_agents.runtimes.dsp_sdk import RUNNER, QnnSdk
from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import batch_folder
from device_agents.runtimes.watched_run import watched_run
from paretofarm.dsp_signs import DspSign, dsp_sign
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.ports import CommandResult, DeviceLink
from paretofarm.qairt import runs
from paretofarm.qnn_network import CONTEXT, GENERAL_CONTEXT, INTERFACE, QnnInterface, parse_interface
from paretofarm.runtimes import QnnMeasurement

log = logging.getLogger(__name__)

INPUT, INPUT_LIST = "input.raw", "input.txt"
FINISHED = "Finished Executing Graphs"
LOGS = ("qnn-profiling-data_0.log", "qnn-profiling-data.log")
RUN_TIMEOUT_S = 600.0
LOOK_TIMEOUT_S = 15.0
ARCH = "arch"
VENDOR_DSP = "/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp;/system/lib/rfsa/adsp;/system/vendor/lib/rfsa/adsp;/dsp"


@dataclass(frozen=True)
class _Ran:
    """form: `arch` where the phone refused the context for its SoC; peak_bytes: of memory, where it was watched."""

    form: str | None
    peak_bytes: int | None


@dataclass(frozen=True)
class _Call:
    """All that a run of the program is told but its context."""

    link: DeviceLink
    tools: str
    inputs: str
    outputs: str
    options: tuple[str, ...]
    directory: str
    watch_memory: bool

    def start(self, context: str) -> tuple[CommandResult, int | None]:
        """What the program said, and its peak memory where that is watched."""
        argv = [
            *(f"{self.tools}/bin/{RUNNER}", "--backend", f"{self.tools}/lib/libQnnHtp.so"),
            *("--retrieve_context", context, "--input_list", self.inputs, "--output_dir", self.outputs),
            *("--use_native_input_files", "--use_native_output_files", *self.options),
        ]
        return watched_run(
            self.link,
            argv,
            timeout_s=RUN_TIMEOUT_S,
            environment=libraries(self.tools),
            directory=self.directory,
            watch=self.watch_memory,
        )

    def ran(self, context: str, form: str) -> _Ran:
        done, peak = self.start(context)
        _require_success(done, self.link.serial, tried_all=True)
        return _Ran(form, peak)


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

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        output = self._interface(network.local).output
        inputs = f"{network.folder}/{INPUT_LIST}"
        with batch_folder(link, folder) as batch:
            options = ("--keep_num_outputs", "1", "--num_inferences")
            warmup = (*options, str(self.settings.warmup_inferences))
            warm = self._run(link, network, inputs, f"{batch}/warm-up", *warmup, watch_memory=watch_memory)
            profiled = (*options, str(inferences), "--profiling_level", "basic")
            ran = self._run(link, network, inputs, f"{batch}/timed", *profiled)
            require_outputs(link, f"{batch}/timed", count=1, size_bytes=output.size_bytes)
            profile = self._profile(link, f"{batch}/timed")
        # The DSP's memory is not the process's: what the context takes there is about its own size.
        peak = None if warm.peak_bytes is None else warm.peak_bytes + len(_member(network.local, CONTEXT))
        return BlockTimes(
            (profile.average_ms[NET_RUN],),
            profile.average_ms,
            load_ms=profile.load_ms,
            peak_memory_bytes=peak,
            form=ran.form,
        )

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
        watch_memory: bool = False,
    ) -> _Ran:
        """directory: what the names in the list `inputs` count from; the network's folder by default.

        A phone may refuse contexts that are for one SoC; it then gets the one for all of the architecture. That lies
        there for as long as the phone's system and our tools are the same, and is taken at once the next time.
        """
        properties = link.properties()
        tools = self.sdk.toolset(properties, self.home).install(link)
        call = _Call(
            link,
            tools,
            inputs,
            outputs,
            ("--perf_profile", self.settings.perf_profile, *options),
            directory or network.folder,
            watch_memory,
        )
        general = _general_context(network, f"{tools} {properties.get('ro.build.fingerprint')}")
        if general is not None and _is_there(link, general):
            return call.ran(general, ARCH)
        done, peak = call.start(f"{network.folder}/{CONTEXT}")
        if general is not None and refuses_the_context(done):
            log.warning("%s refuses a context for its SoC: it gets the one for its architecture", link.serial)
            _push_general_context(link, network, general)
            return call.ran(general, ARCH)
        _require_success(done, link.serial)
        return _Ran(None, peak)

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


def blame(done: CommandResult, serial: str, *, tried_all: bool = False) -> NotDeployable | RunnerFailed | None:
    """Why a run was none; None where it was. Success is exit code 0 and the words at the end.

    tried_all: it was the context for all chips of the architecture.
    """
    output = f"{done.stdout}\n{done.stderr}"
    if done.exit_code == 0 and FINISHED in output:
        return None
    said = f"{RUNNER} on {serial} (exit code {done.exit_code}): {' '.join(output.split())[-300:]}"
    if 128 < done.exit_code < 255:
        return RunnerFailed(f"killed: {said}")
    if dsp_sign(output) is DspSign.CONTEXT:
        advice = "" if tried_all else "; where the phone refuses contexts for one SoC, set measurement.target: arch"
        return NotDeployable(f"{said}{advice}")
    return RunnerFailed(said)


def _require_success(done: CommandResult, serial: str, *, tried_all: bool = False) -> None:
    problem = blame(done, serial, tried_all=tried_all)
    if problem is not None:
        raise problem


def refuses_the_context(done: CommandResult) -> bool:
    """Whether the DSP, which works, does not take the context (error 1002)."""
    return isinstance(blame(done, ""), NotDeployable)


def _general_context(network: InstalledNetwork, circumstances: str) -> str | None:
    """Where the context for all chips of the architecture lies on the phone, once it is needed there; None where the
    toolchain has made none. circumstances: under which the other one is refused.
    """
    if GENERAL_CONTEXT not in _members(network.local):
        return None
    return f"{network.folder}/context-arch-{hashlib.sha256(circumstances.encode()).hexdigest()[:12]}.bin"


def _is_there(link: DeviceLink, remote: str) -> bool:
    return link.run(["test", "-f", remote], timeout_s=LOOK_TIMEOUT_S).exit_code == 0


def _push_general_context(link: DeviceLink, network: InstalledNetwork, remote: str) -> None:
    with NamedTemporaryFile(prefix="paretofarm-context-") as local:
        Path(local.name).write_bytes(_member(network.local, GENERAL_CONTEXT))
        link.push(Path(local.name), remote)


def _first_file(link: DeviceLink, names: list[str]) -> bytes:
    for name in names:
        try:
            return link.pull(name)
        except FileNotFoundError:
            continue
    raise RunnerFailed(f"{RUNNER} on {link.serial} left no profile: {' or '.join(names)}")


def _members(compiled: Path) -> list[str]:
    with ZipFile(compiled) as archive:
        return archive.namelist()


def _member(compiled: Path, name: str) -> bytes:
    try:
        with ZipFile(compiled) as archive:
            return archive.read(name)
    except (BadZipFile, KeyError) as error:
        raise ConfigError(f"{compiled.name} was not compiled for the runtime qnn: {error}") from error
