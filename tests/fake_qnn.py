"""Stand-ins for the tools of Qualcomm's QAIRT SDK: strict about arguments, environment and files, as far as is known.

`make_sdk` writes a folder like the SDK's; its programs are this file, under the tools' names. A stand-in context is
JSON; the network that it stands for gives an image's first channel plus c for class c, as levels, at most 255.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

ARCHS = (68, 73)
HOST, PHONE = "x86_64-linux-clang", "aarch64-android"
CONVERSION = ("qairt-converter", "qairt-quantizer", "qnn-context-binary-generator", "qnn-context-binary-utility")
PHONE_LIBRARIES = ("libQnnHtp.so", "libQnnSystem.so", "libQnnHtpNetRunExtensions.so")
HOST_LIBRARIES = ("libQnnHtp.so", "libQnnModelDlc.so", "libQnnHtpNetRunExtensions.so")
VENDOR = "/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp;/system/lib/rfsa/adsp;/system/vendor/lib/rfsa/adsp;/dsp"
SCALE, OFFSET = 0.5, -10
VERSION = "2.51.0.260929"

FAULTS = {
    "refused": "[ ERROR ] QnnDsp <E> Failed createFromBinary with err 1002\nCould not create context from binary",
    "dsp": "[ ERROR ] DspTransport.openSession qnn_open failed, 0x80000406",
    "odd": "something that nobody has seen before",
}


def make_sdk(root: Path, version: str = VERSION) -> Path:
    """The SDK's folder."""
    for name in (*CONVERSION, "qnn-profile-viewer"):
        _program(root / "bin" / HOST / name)
    _program(root / "bin" / PHONE / "qnn-net-run")
    for folder, names in ((HOST, HOST_LIBRARIES), (PHONE, PHONE_LIBRARIES)):
        for name in names:
            _library(root / "lib" / folder / name)
    for arch in ARCHS:
        _library(root / "lib" / PHONE / f"libQnnHtpV{arch}Stub.so")
        _library(root / "lib" / f"hexagon-v{arch}" / "unsigned" / f"libQnnHtpV{arch}Skel.so")
    (root / "lib/python").mkdir()
    (root / "sdk.yaml").write_text(f"name: QAIRT\nversion: {version}\n")
    return root


def stand_in(side: int, classes: int, fault: str = "") -> bytes:
    """A context for images of that side."""
    return json.dumps({"stands_for": "context", "side": side, "classes": classes, "fault": fault}).encode()


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


