"""A page as one HTML file: style, script and pictures inside, nothing fetched, all text escaped."""

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from fashseg.pages.blocks import Page
from fashseg.text import printable

TEMPLATE, STYLE, SCRIPT = "page.html.j2", "page.css", "page.js"


def render(page: Page) -> str:
    """The page as HTML, the same text for the same blocks.

    The content security policy lets the browser load pictures inside the file, this style and this script, by their
    checksums, and nothing else: text that got around the escaping could neither run nor fetch.

    Returns:
        a document that UTF-8 can encode. What is hidden in its text is written out: control characters, and what is no
        text, from a file name of other bytes for example.
    """
    style, script = _file(STYLE), _file(SCRIPT)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_checksum(style)}'; script-src '{_checksum(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # The files of this package, and they alone, are not escaped.
    html = _template().render(page=page, style=Markup(style), script=Markup(script), policy=policy)
    return printable(html)


@cache
def _template() -> Template:
    environment = Environment(
        loader=DictLoader({TEMPLATE: _file(TEMPLATE)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE)


@cache
def _file(name: str) -> str:
    return resources.files("fashseg.pages").joinpath(name).read_text("utf-8")


def _checksum(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
