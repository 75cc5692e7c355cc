"""Runs a context binary in Qualcomm's x86 simulator of the HTP; pushed to a host with `onnxruntime-qnn`, and run there.

    python qnn_sim_runner.py                                        what is installed
    python qnn_sim_runner.py context.onnx inputs.raw outputs.raw    runs all inputs of a file, one after the other

Prints one line of JSON. Exit code 1: the network does not run; 3: onnxruntime-qnn is not there. It stands alone: where
it runs there is no paretofarm. Times are left out on purpose: a simulator has none that mean anything.
"""

import json
import os
import sys
from typing import Any

PROVIDER = "QNNExecutionProvider"
MISSING = 3
TYPES = {"tensor(uint8)": "uint8", "tensor(uint16)": "uint16"}


def main() -> int:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    answer = os.dup(1)
    os.dup2(2, 1)  # Qualcomm's libraries write to stdout
    code, document = answered(sys.argv[1:])
    with os.fdopen(answer, "w") as stream:
        stream.write(json.dumps({"simulated": True, **document}) + "\n")
    return code


def answered(words: list[str]) -> tuple[int, dict[str, Any]]:
    try:
        import onnxruntime_qnn
        from onnxruntime_qnn import build_and_package_info
    except ImportError as error:
        return MISSING, {"error": str(error)}
    versions = {"onnxruntime_qnn": onnxruntime_qnn.__version__, "qnn": build_and_package_info.qnn_version}
    if not words:
        return 0, versions
    try:
        return 0, {**versions, "images": infer(*words)}
    except Exception as error:  # onnxruntime's have no base class in common; whoever asked is told
        return 1, {**versions, "error": f"{type(error).__name__}: {error}"}


def infer(network: str, inputs: str, outputs: str) -> int:
    """How many inputs there were."""
    import numpy as np

    session = open_session(network)
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    images = np.fromfile(inputs, TYPES[taken.type]).reshape(-1, *taken.shape)
    with open(outputs, "wb") as file:
        for image in images:
            session.run([given.name], {taken.name: image})[0].tofile(file)
    return len(images)


def open_session(network: str) -> Any:
    import onnxruntime
    import onnxruntime_qnn

    onnxruntime.register_execution_provider_library(PROVIDER, onnxruntime_qnn.get_library_path())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]
    options.add_provider_for_devices(devices, {"backend_path": onnxruntime_qnn.get_qnn_htp_path()})
    return onnxruntime.InferenceSession(network, options)


if __name__ == "__main__":
    sys.exit(main())
