import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from paretofarm.architecture import Architecture
from paretofarm.errors import ArchitectureError
from paretofarm.spaces import HourglassMobileSpace, HourglassSpace, SearchSpaceSettings
from paretofarm.spaces.plan import LayerPlan, NetworkPlan, plan_network
from paretofarm.spaces.skeleton import HourglassSkeleton

ARCHAI = HourglassSpace(type="hourglass", input_size=256)
MOBILE = HourglassMobileSpace(type="hourglass_mobile", input_size=256)
KERNELS = {"conv3x3": 3, "conv5x5": 5, "conv7x7": 7}


def read(**document: object) -> HourglassSkeleton:
    adapter: TypeAdapter[HourglassSkeleton] = TypeAdapter(SearchSpaceSettings)
    return adapter.validate_python(document)


def smallest(settings: HourglassSkeleton, **changes: object) -> Architecture:
    """The first option of everything, but for the changes; what those add gets its first option too."""
    space = settings.search_space()
    values: dict[str, object] = {}
    for choice in space.choices:
        if choice.applies(values):  # type: ignore[arg-type]
            values[choice.name] = changes.get(choice.name, choice.options[0])
    return space.validate(values)


def layers(plan: NetworkPlan) -> list[LayerPlan]:
    blocks = [
        block
        for hourglass in plan.hourglasses
        for side in (hourglass.down, hourglass.skip, hourglass.up)
        for block in side
    ]
    return [layer for block in (*blocks, plan.post) for layer in block]


def parameters(plan: NetworkPlan, classes: int) -> int:
    """Of plain convolutions with batch normalisation; 1x1 convolutions have a bias."""
    base = plan.base_channels
    total = 27 * base + 2 * base + (base + 1) * classes
    total += sum((hourglass.out_channels + 1) * base for hourglass in plan.hourglasses)
    for layer in layers(plan):
        total += KERNELS[layer.op] ** 2 * layer.in_channels * layer.out_channels + 2 * layer.out_channels
    return total


def test_the_line_of_the_demo_is_enough() -> None:
    settings = read(type="hourglass", input_size=64, base_channels=[8, 16, 24])
    assert settings.base_channels == (8, 16, 24)
    assert settings.search_space().size() > 10**50


def test_archais_choices_are_the_defaults() -> None:
    options = {choice.name: choice.options for choice in ARCHAI.search_space().choices}
    assert options["stem_stride"] == (2,)
    assert options["base_channels"] == (16, 24, 32, 48)
    assert options["hourglasses"] == (1, 2)
    assert options["hourglass2.down5.expansion"] == (1, 1.2, 1.5, 1.6, 2, 2.2)
    assert options["hourglass2.down5.layers"] == (1, 2, 3, 4)
    assert options["hourglass1.skip4.layers"] == (0, 1, 2)
    assert options["hourglass1.up4.layers"] == (1, 2, 3, 4)
    assert options["post.layers"] == (0, 1, 2)
    assert options["hourglass1.up1.layer4.op"] == ("conv3x3", "conv5x5", "conv7x7")
    assert "hourglass1.skip5.layers" not in options
    assert "hourglass3.down1.layers" not in options
    assert len(options) == 4 - 1 + 2 * (5 * 6 + 4 * 3 + 4 * 5) + 3


def test_the_size_is_the_product_of_its_parts() -> None:
    down = 6 * (3 + 9 + 27 + 81)
    skip = 1 + 3 + 9
    up = 3 + 9 + 27 + 81
    one = down**5 * skip**4 * up**4
    assert ARCHAI.search_space().size() == 4 * (one + one**2) * (1 + 3 + 9)


def test_sampled_networks_have_as_many_parameters_as_archais() -> None:
    space, rng = ARCHAI.search_space(), np.random.default_rng(0)
    counts = [parameters(plan_network(ARCHAI, space.sample(rng)), classes=18) for _ in range(400)]
    # METHODS: 0.6 to 279 million, with outliers at the edges of a sample.
    low, high = np.percentile(counts, [1, 99])
    assert 0.4e6 < low < 1.5e6
    assert 150e6 < high < 350e6


def test_digests_of_the_space_never_change() -> None:
    assert smallest(ARCHAI).digest == "14707a91bfdab20c4f66f1689a3c080d09226e0d6cce6ad24f3751a2084a158b"
    assert (
        ARCHAI.search_space().sample(np.random.default_rng(7)).digest
        == "f6a3f958b3699cc5dc95358e1f6292da9e220e1af2ae38df47a0a9acc65f47e4"
    )
    assert smallest(MOBILE).digest == "aad175d956fcdd415389397d862d63d0c77e3d3e4f0b93d10109418d0ecb191c"


