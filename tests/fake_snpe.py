"""Stand-ins for the tools of Qualcomm's SNPE SDK: strict about arguments, environment and files, as far as is known.

`make_sdk` writes a folder like the SDK's; its programs are this file, under the tools' names. A stand-in DLC is JSON;
the network it stands for adds an image's channels up: output c at a pixel is their sum times (c + 1).
"""

import json
import os
import shutil
import signal
import sys
from array import array
from pathlib import Path
from typing import Any, NoReturn

ARCHS = (68, 73)
HOST, PHONE = "x86_64-linux-clang", "aarch64-android"
HOST_TOOLS = ("snpe-onnx-to-dlc", "snpe-dlc-quant", "snpe-dlc-graph-prepare", "snpe-diagview")
LAYERS = ("Input OpId_2", "stem:OpId_18", "Output OpId_3")


def make_sdk(root: Path) -> Path:
    """The SDK's folder."""
    for name in HOST_TOOLS:
        _program(root / "bin" / HOST / name)
    _program(root / "bin" / PHONE / "snpe-net-run")
    for name in ("libSNPE.so", *(f"libSnpeHtpV{arch}Stub.so" for arch in ARCHS)):
        _library(root / "lib" / PHONE / name)
    for arch in ARCHS:
        _library(root / "lib" / f"hexagon-v{arch}" / "unsigned" / f"libSnpeHtpV{arch}Skel.so")
    (root / "lib/python").mkdir()
    (root / "sdk.yaml").write_text("name: QAIRT\nversion: 2.31.0.250130\n")
    return root


def _program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
    path.chmod(0o755)


def _library(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"stands for {path.name}")


def _fail(text: str, code: int = 64) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(code)


