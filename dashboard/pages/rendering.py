"""Fills templates. What they are given is escaped, whatever it is."""

import re
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from dashboard.auth.identity import Identity
from dashboard.static_files import static_url

FOLDER = Path(__file__).parent / "templates"


class Templates:
    """Those of `pages/templates`. Every page gets `identity` (None before the login) and `path`."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = static_url
        self._environment.filters["code"] = _with_code

    def render(self, name: str, **values: Any) -> str:
        return self._environment.get_template(name).render(**values)


def _with_code(text: str) -> Markup:
    """What stands between backquotes as code; all of it escaped."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def page(
    request: Request, template: str, identity: Identity | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A whole page. values: what the template names."""
    templates = request.app.state.templates
    assert isinstance(templates, Templates)
    return HTMLResponse(templates.render(template, identity=identity, path=request.url.path, **values), status)
