import numpy as np
import pytest
import torch
from torch import nn

from paretofarm.architecture import Architecture
from paretofarm.errors import ArchitectureError, BuildFailed
from paretofarm.spaces import HourglassMobileSpace, HourglassSpace, NasBench201Space, SearchSpaceSettings
from paretofarm.spaces.plan import LayerPlan
from workers.networks import build_network, count_activations, count_macs, count_parameters
from workers.networks.layers import InvertedBottleneck, build_layer

CLASSES = 19
PLAIN = HourglassSpace(type="hourglass", input_size=64, base_channels=(8, 16))
MOBILE = HourglassMobileSpace(
    type="hourglass_mobile",
    input_size=64,
    input_sizes=(32, 64),
    stem_strides=(1, 2),
    base_channels=(8, 16),
    channel_expansions=(1, 1.5),
    downsample_layers=(1, 2),
    upsample_layers=(1, 2),
)


def sample(settings: SearchSpaceSettings, seed: int) -> Architecture:
    return settings.search_space().sample(np.random.default_rng(seed))


def smallest(settings: SearchSpaceSettings, **changes: object) -> Architecture:
    space = settings.search_space()
    values: dict[str, object] = {}
    for choice in space.choices:
        if choice.applies(values):  # type: ignore[arg-type]
            values[choice.name] = changes.get(choice.name, choice.options[0])
    return space.validate(values)


@pytest.mark.parametrize("settings", [PLAIN, MOBILE], ids=lambda settings: settings.type)
@pytest.mark.parametrize("seed", range(3))
def test_any_member_gives_logits_of_the_size_of_its_images_and_learns(settings: SearchSpaceSettings, seed: int) -> None:
    torch.manual_seed(seed)
    network = build_network(settings, sample(settings, seed), CLASSES)
    logits = network(torch.rand(2, 3, settings.input_size, settings.input_size))
    assert logits.shape == (2, CLASSES, settings.input_size, settings.input_size)
    assert logits.dtype == torch.float32
    loss = nn.functional.cross_entropy(logits, torch.zeros(logits.shape[0], *logits.shape[2:], dtype=torch.long))
    assert loss.item() == pytest.approx(np.log(CLASSES), rel=0.2)
    loss.backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build_network(PLAIN, smallest(PLAIN), CLASSES).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_parameters_of_the_smallest_network_by_hand() -> None:
    conv = 8 * 8 * 9 + 2 * 8
    stem = 3 * 8 * 9 + 2 * 8
    output, classifier = 8 * 8 + 8, 8 * CLASSES + CLASSES
    network = build_network(PLAIN, smallest(PLAIN), CLASSES)
    assert count_parameters(network) == stem + (5 + 4) * conv + output + classifier


def test_macs_of_the_smallest_network_by_hand() -> None:
    pixels = {side: side * side for side in (64, 32, 16, 8, 4, 2)}
    conv = 8 * 8 * 9
    stem = pixels[32] * 3 * 8 * 9
    down = sum(pixels[side] for side in (32, 16, 8, 4, 2)) * conv
    up = sum(pixels[side] for side in (32, 16, 8, 4)) * conv
    output, classifier = pixels[32] * 64, pixels[64] * 8 * CLASSES
    network = build_network(PLAIN, smallest(PLAIN), CLASSES)
    assert count_macs(network, (1, 3, 64, 64)) == stem + down + up + output + classifier
    assert count_macs(network, (3, 3, 64, 64)) == 3 * count_macs(network, (1, 3, 64, 64))


def test_counting_leaves_the_network_as_it_was() -> None:
    network = build_network(PLAIN, sample(PLAIN, 0), CLASSES)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count_macs(network, (1, 3, 64, 64))
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_macs_of_groups_and_linear_layers() -> None:
    network = nn.Sequential(nn.Conv2d(8, 8, (3, 5), padding="same", groups=4), nn.Flatten(), nn.Linear(8 * 16, 10))
    assert count_macs(network, (1, 8, 4, 4)) == 8 * 16 * 2 * 15 + 8 * 16 * 10


def test_activations_are_what_each_layer_puts_out() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Sequential(nn.Upsample(scale_factor=2))
    )
    assert count_activations(network, (1, 3, 4, 4)) == 8 * 4 + 8 * 4 + 8 * 16
    assert count_activations(network, (5, 3, 4, 4)) == 5 * (8 * 4 + 8 * 4 + 8 * 16)


def test_a_lower_resolution_costs_less_and_answers_at_the_full_one() -> None:
    whole, half = (build_network(MOBILE, smallest(MOBILE, resolution=side), CLASSES) for side in (64, 32))
    assert count_parameters(whole) == count_parameters(half)
    assert count_macs(whole, (1, 3, 64, 64)) == 4 * count_macs(half, (1, 3, 64, 64))


@pytest.mark.parametrize(
    ("op", "weights"),
    [
        ("conv3x3", 8 * 16 * 9 + 2 * 16),
        ("conv7x7", 8 * 16 * 49 + 2 * 16),
        ("dwsep5x5", 8 * 25 + 2 * 8 + 8 * 16 + 2 * 16),
        ("mbconv3x3_e6", 8 * 48 + 2 * 48 + 48 * 9 + 2 * 48 + 48 * 16 + 2 * 16),
    ],
)
def test_operations_have_the_weights_of_their_names(op: str, weights: int) -> None:
    layer = build_layer(LayerPlan(op, 8, 16, stride=2))
    assert count_parameters(layer) == weights
    assert layer(torch.rand(2, 8, 8, 8)).shape == (2, 16, 4, 4)


def test_every_operation_of_both_spaces_can_be_built() -> None:
    for op in {*PLAIN.ops, *HourglassMobileSpace(type="hourglass_mobile", input_size=128).ops}:
        assert build_layer(LayerPlan(op, 8, 8))(torch.rand(2, 8, 8, 8)).shape == (2, 8, 8, 8)


def test_a_bottleneck_adds_its_input_only_where_the_shapes_agree() -> None:
    def residual(**changes: int) -> bool:
        arguments = {"in_channels": 8, "out_channels": 8, "kernel": 3, "stride": 1, "expansion": 3, **changes}
        return InvertedBottleneck(**arguments).residual

    assert residual()
    assert not residual(stride=2)
    assert not residual(out_channels=16)


def test_an_unknown_operation_is_an_error() -> None:
    with pytest.raises(BuildFailed, match="there is no operation 'conv3x5'"):
        build_layer(LayerPlan("conv3x5", 8, 8))


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="an architecture of hourglass is not one of hourglass_mobile"):
        build_network(MOBILE, smallest(PLAIN), CLASSES)


def test_a_space_that_is_known_from_tables_alone_has_no_networks() -> None:
    settings = NasBench201Space(type="nas_bench_201")
    with pytest.raises(BuildFailed, match="search space nas_bench_201 has no networks"):
        build_network(settings, sample(settings, 0), CLASSES)