def _options(words: list[str], *, named: set[str], flags: frozenset[str] = frozenset()) -> dict[str, str]:
    """`--name VALUE` or `--name=VALUE`; exactly the named ones, and the flags."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        found[name] = "" if name in flags else value if equals else next(rest)
    if set(found) != named | flags:
        _fail(f"arguments {sorted(found)}, expected {sorted(named | flags)}")
    return found


def _require_host_environment() -> None:
    root = Path(sys.argv[0]).parents[2]
    expected = {"SNPE_ROOT": str(root), "LD_LIBRARY_PATH": str(root / "lib" / HOST)}
    if sys.argv[0].endswith(HOST_TOOLS[:3]):
        expected["PYTHONPATH"] = str(root / "lib/python")
    for name, value in expected.items():
        if os.environ.get(name) != value:
            _fail(f"environment: {name} is {os.environ.get(name)}, expected {value}")
    leaked = [name for name in os.environ if name.startswith("PARETOFARM_") or "PASSWORD" in name]
    if leaked:
        _fail(f"environment: {leaked} are not for others")


def _read(path: str, stage: str) -> dict[str, Any]:
    dlc: dict[str, Any] = json.loads(Path(path).read_text())
    if dlc["stage"] != stage:
        _fail(f"{path} is {dlc['stage']}, expected {stage}")
    return dlc


def convert(words: list[str]) -> None:
    import onnx

    options = _options(words, named={"input_network", "output_path"})
    graph = onnx.load(options["input_network"]).graph
    for node in graph.node:
        if node.op_type == "Erf":
            reason = f"No translation registered for op type onnx_erf. Op name: {node.name}"
            _fail(f"2026-11-22 05:00:01,123 - 217 - ERROR - Encountered Error: '{reason}'\nTraceback (most recent", 1)
    _, channels, height, width = (size.dim_value for size in graph.input[0].type.tensor_type.shape.dim)
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    dlc = {"stage": "float", "input": [1, height, width, channels], "classes": classes, "argv": words}
    Path(options["output_path"]).write_text(json.dumps(dlc))


def quantize(words: list[str]) -> None:
    wide = any(word.startswith("--act_bitwidth") for word in words)
    named = {"input_dlc", "input_list", "output_dlc"} | ({"act_bitwidth", "weights_bitwidth"} if wide else set())
    options = _options(words, named=named)
    dlc = _read(options["input_dlc"], "float")
    names = Path(options["input_list"]).read_text().split()
    images = [_floats(name, dlc) for name in names]
    means = [sum(images[0][channel::3]) / len(images[0]) * 3 for channel in range(3)]
    bits = options.get("act_bitwidth", "8")
    Path(options["output_dlc"]).write_text(
        json.dumps({**dlc, "stage": "quantized", "bits": bits, "images": len(names), "means": means})
    )


def prepare(words: list[str]) -> None:
    options = _options(words, named={"input_dlc", "output_dlc", "htp_socs"})
    dlc = _read(options["input_dlc"], "quantized")
    if dlc["classes"] > 100:
        _fail(
            "[ ERROR ] QnnDsp <E> validateOpConfig failed for Op conv_7 of Type Conv2d: 0xc26\nGraph prepare failed", 1
        )
    Path(options["output_dlc"]).write_text(json.dumps({**dlc, "stage": "prepared", "soc": options["htp_socs"]}))


def net_run(words: list[str]) -> None:
    named = {"container", "input_list", "output_dir", "perf_profile", "profiling_level"}
    options = _options(words, named=named, flags=frozenset({"use_dsp"}))
    dlc = _read(options["container"], "prepared")
    _require_libraries()
    if dlc.get("signal"):
        os.kill(os.getpid(), getattr(signal, dlc["signal"]))
    if dlc.get("say"):
        _fail(dlc["say"], 1)
    names = Path(options["input_list"]).read_text().split()
    computed: dict[str, bytes] = {}
    for number, name in enumerate(names):
        if name not in computed:
            computed[name] = _computed(_floats(name, dlc), dlc)
        result = Path(options["output_dir"], f"Result_{number}")
        result.mkdir(parents=True)
        (result / "logits.raw").write_bytes(computed[name])
    _leave_log(Path(options["output_dir"]), options, dlc)


def _leave_log(folder: Path, options: dict[str, str], dlc: dict[str, Any]) -> None:
    missing = Path(options["container"]).with_name("logs_missing")
    left = int(missing.read_text()) if missing.exists() else 0
    if left:
        missing.write_text(str(left - 1))
    else:
        (folder / "SNPEDiag_0.log").write_text(json.dumps({"us": dlc.get("us", 3318), **options}))


def _require_libraries() -> None:
    libraries, vendor = os.environ["LD_LIBRARY_PATH"].split(":")
    skels, *others = os.environ["ADSP_LIBRARY_PATH"].split(";")
    if not vendor.endswith("/vendor/lib64") or len(others) != 5 or others[-1] != "/dsp":
        _fail(f"environment: {os.environ['LD_LIBRARY_PATH']} {os.environ['ADSP_LIBRARY_PATH']}")
    if not Path(libraries, "libSNPE.so").is_file() or not list(Path(skels).glob("libSnpeHtpV*Skel.so")):
        _fail(f"Failed to load skel, error: 4000: {libraries} {skels}", 1)


def _floats(name: str, dlc: dict[str, Any]) -> "array[float]":
    values = array("f", Path(name).read_bytes())
    _, height, width, channels = dlc["input"]
    if len(values) != height * width * channels:
        _fail(f"{name} has {len(values)} values, the input {dlc['input']}", 1)
    return values


def _computed(image: "array[float]", dlc: dict[str, Any]) -> bytes:
    sums = [image[at] + image[at + 1] + image[at + 2] for at in range(0, len(image), 3)]
    classes = range(1, dlc["classes"] + 1)
    values = array("f", (total * factor for total in sums for factor in classes))
    return values.tobytes()[: len(values) * 4 // dlc.get("cut", 1)]


def diagview(words: list[str]) -> None:
    log = json.loads(Path(_options(words, named={"input_log"})["input_log"]).read_text())
    total = log["us"]
    rows = "\n".join(f"    {i}: {name} : {100 * i + 1} us : DSP" for i, name in enumerate(LAYERS))
    detailed = f"\n  Per-Layer Execution Times: \n  ------\n{rows}\n" if log["profiling_level"] == "detailed" else ""
    print(f"""Log File Created: Sun Nov 22 05:00:00 2026
Time Scale: 1e-06
Software library version: 2.31.0.250130
------------------------------------------------------------

SNPE Create Statistics:
----------------------------------------
  Load: 1813 us
  Init: 158658 us
  De-Init: 6636 us
  RPC Init Time: 1158 us

SNPE Execute Statistics (Averaged):
----------------------------------------
  Total Inference Time: {total} us
  Forward Propagate Time: {total - 12} us
  RPC Execute Time: {total - 700} us
  Snpe Accelerator Time: {total - 800} us
  Num times yield occurred: 0
  Accelerator Time: {total - 1000} us
{detailed}""")


PROGRAMS = {
    "snpe-onnx-to-dlc": convert,
    "snpe-dlc-quant": quantize,
    "snpe-dlc-quantize": quantize,
    "snpe-dlc-graph-prepare": prepare,
    "snpe-net-run": net_run,
    "snpe-diagview": diagview,
}


def remove(root: Path, *parts: str) -> None:
    """Takes a file or folder out of an SDK."""
    for part in parts:
        path = root / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    program = Path(sys.argv[0]).name
    if program != "snpe-net-run":
        _require_host_environment()
    PROGRAMS[program](sys.argv[1:])
