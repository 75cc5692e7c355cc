"""Compiles one context binary: a program of its own, run in the folder of its job by `htp_compiler`.

In: `{"provider": …, "backend": …, "network": …, "options": {…}}` on stdin. Out: `context.onnx`, `context_qnn.bin`,
`qnn_op_trace.json` and `answer.json`, whose `error` is null or what onnxruntime said. It knows nothing of paretofarm,
so that it starts in a third of a second. It is not forked from the worker: Qualcomm's compiler starts threads, and what
it compiles second in a process comes out in other bytes than the first.
"""

import json
import sys
from pathlib import Path
from typing import Any

import onnxruntime

PROVIDER = "QNNExecutionProvider"
QUIET = 4


def main() -> None:
    job = json.load(sys.stdin)
    error: str | None = None
    try:
        _compile(job)
    except Exception as problem:  # onnxruntime's have no base class in common; the answer carries whatever it was
        error = str(problem) or type(problem).__name__
    Path("answer.json").write_text(json.dumps({"error": error}))


def _compile(job: dict[str, Any]) -> None:
    onnxruntime.register_execution_provider_library(PROVIDER, job["provider"])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = QUIET
    # An op that is not on the HTP is an error, not slow.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_session_config_entry("ep.context_enable", "1")
    options.add_session_config_entry("ep.context_file_path", "context.onnx")
    options.add_session_config_entry("ep.context_embed_mode", "0")
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]
    options.add_provider_for_devices(devices, {"backend_path": job["backend"], **job["options"]})
    onnxruntime.InferenceSession(job["network"], options)


if __name__ == "__main__":
    main()