def test_channels_follow_the_expansions() -> None:
    changes = {f"hourglass1.down{number}.expansion": 2.2 for number in range(1, 6)}
    plan = plan_network(ARCHAI, smallest(ARCHAI, base_channels=48, **changes))
    assert [block[-1].out_channels for block in plan.hourglasses[0].down] == [105, 231, 508, 1117, 2457]
    assert plan.hourglasses[0].down[0][0].in_channels == 48
    assert plan.hourglasses[0].out_channels == 105


def test_mobile_channels_are_multiples_of_eight() -> None:
    space, rng = MOBILE.search_space(), np.random.default_rng(0)
    for _ in range(30):
        assert all(layer.out_channels % 8 == 0 for layer in layers(plan_network(MOBILE, space.sample(rng))))
    assert [MOBILE.round_channels(channels) for channels in (1, 11.9, 12, 19.2, 52.8)] == [8, 8, 16, 16, 56]


def test_only_the_first_layer_of_a_block_changes_channels_and_resolution() -> None:
    changes = {"hourglass1.down2.layers": 3, "hourglass1.down2.expansion": 2, "hourglass1.up1.layers": 2}
    plan = plan_network(ARCHAI, smallest(ARCHAI, **changes)).hourglasses[0]
    assert plan.down[1] == (
        LayerPlan("conv3x3", 16, 32, stride=2),
        LayerPlan("conv3x3", 32, 32),
        LayerPlan("conv3x3", 32, 32),
    )
    assert plan.down[0][0].stride == 1
    assert plan.up[0] == (LayerPlan("conv3x3", 32, 16), LayerPlan("conv3x3", 16, 16))
    assert plan.skip == ((), (), (), ())


def test_blocks_fit_together() -> None:
    space, rng = ARCHAI.search_space(), np.random.default_rng(1)
    for _ in range(20):
        for hourglass in plan_network(ARCHAI, space.sample(rng)).hourglasses:
            channels = [block[-1].out_channels for block in hourglass.down]
            assert [block[0].in_channels for block in hourglass.down[1:]] == channels[:-1]
            assert [block[0].in_channels for block in hourglass.up] == channels[1:]
            assert [block[-1].out_channels for block in hourglass.up] == channels[:-1]
            for channel, block in zip(channels, hourglass.skip, strict=False):
                assert {layer.out_channels for layer in block} <= {channel}


def test_the_mobile_space_chooses_its_resolution() -> None:
    assert MOBILE.resolutions == (128, 192, 256)
    plan = plan_network(MOBILE, smallest(MOBILE, resolution=192, stem_stride=4))
    assert (plan.input_size, plan.resolution, plan.stem_stride) == (256, 192, 4)
    assert plan_network(ARCHAI, smallest(ARCHAI)).resolution == 256


def test_one_input_size_is_no_choice() -> None:
    settings = HourglassMobileSpace(type="hourglass_mobile", input_size=128, input_sizes=(64,))
    assert "resolution" not in {choice.name for choice in settings.search_space().choices}
    assert plan_network(settings, smallest(settings)).resolution == 64


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="an architecture of hourglass is not one of hourglass_mobile"):
        plan_network(MOBILE, smallest(ARCHAI))


def test_an_architecture_of_other_settings_is_refused() -> None:
    with pytest.raises(ArchitectureError, match=r"base_channels = 48: must be one of \[8\]"):
        plan_network(
            HourglassSpace(type="hourglass", input_size=256, base_channels=(8,)), smallest(ARCHAI, base_channels=48)
        )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "hourglass", "input_size": 72}, "72 must be divisible by 32"),
        ({"type": "hourglass_mobile", "input_size": 96}, "96 must be divisible by 64 .stem stride 4, then 4 times"),
        ({"type": "hourglass_mobile", "input_size": 128, "base_channels": [12]}, r"base_channels \[12\] are not mult"),
        ({"type": "hourglass_mobile", "input_size": 128, "input_sizes": [192]}, r"input_sizes \[192\] are above"),
        ({"type": "hourglass", "input_size": 64, "input_sizes": [64]}, "Extra inputs"),
        ({"type": "hourglass", "input_size": 64, "ops": ["conv9x9"]}, "conv3x3"),
        ({"type": "hourglass", "input_size": 64, "ops": []}, "needs at least one value"),
        ({"type": "hourglass", "input_size": 64, "base_channels": [8, 8]}, "each of them once"),
        ({"type": "hourglass", "input_size": 64, "downsample_layers": [0]}, "greater than or equal to 1"),
        ({"type": "hourglass", "input_size": 64, "channel_expansions": [float("nan")]}, "less than or equal to 8"),
        ({"type": "darts", "input_size": 64}, "does not match any of the expected tags"),
    ],
)
def test_wrong_settings_say_why(document: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        read(**document)