def _options(words: list[str], *, named: set[str], flags: set[str] = frozenset()) -> dict[str, str]:  # type: ignore[assignment]
    """`--name VALUE`; exactly the named ones, and the flags."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name = word.removeprefix("--")
        found[name] = "" if name in flags else next(rest)
    if set(found) != named | flags:
        _fail(f"arguments {sorted(found)}, expected {sorted(named | flags)}")
    return found


def _require_host_environment() -> None:
    root = Path(sys.argv[0]).parents[2]
    expected = {"LD_LIBRARY_PATH": str(root / "lib" / HOST)}
    if sys.argv[0].endswith(CONVERSION):
        expected |= {"QNN_SDK_ROOT": str(root), "PYTHONPATH": str(root / "lib/python")}
    for name, value in expected.items():
        if os.environ.get(name) != value:
            _fail(f"environment: {name} is {os.environ.get(name)}, expected {value}")
    leaked = [name for name in os.environ if name.startswith("PARETOFARM_") or "PASSWORD" in name]
    if leaked:
        _fail(f"environment: {leaked} are not for others")


# The host's tools, in the order in which a network goes through them.


def convert(words: list[str]) -> None:
    import onnx

    layouts = ["--source_model_input_layout", "image", "NCHW", "--desired_input_layout", "image", "NHWC"]
    layouts += ["--source_model_output_layout", "logits", "NCHW", "--desired_output_layout", "logits", "NHWC"]
    if words[4:] != layouts:
        _fail(f"layouts {words[4:]}")
    options = _options(words[:4], named={"input_network", "output_path"})
    graph = onnx.load(options["input_network"]).graph
    for node in graph.node:
        if node.op_type == "Erf":
            _fail(f"ERROR - Encountered Error: No translation registered for op type onnx_erf. Op name: {node.name}", 1)
    side = graph.input[0].type.tensor_type.shape.dim[3].dim_value
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    name = Path(options["output_path"]).stem
    _write(options["output_path"], {"stands_for": "dlc", "graph": name, "side": side, "classes": classes})


def quantize(words: list[str]) -> None:
    named = {"input_dlc", "output_dlc", "input_list", "act_bitwidth", "weights_bitwidth", "bias_bitwidth"}
    options = _options(words, named=named, flags={"use_per_channel_quantization"})
    dlc = json.loads(Path(options["input_dlc"]).read_text())
    lines = Path(options["input_list"]).read_text().splitlines()
    sizes = {Path(line.removeprefix("image:=")).stat().st_size for line in lines}
    if sizes != {dlc["side"] ** 2 * 3 * 4} or (options["weights_bitwidth"], options["bias_bitwidth"]) != ("8", "32"):
        _fail(f"inputs of {sizes} bytes, {options}")
    _write(options["output_dlc"], {**dlc, "bits": int(options["act_bitwidth"]), "images": len(lines)})


def generate(words: list[str]) -> None:
    options = _options(words, named={"backend", "model", "dlc_path", "binary_file", "output_dir", "config_file"})
    extensions = json.loads(Path(options["config_file"]).read_text())["backend_extensions"]
    htp = json.loads(Path(extensions["config_file_path"]).read_text())
    dlc = json.loads(Path(options["dlc_path"]).read_text())
    for library in (options["backend"], options["model"], extensions["shared_library_path"]):
        if not Path(library).read_text().startswith("stands for lib"):
            _fail(f"{library} is no library")
    document = {**dlc, "stands_for": "context", "fault": "", "target": htp}
    _write(str(Path(options["output_dir"], f"{options['binary_file']}.bin")), document)


def tell(words: list[str]) -> None:
    options = _options(words, named={"context_binary", "json_file"})
    context = json.loads(Path(options["context_binary"]).read_text())
    side, bits = context["side"], context["bits"]

    def described(name: str, channels: int, offset: int) -> dict[str, Any]:
        quantization = {"scaleOffset": {"scale": SCALE, "offset": offset}}
        dtype = f"QNN_DATATYPE_UFIXED_POINT_{bits}"
        dimensions = [1, side, side, channels]
        return {"info": {"name": name, "dimensions": dimensions, "dataType": dtype, "quantizeParams": quantization}}

    graph = {
        "graphName": context["graph"],
        "graphInputs": [described("image", 3, 0)],
        "graphOutputs": [described("logits", context["classes"], OFFSET)],
    }
    _write(options["json_file"], {"info": {"graphs": [{"info": graph}]}})


def view(words: list[str]) -> None:
    if words == ["--version"]:
        print(f"qnn-profile-viewer v{VERSION}")
        return
    log = json.loads(Path(_options(words, named={"input_log"})["input_log"]).read_text())
    times = {"NetRun": 3100, "RPC": 2900, "QNN accelerator": 2600, "Accelerator": 2400}
    print("Qnn Init/Prepare/Finalize/De-Init/Execute/Lib-Load Statistics:\n\nInit Stats:\n-----------")
    print("    NetRun:  87500 us\n    Backend (RPC (load binary) time): 30000 us\n")
    for statistic, plus in (("Average", 0), ("Min", -100), ("Max", 900)):
        print(f"Execute Stats ({statistic}):\n-----------")
        print("Total Inference Time: \n---------------------\nGraph 0 (network):")
        print(f"    NetRun:  {times['NetRun'] + plus} us\n    Backend (Number of HVX threads used): 4 count")
        for name in ("RPC", "QNN accelerator", "Accelerator"):
            print(f"    Backend ({name} (execute) time): {times[name] + plus} us")
        print("    Backend (Accelerator (execute) time (cycles)): 14436712 cycles\n")
    print(f"Execute Stats (Overall):\n------------\n    NetRun IPS:  {1e6 / times['NetRun']:.4f} inf/sec")
    if log["inferences"] < 1:
        _fail("no inference in the log")


# The phone's.


def run(words: list[str]) -> None:
    plain = {"backend", "retrieve_context", "input_list", "output_dir", "perf_profile"}
    repeated = {"num_inferences", "keep_num_outputs"} if "--num_inferences" in words else set()
    profiled = {"profiling_level"} if "--profiling_level" in words else set()
    native = {"use_native_input_files", "use_native_output_files"}
    options = _options(words, named=plain | repeated | profiled, flags=native)
    _require_phone_environment(options)
    try:
        context = json.loads(Path(options["retrieve_context"]).read_bytes())
    except ValueError:
        _fail(FAULTS["refused"], 1)
    _misbehave(context["fault"])
    inputs = [line.removeprefix("image:=") for line in Path(options["input_list"]).read_text().splitlines()]
    for number, name in enumerate(inputs):
        _infer(context, Path(name).read_bytes(), Path(options["output_dir"], f"Result_{number}"))
    if profiled and context["fault"] != "no-profile":
        log = {"inferences": int(options["num_inferences"]) * len(inputs)}
        _write(str(Path(options["output_dir"], "qnn-profiling-data_0.log")), log)
    print("qnn-net-run pid:1\n" + ("" if context["fault"] == "quiet" else "Finished Executing Graphs"))


def _misbehave(fault: str) -> None:
    if fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault in FAULTS:
        _fail(FAULTS[fault], 1)


def _infer(context: dict[str, Any], image: bytes, folder: Path) -> None:
    side, classes = context["side"], context["classes"]
    if len(image) != side * side * 3:
        _fail(f"an input of {len(image)} bytes, expected {side * side * 3}", 1)
    levels = bytes(min(255, first + number) for first in image[::3] for number in range(classes))
    folder.mkdir(parents=True)
    if context["fault"] != "no-output":
        folder.joinpath("logits_native.raw").write_bytes(levels[: -1 if context["fault"] == "short" else None])


def _require_phone_environment(options: dict[str, str]) -> None:
    tools = Path(sys.argv[0]).parents[1]
    # A virtual phone's root lies somewhere on its host, also in what is named here.
    root, _, _ = str(tools).partition("/data/local/tmp/")
    root = root if root != str(tools) else ""
    phone = str(tools).removeprefix(root)
    expected = {"LD_LIBRARY_PATH": f"{phone}/lib:/vendor/lib64", "ADSP_LIBRARY_PATH": f"{phone}/dsp;{VENDOR}"}
    for name, value in expected.items():
        if os.environ.get(name, "").replace(root or "\0", "") != value:
            _fail(f"environment: {name} is {os.environ.get(name)}, expected {value}")
    if Path(options["backend"]) != tools / "lib/libQnnHtp.so":
        _fail(f"backend {options['backend']}")
    for name in PHONE_LIBRARIES:
        if not (tools / "lib" / name).is_file():
            _fail(f"no {name}")
    if not list((tools / "lib").glob("*Stub.so")) or not list((tools / "dsp").glob("*Skel.so")):
        _fail("no stub or no skel")


def _write(path: str, document: dict[str, Any]) -> None:
    Path(path).write_text(json.dumps(document))


def main() -> None:
    tool = Path(sys.argv[0]).name
    tools = {
        **dict(zip(CONVERSION, (convert, quantize, generate, tell), strict=True)),
        "qnn-profile-viewer": view,
        "qnn-net-run": run,
    }
    if tool != "qnn-net-run":
        _require_host_environment()
    tools[tool](sys.argv[1:])


if __name__ == "__main__":
    main()
