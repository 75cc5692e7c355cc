"""Context binaries by Qualcomm's own SDK (QAIRT), where the user has one: converter, quantizer, context generator.

Never run here for real: the SDK needs an account. Options as of QAIRT 2.3x to 2.4x; tested with programs that check
what they are given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretofarm.errors import ConfigError, ConversionFailed
from paretofarm.qairt import sdk_version
from paretofarm.qnn_network import CONTEXT, GENERAL_CONTEXT, parse_context_info
from workers.session import INPUT, OUTPUT
from workers.toolchains.host_program import run_program, tail
from workers.toolchains.htp_compiler import HtpTarget
from workers.toolchains.qnn_calibration import CalibrationFiles
from workers.toolchains.qnn_makers import Made
from workers.toolchains.ranges import Ranges

HOST = "x86_64-linux-clang"
TOOLS = ("qairt-converter", "qairt-quantizer", "qnn-context-binary-generator", "qnn-context-binary-utility")
LIBRARIES = ("libQnnHtp.so", "libQnnModelDlc.so", "libQnnHtpNetRunExtensions.so")
ACTIVATION_BITS = {"int8": 8, "a16w8": 16}
GRAPH = "network"
TIME_LIMIT_S = 1500.0


@dataclass(frozen=True)
class SdkMaker:
    """root: QNN_SDK_ROOT; environment: the worker's. `ConfigError` names what is missing there."""

    root: Path
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        wanted = [*(self._tool(name) for name in TOOLS), *(self._library(name) for name in LIBRARIES)]
        missing = [str(path.relative_to(self.root)) for path in wanted if not path.is_file()]
        if missing:
            raise ConfigError(f"QNN_SDK_ROOT is {self.root}, which lacks {', '.join(missing)}")

    @property
    def qnn_version(self) -> str:
        description = self.root / "sdk.yaml"
        version = sdk_version(description.read_text() if description.is_file() else "", self.root.name)
        if version is None:
            raise ConfigError(f"QNN_SDK_ROOT is {self.root}: neither sdk.yaml nor the folder's name tells its version")
        return version

    @property
    def identity(self) -> str:
        return f"QAIRT SDK {self.qnn_version}"

    @property
    def takes_ranges(self) -> bool:
        """Its quantizer looks for them itself."""
        return False

    def make(
        self,
        source: Path,
        calibration: CalibrationFiles,
        precision: str,
        target: HtpTarget,
        folder: Path,
        ranges: Ranges | None,
    ) -> Made:
        (folder / "network.onnx").write_bytes(source.read_bytes())
        (folder / "inputs.txt").write_text("".join(f"{INPUT}:={file}\n" for file in calibration.files))
        for argv in self._quantization(precision):
            self._run(argv, folder)
        contexts = {CONTEXT: target, **({GENERAL_CONTEXT: target.general} if target.stamped else {})}
        for name, meant in contexts.items():
            self._generate(name, meant, folder)
        self._run(
            (self._program("qnn-context-binary-utility"), "--context_binary", CONTEXT, "--json_file", "context.json"),
            folder,
        )
        return self._made(folder, contexts)

    def _quantization(self, precision: str) -> tuple[Sequence[str], ...]:
        """All paths below the working folder, but for the SDK's own."""
        return (
            (self._program("qairt-converter"), *converter_arguments()),
            (self._program("qairt-quantizer"), *quantizer_arguments(precision)),
        )

    def _generate(self, context: str, target: HtpTarget, folder: Path) -> None:
        """Makes a context of that name."""
        for name, document in backend_configuration(target, self._library(LIBRARIES[2]), folder).items():
            (folder / name).write_text(json.dumps(document, indent=1))
        argv = (
            *(self._program("qnn-context-binary-generator"), "--backend", str(self._library("libQnnHtp.so"))),
            *("--model", str(self._library("libQnnModelDlc.so")), "--dlc_path", "quantized.dlc"),
            *("--binary_file", context.removesuffix(".bin"), "--output_dir", ".", "--config_file", "backend.json"),
        )
        self._run(argv, folder)

    def _made(self, folder: Path, contexts: Iterable[str]) -> Made:
        document = json.loads((folder / "context.json").read_text())
        names = [graph["info"]["graphName"] for graph in document["info"]["graphs"]]
        if names != [GRAPH]:
            # Options are given per graph, by name: under another name they are silently left out.
            raise ConversionFailed(f"the SDK calls the graph {', '.join(names)}, not {GRAPH}: its options do not count")
        return Made({name: folder / name for name in contexts}, *parse_context_info(document), agreement=None)

    def _run(self, argv: Sequence[str], folder: Path) -> None:
        outcome = run_program(
            argv, folder=folder, environment=self.environment, own=self._own_variables(), timeout_s=TIME_LIMIT_S
        )
        if outcome.exit_code != 0:
            raise ConversionFailed(f"{outcome.name} ended with exit code {outcome.exit_code}: {tail(outcome.output)}")

    def _own_variables(self) -> dict[str, str]:
        """What the SDK's `envsetup.sh` sets."""
        return {
            "QNN_SDK_ROOT": str(self.root),
            "PYTHONPATH": str(self.root / "lib/python"),
            "LD_LIBRARY_PATH": str(self.root / "lib" / HOST),
        }

    def _program(self, name: str) -> str:
        return str(self._tool(name))

    def _tool(self, name: str) -> Path:
        return self.root / "bin" / HOST / name

    def _library(self, name: str) -> Path:
        return self.root / "lib" / HOST / name


def converter_arguments() -> tuple[str, ...]:
    """Images and logits of channels second in the source, last on the chip."""
    inputs = ("--source_model_input_layout", INPUT, "NCHW", "--desired_input_layout", INPUT, "NHWC")
    outputs = ("--source_model_output_layout", OUTPUT, "NCHW", "--desired_output_layout", OUTPUT, "NHWC")
    return ("--input_network", "network.onnx", "--output_path", "network.dlc", *inputs, *outputs)


def quantizer_arguments(precision: str) -> tuple[str, ...]:
    return (
        *("--input_dlc", "network.dlc", "--output_dlc", "quantized.dlc", "--input_list", "inputs.txt"),
        *("--act_bitwidth", str(ACTIVATION_BITS[precision]), "--weights_bitwidth", "8", "--bias_bitwidth", "32"),
        "--use_per_channel_quantization",
    )


def backend_configuration(target: HtpTarget, extensions: Path, folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Two files, the first of which names the second: what to compile for."""
    stamp = {"soc_model": target.soc.soc_model} if target.stamped else {}
    return {
        "backend.json": {
            "backend_extensions": {
                "shared_library_path": str(extensions),
                "config_file_path": str(folder / "htp.json"),
            }
        },
        "htp.json": {
            "graphs": [{"graph_names": [GRAPH], "vtcm_mb": target.soc.vtcm_mb, "O": 3}],
            "devices": [{"dsp_arch": f"v{target.soc.arch}", **stamp}],
        },
    }
