"""The toolchain qnn with Qualcomm's own SDK, of which strict stand-ins check what they are given."""

import json
import zipfile
from pathlib import Path

import fake_qnn
import numpy as np
import pytest
from one_convolution import network

from paretofarm.errors import ConfigError, ConversionFailed
from paretofarm.labelled_images import LabelledImages
from paretofarm.qnn_network import parse_interface
from paretofarm.runtimes import QnnMeasurement, QnnSimMeasurement
from workers.export import export_onnx
from workers.toolchains import CompiledNetwork, HeldOut, toolchain

SIDE = 16
IMAGES = [np.zeros((1, 3, SIDE, SIDE), np.float32)] * 2
INT8 = QnnMeasurement(runtime="qnn")


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    return fake_qnn.make_sdk(tmp_path / "sdk")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torch import nn

    path = tmp_path_factory.mktemp("network") / "float.onnx"
    export_onnx(nn.Conv2d(3, 4, 1), (1, 3, SIDE, SIDE), path)
    return path


def compiled(
    source: Path, sdk: Path, settings: QnnMeasurement | QnnSimMeasurement = INT8, held_out: HeldOut | None = None
) -> CompiledNetwork:
    environment = {"QNN_SDK_ROOT": str(sdk), "PATH": "/usr/bin:/bin", "PARETOFARM_DATABASE_PASSWORD": "secret"}
    return toolchain(settings, environment, sdk.parent / "cache").compile(
        source, IMAGES, "sm8550", sdk.parent / "compiled", held_out
    )


def context(package: Path, name: str = "context.bin") -> dict[str, object]:
    with zipfile.ZipFile(package) as archive:
        document: dict[str, object] = json.loads(archive.read(name))
    return document


@pytest.mark.parametrize(("precision", "bits"), [("int8", 8), ("a16w8", 16)])
def test_a_network_goes_through_converter_quantizer_and_generator(
    source: Path, sdk: Path, precision: str, bits: int
) -> None:
    settings = QnnMeasurement.model_validate({"runtime": "qnn", "precision": precision})
    made = compiled(source, sdk, settings)
    found = context(made.path)
    assert (found["bits"], found["images"], found["classes"]) == (bits, 2, 4)
    assert found["target"] == {
        "graphs": [{"graph_names": ["network"], "vtcm_mb": 8, "O": 3}],
        "devices": [{"dsp_arch": "v73", "soc_model": 43}],
    }
    assert made.reference is not None
    assert context(made.reference)["side"] == 192


def test_what_goes_in_and_out_is_what_the_sdk_says(source: Path, sdk: Path) -> None:
    made = compiled(source, sdk)
    with zipfile.ZipFile(made.path) as archive:
        found = parse_interface(archive.read("interface.json"), "compiled")
        assert archive.namelist() == ["context-arch.bin", "context.bin", "interface.json"]
    assert (found.input.shape, found.input.scale) == ((1, SIDE, SIDE, 3), fake_qnn.SCALE)
    assert (found.output.shape, found.output.offset) == ((1, SIDE, SIDE, 4), fake_qnn.OFFSET)
    assert found.qnn_version == fake_qnn.VERSION
    assert "int8_agreement" not in made.notes


def test_a_context_for_all_chips_of_an_architecture_names_no_chip(source: Path, sdk: Path) -> None:
    alone = compiled(source, sdk, QnnMeasurement(runtime="qnn", target="arch")).path
    found = context(alone)
    assert found["target"] == {
        "graphs": [{"graph_names": ["network"], "vtcm_mb": 8, "O": 3}],
        "devices": [{"dsp_arch": "v73"}],
    }
    with zipfile.ZipFile(alone) as archive:
        assert "context-arch.bin" not in archive.namelist()
    assert context(compiled(source, sdk).path, "context-arch.bin") == found


def test_what_the_converter_refuses_is_told(sdk: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(network(tmp_path / "float.onnx", 4))
    model.graph.node.append(onnx.helper.make_node("Erf", ["y"], ["z"], name="erf"))
    onnx.save(model, tmp_path / "erf.onnx")
    with pytest.raises(ConversionFailed, match=r"qairt-converter ended with exit code 1: .*op type onnx_erf"):
        compiled(tmp_path / "erf.onnx", sdk)


def test_another_sdk_compiles_anew(source: Path, tmp_path: Path) -> None:
    versions = set()
    for version in ("2.40.0.1", "2.51.0.2"):
        made = compiled(source, fake_qnn.make_sdk(tmp_path / version, version))
        versions.add(made.notes["qnn"])
    assert versions == {"2.40.0.1", "2.51.0.2"}


def test_the_simulator_takes_the_wheel_all_the_same(source: Path, sdk: Path) -> None:
    made = compiled(source, sdk, QnnSimMeasurement(runtime="qnn-sim"))
    with zipfile.ZipFile(made.path) as archive:
        assert "context.onnx" in archive.namelist()


def test_the_sdks_quantizer_takes_the_extremes_of_a_trained_network_too(source: Path, sdk: Path) -> None:
    labelled = LabelledImages(tuple("abcd"), 255, np.zeros((1, 3, SIDE, SIDE), np.uint8), np.zeros((1, SIDE, SIDE)))
    held_out = HeldOut(labelled, lambda share: None)
    made = compiled(source, sdk, held_out=held_out)
    assert made.calibration is None
    assert made.path.read_bytes() == compiled(source, sdk).path.read_bytes()
    with pytest.raises(ConfigError, match="is mse: the quantizer of QNN_SDK_ROOT knows minmax only"):
        compiled(source, sdk, QnnMeasurement(runtime="qnn", calibration="mse"), held_out)


def test_what_an_sdk_lacks_is_listed(source: Path, sdk: Path) -> None:
    (sdk / "bin/x86_64-linux-clang/qairt-quantizer").unlink()
    with pytest.raises(ConfigError, match=r"QNN_SDK_ROOT is .*, which lacks bin/x86_64-linux-clang/qairt-quantizer$"):
        compiled(source, sdk)


def test_an_sdk_that_hides_its_version_is_refused(source: Path, sdk: Path) -> None:
    (sdk / "sdk.yaml").unlink()
    with pytest.raises(ConfigError, match=r"neither sdk.yaml nor the folder's name"):
        compiled(source, sdk)
