"""Compiles a quantized network for a Hexagon tensor processor, in a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from paretofarm.errors import ConversionFailed, NotDeployable, WorkerCrashed
from paretofarm.qnn_network import CONTEXT, WRAPPER
from paretofarm.soc import Soc
from workers.toolchains.host_program import INHERITED
from workers.toolchains.op_trace import parse_op_trace, refusal
from workers.toolchains.qnn_wheel import QnnWheel

PROGRAM = Path(__file__).with_name("htp_process.py")
NETWORK = "network.onnx"
OP_TRACE = "qnn_op_trace.json"
TIME_LIMIT_S = 1500.0


@dataclass(frozen=True)
class HtpTarget:
    """soc: the chip; stamped: whether the context is for it alone, else for all chips of its architecture."""

    soc: Soc
    stamped: bool

    @property
    def general(self) -> "HtpTarget":
        """For all chips of the same architecture."""
        return HtpTarget(self.soc, stamped=False)

    @property
    def options(self) -> dict[str, str]:
        """Of onnxruntime's QNN provider. With a `soc_model` it would ignore a wrong `htp_arch` silently."""
        stamp = {"soc_model": str(self.soc.soc_model)} if self.stamped else {}
        return {
            "htp_arch": str(self.soc.arch),
            **stamp,
            "vtcm_mb": str(self.soc.vtcm_mb),
            "htp_graph_finalization_optimization_mode": "3",
            "enable_htp_prepare_only": "1",
        }


def compile_context(
    network: Path, target: HtpTarget, wheel: QnnWheel, folder: Path, environment: Mapping[str, str]
) -> Mapping[str, Path]:
    """`context.bin`, and `context.onnx` by which onnxruntime runs it. folder: empty, for this alone.

    `NotDeployable` names the ops that the chip cannot have; `ConversionFailed` says what else the compiler minds. The
    same network gives the same bytes, wherever it lies: its name in the binary comes from that of its file.
    environment: the worker's.
    """
    (folder / NETWORK).write_bytes(network.read_bytes())
    problem = _run(target, wheel, folder, environment)
    _require_all_on_the_chip(folder / OP_TRACE, target.soc)
    if problem is not None:
        raise ConversionFailed(f"the HTP compiler refuses the network: {problem.splitlines()[0]}")
    (folder / "context_qnn.bin").rename(folder / CONTEXT)
    _point(folder / WRAPPER, CONTEXT)
    return {name: folder / name for name in (CONTEXT, WRAPPER)}


def _run(target: HtpTarget, wheel: QnnWheel, folder: Path, environment: Mapping[str, str]) -> str | None:
    """What the compiler complains of, None where it is content."""
    tracing = {"enable_framework_op_trace": "1", "framework_op_trace_dir": "."}
    job = {
        "provider": str(wheel.provider),
        "backend": str(wheel.backend),
        "network": NETWORK,
        "options": target.options | tracing,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(PROGRAM)],
            input=json.dumps(job),
            cwd=folder,
            env=_variables(environment),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ConversionFailed(f"the HTP compiler took more than {TIME_LIMIT_S:g} s") from error
    answer = folder / "answer.json"
    if done.returncode != 0 or not answer.is_file():
        raise _crash(done.returncode, done.stderr)
    problem: str | None = json.loads(answer.read_text())["error"]
    return problem


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Not the worker's own, which hold its passwords."""
    inherited = {name: environment[name] for name in INHERITED if name in environment}
    return inherited | {"ORT_DISABLE_TELEMETRY": "1"}


def _crash(status: int, stderr: str) -> ConversionFailed | WorkerCrashed:
    """Killed from outside, most likely for memory, it says nothing of the network; a crash of its own does."""
    tail = " ".join(stderr.split())[-300:]
    if status == -signal.SIGKILL:
        return WorkerCrashed("the HTP compiler was killed (out of memory?)")
    return ConversionFailed(f"the HTP compiler crashed (status {status}): {tail}")


def _require_all_on_the_chip(trace: Path, soc: Soc) -> None:
    refused = parse_op_trace(trace.read_text()) if trace.is_file() else ()
    if refused:
        raise NotDeployable(refusal(refused, f"{soc.name} ({soc.hexagon})"))


def _point(wrapper: Path, context: str) -> None:
    """The wrapper's one node names the file of the context beside it."""
    model = onnx.load(wrapper)
    (node,) = model.graph.node
    for attribute in node.attribute:
        if attribute.name == "ep_cache_context":
            attribute.s = context.encode()
    wrapper.write_bytes(model.SerializeToString(deterministic=True))
