"""Classifiers: what they give, what they cost, and that they leave torch and become int8."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from paretofarm.architecture import Architecture, Value
from paretofarm.errors import ArchitectureError
from paretofarm.runtimes import OnnxRuntimeMeasurement
from paretofarm.spaces import HourglassSpace, MobileClassifierSpace
from paretofarm.spaces.plan import LayerPlan
from workers.export import export_onnx, run_onnx, verify_onnx
from workers.networks import build_network, count_macs, count_parameters
from workers.networks.layers import SqueezeExcitation, build_layer
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain

CLASSES = 10
SPACE = MobileClassifierSpace(type="mobile_classifier", input_size=32)
SHAPE = (1, 3, 32, 32)
OPS = {"Conv", "Relu", "Add", "Mul", "ReduceMean", "HardSigmoid"}
"""What every phone's runtime knows."""


def sample(seed: int) -> Architecture:
    return SPACE.search_space().sample(np.random.default_rng(seed))


def squeezed() -> Architecture:
    space = SPACE.search_space()
    values: dict[str, Value] = {}
    wanted: dict[str, Value] = {"stem.stride": 2, "stages": 3}
    for choice in space.choices:
        if choice.applies(values):
            kind = choice.name.rpartition(".")[2]
            options: dict[str, Value] = {"op": "mbconv", "squeeze": True}
            value = options.get(kind, choice.options[0])
            values[choice.name] = wanted.get(choice.name, value)
    return space.validate(values)


@pytest.mark.parametrize("seed", range(4))
def test_any_member_gives_a_logit_for_each_class_and_learns(seed: int) -> None:
    torch.manual_seed(seed)
    network = build_network(SPACE, sample(seed), CLASSES)
    logits = network(torch.rand(4, *SHAPE[1:]))
    assert (logits.shape, logits.dtype) == ((4, CLASSES, 1, 1), torch.float32)
    loss = nn.functional.cross_entropy(logits, torch.zeros(4, 1, 1, dtype=torch.long))
    assert loss.item() == pytest.approx(np.log(CLASSES), rel=0.2)
    loss.backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)


@pytest.mark.parametrize("seed", range(8))
def test_its_description_knows_parameters_and_macs_but_for_the_classifier(seed: int) -> None:
    architecture = squeezed() if seed == 0 else sample(seed)
    told = SPACE.search_space().describe(architecture).numbers
    network = build_network(SPACE, architecture, CLASSES)
    head = int(architecture.choices["head.channels"])
    parameters = count_parameters(network) - (head + 1) * CLASSES
    assert math.exp(told["log_parameters"]) == pytest.approx(parameters)
    assert math.exp(told["log_macs"]) == pytest.approx(count_macs(network, SHAPE) - head * CLASSES)


def test_a_stage_halves_the_image_and_channels_are_multiples_of_8() -> None:
    network = build_network(SPACE, squeezed(), CLASSES)
    sides: list[tuple[int, ...]] = []
    for stage in network.stages:  # type: ignore[union-attr]
        stage.register_forward_hook(lambda module, inputs, output: sides.append(tuple(output.shape[1:])))
    network(torch.rand(2, *SHAPE[1:]))
    assert [side for _, side, _ in sides] == [16, 8, 4]
    assert all(channels % 8 == 0 for channels, _, _ in sides)


def test_squeeze_and_excitation_weighs_channels_by_their_averages() -> None:
    layer = build_layer(LayerPlan("mbconv3x3_e3_se", 8, 8)).eval()
    weighing = next(module for module in layer.modules() if isinstance(module, SqueezeExcitation))
    assert weighing.squeeze.out_channels == 8, "a quarter of 24, as a multiple of 8"
    features = torch.rand(2, 24, 5, 5)
    scale = weighing(features) / features
    assert scale.min() >= 0 and scale.max() <= 1
    assert torch.allclose(scale, scale[:, :, :1, :1].expand_as(scale), atol=1e-5)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_exported_and_becomes_int8(tmp_path: Path, seed: int) -> None:
    torch.manual_seed(seed)
    network = build_network(SPACE, squeezed() if seed == 1 else sample(seed), CLASSES)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as trainings leave it
    path = tmp_path / "network.onnx"
    export_onnx(network, SHAPE, path)
    assert verify_onnx(network, path, SHAPE) < 1e-3
    images = [np.random.default_rng(index).random(SHAPE, np.float32) for index in range(4)]
    settings = OnnxRuntimeMeasurement(runtime="onnxruntime", precision="int8")
    compiled = OnnxRuntimeToolchain(settings).compile(path, images, "virtual", tmp_path / "int8.onnx")
    assert {node.op_type for node in onnx.load(path).graph.node} <= OPS
    assert run_onnx(compiled.path, images[0]).shape == (1, CLASSES, 1, 1)
    ops = [node.op_type for node in onnx.load(compiled.path).graph.node]
    assert "QuantizeLinear" in ops and "Conv" in ops


def test_an_architecture_of_another_space_is_refused() -> None:
    other = HourglassSpace(type="hourglass", input_size=64).search_space().sample(np.random.default_rng(0))
    with pytest.raises(ArchitectureError, match="an architecture of hourglass is not one of mobile_classifier"):
        build_network(SPACE, other, CLASSES)
