"""What `paretofarm doctor` looks at of the device runtimes: SDKs and programs that are not part of this product."""

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from cli.finding import Check, Environment, Finding
from paretofarm.commands import COMMANDS, Command
from paretofarm.errors import ConfigError

SEE = "see docs/runtimes.md"
PROGRAMS = {"PARETOFARM_ONNXRUNTIME_PERF_TEST": "times", "PARETOFARM_ONNXRUNTIME_RUN": "runs"}
SNPE_ROOT = "SNPE_ROOT"
QNN_SDK_ROOT = "QNN_SDK_ROOT"
QNN_SDKS = ("PARETOFARM_QNN_SDK", QNN_SDK_ROOT)


def _onnxruntime(environment: Environment) -> Iterator[Finding]:
    named = {name: environment[name] for name in PROGRAMS if environment.get(name)}
    for name, file in named.items():
        found = Path(file).is_file()
        what = f"{file} {PROGRAMS[name]} networks on handsets" if found else f"{name} names {file}, which is no file"
        yield Finding("runtime onnxruntime", found, what, f"build it for Android: {SEE}")
    if not named:
        yield Finding("runtime onnxruntime", True, f"virtual phones carry it; for handsets, {SEE}")


def _snpe(environment: Environment) -> Iterator[Finding]:
    if not environment.get(SNPE_ROOT):
        yield Finding("runtime snpe", True, f"not used: {SNPE_ROOT} is not set")
        return
    if find_spec("onnx") and find_spec("onnxruntime"):
        yield _found("runtime snpe, worker", lambda: _snpe_tools(environment))
    yield _found("runtime snpe, agent", lambda: _snpe_sdk(environment))


def _snpe_tools(environment: Environment) -> str:
    from workers.toolchains.snpe_tools import SnpeTools  # needs the extra `worker`

    return f"version {SnpeTools.find(environment).version}"


def _snpe_sdk(environment: Environment) -> str:
    from device_agents.runtimes.snpe_sdk import SnpeSdk

    archs = SnpeSdk.find(environment).archs()
    return f"libraries for {', '.join(f'V{arch}' for arch in archs)}"


def _qnn(environment: Environment) -> Iterator[Finding]:
    """Workers compile with the wheel or an SDK, agents run with an SDK."""
    if find_spec("onnx") and find_spec("onnxruntime"):
        used = environment.get(QNN_SDK_ROOT) or find_spec("onnxruntime_qnn")
        missing = "not used: onnxruntime-qnn is not installed (pip install 'paretofarm[qnn]')"
        name = "runtime qnn, worker"
        yield _found(name, lambda: _qnn_compiler(environment)) if used else Finding(name, True, missing)
    if not any(environment.get(name) for name in QNN_SDKS):
        yield Finding("runtime qnn, agent", True, f"not used: {QNN_SDKS[0]} is not set")
        return
    yield _found("runtime qnn, agent", lambda: _qnn_sdk(environment))


def _qnn_compiler(environment: Environment) -> str:
    from workers.toolchains.qnn_sdk import SdkMaker  # needs the extra `worker`
    from workers.toolchains.qnn_wheel import qnn_wheel

    if root := environment.get(QNN_SDK_ROOT):
        return f"compiles with the SDK in {root}, version {SdkMaker(Path(root), environment).qnn_version}"
    wheel = qnn_wheel()
    return f"compiles with onnxruntime-qnn {wheel.version} (QNN {wheel.qnn_version})"


def _qnn_sdk(environment: Environment) -> str:
    from device_agents.runtimes.dsp_sdk import QnnSdk

    sdk = QnnSdk.find(environment)
    sdk.check_reader()
    libraries = ", ".join(f"V{arch}" for arch in sdk.archs())
    return f"SDK {sdk.version}, libraries for {libraries}; qnn-profile-viewer runs"


def _found(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except ConfigError as error:
        return Finding(name, False, str(error), SEE)


def _commands(environment: Environment) -> Iterator[Finding]:
    from device_agents.runtimes.command_file import read_commands

    if not environment.get(COMMANDS):
        yield Finding("runtime command", True, f"not used: {COMMANDS} is not set")
        return
    try:
        commands = read_commands(environment)
    except ConfigError as error:
        yield Finding("runtime command", False, str(error), SEE)
        return
    for name, command in commands.items():
        missing = list(_missing(command))
        what = (
            f"not on this host: {', '.join(missing)}" if missing else f"all that {environment[COMMANDS]} names is here"
        )
        yield Finding(f"command {name}", not missing, what, "agents need its files, workers its conversion's program")


def _missing(command: Command) -> Iterator[str]:
    """Hosts of agents need the files, those of workers the program."""
    yield from (local for local in command.files.values() if not Path(local).is_file())
    if command.convert is not None and shutil.which(command.convert.argv[0]) is None:
        yield command.convert.argv[0]


RUNTIME_CHECKS: tuple[Check, ...] = (_onnxruntime, _qnn, _snpe, _commands)
