import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small_training import SHAPE, SIDE, small_network
from torch import nn

from paretofarm.errors import BuildFailed, OutOfMemory
from workers.export import export_onnx, run_onnx, verify_onnx


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "network.onnx"
    export_onnx(small_network(), SHAPE, path)
    return path


def test_the_exported_network_computes_what_torch_computes(exported: Path) -> None:
    assert verify_onnx(small_network(), exported, SHAPE) < 1e-4


def test_names_and_shapes_are_fixed_and_batch_norm_is_folded(exported: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["logits"]
    assert run_onnx(exported, np.zeros(SHAPE, np.float32)).shape == (1, 4, SIDE, SIDE)
    assert {node.op_type for node in model.graph.node} == {"Conv", "Relu", "Resize", "Add"}
    assert model.opset_import[0].version == 18


def test_the_same_weights_give_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    export_onnx(small_network(), SHAPE, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == exported.read_bytes()


def test_nothing_of_this_machine_is_in_the_file(exported: Path) -> None:
    assert str(Path(__file__).parents[3]).encode() not in exported.read_bytes()


def test_exporting_is_silent_and_leaves_the_network_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    network = small_network().train()
    level = logging.getLogger("torch.onnx").level
    export_onnx(network, SHAPE, tmp_path / "network.onnx")
    assert network.training
    assert logging.getLogger("torch.onnx").level == level
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_an_op_that_onnx_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"no equivalent of the op aten\.linalg_qr"):
        export_onnx(_Unsupported(), SHAPE, tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_run_says_why(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="to have 5 channels, but got 3 channels"):
        export_onnx(nn.Conv2d(5, 4, 1), SHAPE, tmp_path / "network.onnx")


def test_too_large_a_network_is_out_of_memory(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory):
        export_onnx(_Starved(), SHAPE, tmp_path / "network.onnx")


def test_a_network_that_differs_from_its_export_is_refused(exported: Path) -> None:
    with pytest.raises(BuildFailed, match="differs from torch"):
        verify_onnx(small_network(seed=1), exported, SHAPE)


def test_a_damaged_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(BuildFailed, match="onnxruntime cannot run"):
        run_onnx(tmp_path / "broken.onnx", np.zeros(SHAPE, np.float32))


class _Unsupported(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.linalg.qr(images)[0]


class _Starved(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise MemoryError
