"""Charts become SVG: everything that is in them is there, escaped, and within the drawing."""

from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest

from cli.report.chart import NARROW, WIDE, Chart, Dot, Line, draw, line_path

EVIL = "<script>alert(\"1\")</script> & 'co'"
DOTS = (
    Dot(1.0, 0.2, "front", x_interval=(0.9, 1.2), y_interval=(0.1, 0.25), label=EVIL, tip=EVIL),
    Dot(2.0, 0.4, "fallen"),
    Dot(40.0, 0.9),
)


def make_chart(**values: object) -> Chart:
    return Chart(**{"x_label": EVIL, "y_label": "mean IoU", "description": EVIL, "dots": DOTS, **values})  # type: ignore[arg-type]


def parts(svg: str, kind: str) -> list[Element]:
    return [element for element in fromstring(svg).iter() if element.tag == kind]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_is_xml_whatever_it_is_told(size: object) -> None:
    svg = draw(make_chart(), size)  # type: ignore[arg-type]
    root = fromstring(svg)
    assert "<script" not in svg
    assert root.get("aria-label") == EVIL
    assert root.get("role") == "img"
    assert [element.text for element in root.iter("title")] == [EVIL]
    assert EVIL in [element.text for element in root.iter("text")]


def test_each_dot_is_drawn_once_within_the_frame() -> None:
    circles = parts(draw(make_chart(), WIDE), "circle")
    assert [circle.get("class") for circle in circles] == ["dot front", "dot fallen", "dot"]
    places = [(float(circle.get("cx", "")), float(circle.get("cy", ""))) for circle in circles]
    assert all(0 < x < WIDE.width and 0 < y < WIDE.height for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


def test_intervals_are_bars_of_the_dots_kind() -> None:
    bars = [each for each in parts(draw(make_chart(), WIDE), "path") if "bar" in (each.get("class") or "")]
    assert [bar.get("class") for bar in bars] == ["bar front", "bar front"]


def test_a_whole_axis_has_no_fractions() -> None:
    chart = make_chart(dots=(Dot(1.0, 0.0), Dot(3.0, 1.0)), whole=True)
    texts = [each.text for each in parts(draw(chart, WIDE), "text") if "middle" in (each.get("class") or "")]
    assert [text for text in texts if text and text[0].isdigit()] == ["1", "2", "3"]


def test_with_the_line_of_no_change_both_axes_reach_equally_far() -> None:
    svg = draw(make_chart(dots=(Dot(0.1, 0.5),), identity=True), WIDE)
    (line,) = [each for each in parts(svg, "line") if each.get("class") == "identity"]
    texts = [text for each in parts(svg, "text") if "tick" in (each.get("class") or "") and (text := each.text)]
    assert {"0.1", "0.5"} <= set(texts) or {"0.10", "0.50"} <= set(texts)
    assert line.get("x1") == "58"


def test_lines_are_staircases_either_way() -> None:
    places = [(0.0, 9.0), (4.0, 5.0)]
    assert line_path(places, "post") == "M0 9 H4 V5"
    assert line_path(places, "pre") == "M0 9 V5 H4"
    assert line_path(places, None) == "M0 9 L4 5"
    assert line_path([], "post") == ""


def test_names_of_lines_do_not_cover_each_other() -> None:
    lines = tuple(Line(((0.0, 0.0), (1.0, 0.5 + step / 1000)), label=f"line {step}") for step in range(3))
    found = parts(draw(make_chart(dots=(), lines=lines), WIDE), "text")
    heights = sorted(float(each.get("y", "")) for each in found if (each.text or "").startswith("line"))
    assert all(below - above >= 13.9 for above, below in pairwise(heights))
