"""Pictures of fronts: what they show and say, and that every shape of search can be drawn."""

from pathlib import Path

import pytest
from matplotlib.image import imread

from cli.labels import place_labels
from cli.picture import Axis, Dot, Picture, order_axes
from cli.plot import draw, save_picture, short_number
from paretofarm.errors import ConfigError
from paretofarm.objective import Objective

LATENCY = Objective.model_validate({"name": "latency_ms", "goal": "minimize", "device": "virtual"})
MIOU = Objective.model_validate({"name": "miou", "goal": "maximize"})
PARAMETERS = Objective.model_validate({"name": "parameters", "goal": "minimize"})


def make_dot(number: int, latency: float, miou: float, *, on_front: bool = False, noisy: bool = False) -> Dot:
    values = {"latency_ms@virtual": latency, "miou": miou, "parameters": 1000.0 * latency}
    intervals = {"latency_ms@virtual": (latency * 0.9, latency * 1.1)}
    return Dot(number + 100, number, values, intervals, on_front=on_front, simulated=True, noisy=noisy)


FRONT = [
    make_dot(0, 1.0, 0.2, on_front=True),
    make_dot(3, 4.0, 0.5, on_front=True),
    make_dot(4, 30.0, 0.7, on_front=True),
]
OTHERS = [make_dot(1, 5.0, 0.4), make_dot(2, 6.0, 0.1, noisy=True)]


def make_picture(*objectives: Objective, dots: list[Dot] | None = None) -> Picture:
    chosen = FRONT + OTHERS if dots is None else dots
    return Picture("demo", "virtual", order_axes(objectives), tuple(chosen), {"complete": 5, "failed": 2, "running": 0})


def test_cost_is_to_the_right_and_quality_upwards() -> None:
    assert [axis.key for axis in order_axes([MIOU, LATENCY])] == ["latency_ms@virtual", "miou"]
    assert [axis.key for axis in order_axes([PARAMETERS, LATENCY, MIOU])] == [
        "latency_ms@virtual",
        "miou",
        "parameters",
    ]
    assert [axis.key for axis in order_axes([MIOU])] == ["miou"]


def test_axes_have_units() -> None:
    assert Axis.of(LATENCY).label == "latency on virtual (ms)"
    assert Axis.of(MIOU).label == "mean IoU"


def test_title_and_caption_say_what_is_simulated_missing_and_noisy() -> None:
    picture = make_picture(MIOU, LATENCY)
    assert picture.title == "demo: measured on virtual (simulated phone)"
    assert "5 complete candidates · not shown: 2 failed · hollow: 1 noisy measurement" in picture.caption
    assert "95 % confidence" in picture.caption
    assert "running" not in picture.caption


def test_the_front_is_a_staircase_through_its_members() -> None:
    panel = draw(make_picture(MIOU, LATENCY)).axes[0]
    line = next(line for line in panel.lines if line.get_drawstyle() == "steps-post")
    assert list(zip(*line.get_data(), strict=True)) == [(1.0, 0.2), (4.0, 0.5), (30.0, 0.7)]
    assert {text.get_text() for text in panel.texts} == {"100", "103", "104"}


def test_a_wide_axis_is_logarithmic_and_a_narrow_one_is_not() -> None:
    assert draw(make_picture(MIOU, LATENCY)).axes[0].get_xscale() == "log"
    assert draw(make_picture(MIOU, LATENCY, dots=FRONT[:2])).axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("objectives", [(MIOU,), (MIOU, LATENCY), (MIOU, LATENCY, PARAMETERS), (LATENCY, PARAMETERS)])
@pytest.mark.parametrize("dots", [FRONT + OTHERS, FRONT[:1], []])
def test_every_kind_of_search_can_be_drawn(tmp_path: Path, objectives: tuple[Objective, ...], dots: list[Dot]) -> None:
    path = tmp_path / "front.png"
    save_picture(make_picture(*objectives, dots=dots), path)
    height, width, _ = imread(path).shape
    assert height >= 900
    assert width >= 1200


def test_three_objectives_get_pairwise_panels() -> None:
    labels = [panel.get_xlabel() for panel in draw(make_picture(MIOU, LATENCY, PARAMETERS)).axes]
    assert labels[:3] == [
        "latency on virtual (ms), less is better",
        "parameters, less is better",
        "parameters, less is better",
    ]


def test_labels_do_not_lie_on_each_other() -> None:
    dots = [make_dot(number, 1.0 + number / 1000, 0.5 + number / 1000, on_front=True) for number in range(15)]
    panel = draw(make_picture(MIOU, LATENCY, dots=[*dots, *OTHERS])).axes[0]
    assert 1 <= len(panel.texts) < 15
    before = len(panel.texts)
    place_labels(panel, [], dots, "latency_ms@virtual", "miou")
    assert len(panel.texts) == before


def test_wrong_suffix_and_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"front\.xyz"):
        save_picture(make_picture(MIOU, LATENCY), tmp_path / "front.xyz")
    with pytest.raises(ConfigError, match="No such file or directory"):
        save_picture(make_picture(MIOU, LATENCY), tmp_path / "absent" / "front.png")


@pytest.mark.parametrize(
    ("value", "text"), [(2.5, "2.5"), (2500, "2500"), (35_000, "35k"), (1.2e6, "1.2M"), (3e9, "3G")]
)
def test_short_numbers(value: float, text: str) -> None:
    assert short_number(value) == text
