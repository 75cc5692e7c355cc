"""A chart as data, and its SVG. Colours are the page's own, so that it is light and dark with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.report.scale import Scale, scale_of, tick_texts
from cli.report.svg import path, tag

Interval = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """Pixels of the drawing, which is shown at about that size: text keeps its size on narrow screens."""

    name: str
    width: int
    height: int


WIDE, NARROW = Size("wide", 720, 400), Size("narrow", 340, 320)
HALF = Size("wide", 360, 310)
TOP, RIGHT, BOTTOM, LEFT = 16.0, 14.0, 46.0, 58.0
PIXELS_PER_TICK_X, PIXELS_PER_TICK_Y = 66, 44


@dataclass(frozen=True)
class Dot:
    """kind: classes of the page's style, such as `front` or `fallen`. label: written beside it; tip: for who hovers."""

    x: float
    y: float
    kind: str = ""
    x_interval: Interval | None = None
    y_interval: Interval | None = None
    label: str | None = None
    tip: str | None = None


@dataclass(frozen=True)
class Line:
    """steps: `post` or `pre` of each point, as a staircase; None: straight. label: written at its end."""

    points: tuple[Point, ...]
    kind: str = ""
    steps: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Chart:
    """description: for those who do not see it. legend: (kind, words). identity: y = x is drawn, and both axes reach
    equally far. whole: x has no fractions. half: two such charts stand side by side."""

    x_label: str
    y_label: str
    description: str
    dots: tuple[Dot, ...] = ()
    lines: tuple[Line, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    identity: bool = False
    from_zero: bool = False
    whole: bool = False
    half: bool = False

    @property
    def sizes(self) -> tuple[Size, ...]:
        return (HALF if self.half else WIDE, NARROW)


@dataclass(frozen=True)
class Frame:
    """Where things are in a drawing of a chart."""

    size: Size
    x: Scale
    y: Scale


def draw(chart: Chart, size: Size) -> str:
    """The chart as one `<svg>`."""
    frame = frame_of(chart, size)
    parts = [*_grid(chart, frame)]
    if chart.identity:
        parts.append(_identity(frame))
    parts += [_line(line, frame) for line in chart.lines]
    parts += [bar for dot in chart.dots for bar in _bars(dot, frame)]
    parts += [_dot(dot, frame) for dot in chart.dots]
    parts += [_label(dot, frame) for dot in chart.dots if dot.label]
    parts += _line_labels(chart.lines, frame)
    view = f"0 0 {size.width} {size.height}"
    return tag("svg", *parts, viewBox=view, role="img", aria_label=chart.description, class_=f"chart {size.name}")


def frame_of(chart: Chart, size: Size) -> Frame:
    xs = [dot.x for dot in chart.dots] + [x for line in chart.lines for x, _ in line.points]
    ys = [dot.y for dot in chart.dots] + [y for line in chart.lines for _, y in line.points]
    xs += [end for dot in chart.dots for end in dot.x_interval or ()]
    ys += [end for dot in chart.dots for end in dot.y_interval or ()]
    straight = not chart.identity
    if chart.identity:
        xs = ys = xs + ys
    x = scale_of(xs, LEFT, size.width - RIGHT, from_zero=chart.from_zero, may_be_log=straight and not chart.whole)
    y = scale_of(ys, size.height - BOTTOM, TOP, may_be_log=straight and not chart.from_zero)
    return Frame(size, x, y)


def _grid(chart: Chart, frame: Frame) -> Iterator[str]:
    x, y = frame.x, frame.y
    ticks = y.ticks(max(2, int((y.start - y.end) / PIXELS_PER_TICK_Y)))
    for value, text in zip(ticks, tick_texts(ticks), strict=True):
        yield tag("line", x1=x.start, x2=x.end, y1=y(value), y2=y(value), class_="grid")
        yield tag("text", text=text, x=x.start - 6, y=y(value) + 4, class_="tick end")
    ticks = x.ticks(max(2, int((x.end - x.start) / PIXELS_PER_TICK_X)))
    ticks = [tick for tick in ticks if not chart.whole or tick.is_integer()]
    for value, text in zip(ticks, tick_texts(ticks), strict=True):
        yield tag("line", x1=x(value), x2=x(value), y1=y.start, y2=y.end, class_="grid")
        yield tag("text", text=text, x=x(value), y=y.start + 17, class_="tick middle")
    yield tag("text", text=chart.x_label, x=(x.start + x.end) / 2, y=frame.size.height - 8.0, class_="axis middle")
    middle = (y.start + y.end) / 2
    turned = f"rotate(-90 14 {middle:g})"
    yield tag("text", text=chart.y_label, x=14.0, y=middle, class_="axis middle", transform=turned)


def _identity(frame: Frame) -> str:
    low, high = max(frame.x.low, frame.y.low), min(frame.x.high, frame.y.high)
    if low >= high:
        return ""
    return tag("line", x1=frame.x(low), y1=frame.y(low), x2=frame.x(high), y2=frame.y(high), class_="identity")


def _line(line: Line, frame: Frame) -> str:
    places = [(frame.x(x), frame.y(y)) for x, y in line.points]
    return tag("path", d=line_path(places, line.steps), class_=f"line {line.kind}".strip())


def line_path(places: Sequence[Point], steps: str | None) -> str:
    """Through places in pixels. The page's script draws the front's staircase in the same way."""
    if not places:
        return ""
    parts: list[str | float] = ["M", *places[0]]
    for x, y in places[1:]:
        match steps:
            case "post":
                parts += ["H", x, "V", y]
            case "pre":
                parts += ["V", y, "H", x]
            case _:
                parts += ["L", x, y]
    return path(*parts)


def _bars(dot: Dot, frame: Frame) -> Iterator[str]:
    x, y = frame.x(dot.x), frame.y(dot.y)
    classes = f"bar {dot.kind}".strip()
    if dot.x_interval:
        low, high = (frame.x(end) for end in dot.x_interval)
        caps = path("M", low, y - 3, "v", 6, "M", high, y - 3, "v", 6)
        yield tag("path", d=path("M", low, y, "H", high) + caps, class_=classes)
    if dot.y_interval:
        low, high = (frame.y(end) for end in dot.y_interval)
        caps = path("M", x - 3, low, "h", 6, "M", x - 3, high, "h", 6)
        yield tag("path", d=path("M", x, low, "V", high) + caps, class_=classes)


def _dot(dot: Dot, frame: Frame) -> str:
    tip = [tag("title", text=dot.tip)] if dot.tip else []
    return tag("circle", *tip, cx=frame.x(dot.x), cy=frame.y(dot.y), r=4, class_=f"dot {dot.kind}".strip())


def _label(dot: Dot, frame: Frame) -> str:
    """Towards the middle of the drawing, where there is room."""
    x, y = frame.x(dot.x), frame.y(dot.y)
    left = x < (frame.x.start + frame.x.end) / 2
    below = y < frame.y.end + 24
    place = {"x": x + (9 if left else -9), "y": y + (16 if below else -8)}
    return tag("text", text=dot.label, **place, class_=f"label {'start' if left else 'end'}")


def _line_labels(lines: Sequence[Line], frame: Frame) -> Iterator[str]:
    """At the ends, pushed apart where they would cover each other."""
    ends = [(frame.y(line.points[-1][1]), frame.x(line.points[-1][0]), line) for line in lines if line.label]
    floor = 0.0
    for y, x, line in sorted(ends, key=lambda end: end[:2]):
        floor = max(y - 6, floor)
        yield tag("text", text=line.label, x=x - 6, y=floor, class_=f"label end {line.kind}".strip())
        floor += 14
