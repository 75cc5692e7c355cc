"""Context binaries in Qualcomm's x86 simulator of the HTP: what they compute, never how fast.

The "phone" is an x86 Linux host that speaks ADB, with a Python that has `onnxruntime-qnn`. What a search learns of it
is labelled simulated, whatever the phone says of itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import BadZipFile, ZipFile

from device_agents.phone import HOME
from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import batch_folder
from device_agents.runtimes.toolset import Toolset
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.ports import CommandResult, DeviceLink
from paretofarm.qnn_network import CONTEXT, INTERFACE, WRAPPER, parse_interface
from paretofarm.runtimes import QnnSimMeasurement

PYTHON = "PARETOFARM_QNN_SIM_PYTHON"
RUNNER = "qnn_sim_runner.py"
MISSING = 3
ASK_TIMEOUT_S = 60.0
START_S, IMAGE_S = 120.0, 120.0
"""A network of 1.6 million parameters at 256 × 256 pixels takes 20 s an image."""


@dataclass(frozen=True)
class QnnSimRuntime:
    """python: path of the interpreter on the phone. home: the folder there for all that is pushed."""

    settings: QnnSimMeasurement
    python: str
    home: str = HOME

    @classmethod
    def of(cls, settings: QnnSimMeasurement, environment: Mapping[str, str]) -> "QnnSimRuntime":
        """ConfigError where the agent's settings name no interpreter."""
        if not environment.get(PYTHON):
            raise ConfigError(
                f"the runtime qnn-sim needs {PYTHON}: the path, on the phone, of a Python with onnxruntime-qnn"
            )
        return cls(settings, environment[PYTHON])

    def prepare(self, link: DeviceLink) -> str:
        done = self._run(link, timeout_s=ASK_TIMEOUT_S)
        if done.exit_code != 0:
            raise ConfigError(f"{link.serial}: {self.python} cannot simulate the HTP: {_reason(done)}")
        versions = _answer(done)
        return (
            f"HTP simulator, QNN {versions.get('qnn')} (onnxruntime-qnn {versions.get('onnxruntime_qnn')}), simulated"
        )

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        for name in (CONTEXT, WRAPPER):
            (folder / name).write_bytes(_member(compiled, name))
        return {name: folder / name for name in (CONTEXT, WRAPPER)}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        raise ConfigError("a simulator has no latency: measure it with the runtime qnn on a phone")

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        interface = parse_interface(_member(network.local, INTERFACE), str(network.local))
        native = interface.input.to_native(images)
        with batch_folder(link, folder) as batch, NamedTemporaryFile(prefix="paretofarm-inputs-") as local:
            native.tofile(local.name)
            link.push(Path(local.name), f"{batch}/inputs.raw")
            words = (f"{network.folder}/{WRAPPER}", f"{batch}/inputs.raw", f"{batch}/outputs.raw")
            done = self._run(link, *words, timeout_s=START_S + IMAGE_S * len(images))
            _require(done, link.serial, len(images))
            return interface.output.from_native(link.pull(f"{batch}/outputs.raw"))

    def reference(self) -> None:
        return None

    def _run(self, link: DeviceLink, *words: str, timeout_s: float) -> CommandResult:
        tools = Toolset("qnn-sim", {RUNNER: Path(__file__).with_name(RUNNER)}, self.home).install(link)
        # -I: nothing of the host's environment or current folder is imported.
        return link.run([self.python, "-I", f"{tools}/{RUNNER}", *words], timeout_s=timeout_s)


def _require(done: CommandResult, serial: str, images: int) -> None:
    """Refused by the simulator, a network is not deployable; what else goes wrong is the host's fault."""
    if done.exit_code == 1 and _answer(done).get("error"):
        raise NotDeployable(f"the HTP simulator cannot run the network: {_reason(done)}")
    if done.exit_code == MISSING:
        raise ConfigError(f"{serial}: {_reason(done)}")
    if done.exit_code != 0 or _answer(done).get("images") != images:
        raise RunnerFailed(f"the HTP simulator on {serial} (exit code {done.exit_code}): {_reason(done)}")


def _answer(done: CommandResult) -> Mapping[str, Any]:
    """What the runner says; nothing where it did not come to that."""
    try:
        document = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _reason(done: CommandResult) -> str:
    words = str(_answer(done).get("error") or done.stderr or f"exit code {done.exit_code}")
    return " ".join(words.split())[-300:]


def _member(compiled: Path, name: str) -> bytes:
    try:
        with ZipFile(compiled) as archive:
            return archive.read(name)
    except (BadZipFile, KeyError) as error:
        raise ConfigError(f"{compiled.name} was not compiled for the runtime qnn-sim: {error}") from error
