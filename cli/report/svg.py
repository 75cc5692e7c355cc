"""SVG as text. Whatever is put into it is escaped."""

from html import escape


def tag(name: str, *inside: str, text: str | None = None, **attributes: object) -> str:
    """`tag("line", x1=1.0, class_="grid")`; `_` in names becomes `-`, numbers get one decimal. inside: other tags.

    text: is escaped. An attribute that is None is left out.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    listed = "".join(f' {key}="{escape(_text(value), quote=True)}"' for key, value in given.items())
    body = "".join(inside) + ("" if text is None else escape(text))
    return f"<{name}{listed}>{body}</{name}>" if body else f"<{name}{listed}/>"


def path(*steps: str | float) -> str:
    """Commands and coordinates of a path: `path("M", 1, 2, "H", 3)`."""
    return "".join(step if isinstance(step, str) else f"{_text(step)} " for step in steps).strip()


def _text(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
