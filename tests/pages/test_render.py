"""The HTML of a page: escaped, complete in itself, well formed, and always the same."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from fashseg.pages.blocks import (
    Block,
    Cell,
    Code,
    Facts,
    Figure,
    Folded,
    Gallery,
    Legend,
    Page,
    Picture,
    Section,
    Table,
    Text,
)
from fashseg.pages.render import render
from pages.sample_page import rich_page

HOSTILE = {
    "script": "<script>window.hacked = 1</script>",
    "image": '"><img src=x onerror="window.hacked = 1">',
    "handler": "' onmouseover='window.hacked = 1' x='",
    "ends": "</style></script></title></pre></textarea><b>&amp;&lt;",
    "template": "{{ 7 * 7 }}{% raw %}--><!--]]>",
    "address": "javascript:window.hacked=1",
}


class Document(HTMLParser):
    """What a parser sees: elements with their attributes, and all text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open:
            self.inside.setdefault(self._open[-1], []).append(data)

    def all(self, name: str) -> list[str]:
        """Values of an attribute, in order."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def page_of(word: str) -> Page:
    """Every block, with the word in each of its texts and a number that tells them apart."""
    number = iter(range(100))

    def text() -> str:
        return f"{word}{next(number)}"

    def picture(**options: bool) -> Picture:
        return Picture(text(), text(), "image/png", b"data", text(), **options)

    blocks: list[Block] = [
        Table(
            [text(), text()],
            [[Cell(text(), 1, "#112233"), Cell(text(), strong=True)]],
            text(),
            frozenset({0}),
            [[Cell(text())] * 2],
        ),
        Figure(picture()),
        Gallery(text(), [(text(), [picture(pixelated=True)]), (text(), [picture()])]),
        Legend([(text(), "#112233")]),
        Text([text(), text()]),
        Code(text(), text()),
        Facts([(text(), text())]),
        Folded(text(), text()),
    ]
    sections = [Section(text(), "one", blocks), Section(text(), "two", [])]
    return Page(text(), text(), [text()], [text(), text()], sections, text())


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_text_stays_text_wherever_it_is(word: str) -> None:
    hostile, harmless = Document(render(page_of(word))), Document(render(page_of("word")))
    assert [(tag, set(attributes)) for tag, attributes in hostile.elements] == [
        (tag, set(attributes)) for tag, attributes in harmless.elements
    ]

    def shown(document: Document, word: str) -> list[str]:
        everything = "\n".join(
            (*document.texts, *(v for _, attributes in document.elements for v in attributes.values()))
        )
        return re.findall(re.escape(word) + r"\d+", everything)

    assert shown(hostile, word) == [found.replace("word", word) for found in shown(harmless, "word")]
    # All but the names of the three pictures, which are for files.
    assert len(set(shown(harmless, "word"))) == max(int(found[4:]) for found in shown(harmless, "word")) + 1 - 3


def test_pictures_have_alt_texts() -> None:
    document = Document(render(rich_page()))
    pictures = [attributes for tag, attributes in document.elements if tag == "img"]
    assert len(pictures) == 43
    assert all(attributes["alt"] for attributes in pictures)
    assert "T-shirt/top, taken for shirt with probability 0.90" in document.all("alt")


@pytest.mark.parametrize("title", ["Shirt", ""])
def test_headings_are_in_order(title: str) -> None:
    gallery = Gallery(title, [("row", [Picture("p", "p", "image/png", b"")]), ("", [])])
    page = Page("t", "h", [], [], [Section("a", "a", [gallery, gallery]), Section("b", "b", [Text(["x"])])], "f")
    for html in (render(page), render(rich_page())):
        levels = [int(tag[1]) for tag, _ in Document(html).elements if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(below - above <= 1 for above, below in pairwise(levels))


def test_nothing_is_fetched() -> None:
    document = Document(render(rich_page()))
    assert all(source.startswith("data:image/") for source in document.all("src"))
    assert all(link.startswith("#") or link == "data:," for link in document.all("href"))
    assert not {"iframe", "object", "embed", "base", "form", "audio", "video"} & {tag for tag, _ in document.elements}
    style, script = "".join(document.inside["style"]), "".join(document.inside["script"])
    assert not re.search(r"url\(|@import|//\w", style)
    assert not re.search(r"fetch\(|XMLHttpRequest|import|https?:|eval|innerHTML|localStorage", script)


def test_policy_names_the_style_and_the_script_and_nothing_else() -> None:
    html = render(rich_page())
    document = Document(html)
    policy = next(a["content"] for tag, a in document.elements if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def checksum(tag: str) -> str:
        found = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(found) == 1
        return f"'sha256-{base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": checksum("style"),
        "script-src": checksum("script"),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    # It comes before all that it rules, and refuses styles and handlers at elements.
    assert html.index("Content-Security-Policy") < html.index("<title>") < html.index("<style>")
    assert not [
        name for _, attributes in document.elements for name in attributes if name == "style" or name[:2] == "on"
    ]


def test_names_of_elements_are_used_once_and_found() -> None:
    document = Document(render(rich_page()))
    names = document.all("id")
    assert len(set(names)) == len(names)
    assert set(document.all("aria-labelledby")) <= set(names)
    assert {link[1:] for link in document.all("href") if link.startswith("#")} <= set(names)


def test_head_of_the_document() -> None:
    html = render(page_of("word"))
    document = Document(html)
    assert html.startswith("<!DOCTYPE html>\n<html")
    assert ("html", {"lang": "en"}) in document.elements
    assert ("meta", {"charset": "utf-8"}) in document.elements
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in document.elements
    assert document.inside["title"]


def test_cells_carry_what_they_sort_by() -> None:
    document = Document(render(rich_page()))
    first = [
        attributes for tag, attributes in document.elements if tag in ("td", "th") and attributes.get("scope") != "col"
    ]
    assert first[0] == {"class": "number", "data-value": "0"}
    assert first[1] == {"class": "coloured"}
    assert first[2] == {"scope": "row"}


def test_equal_pages_are_equal_files() -> None:
    assert render(rich_page()) == render(rich_page())


def test_text_that_is_no_unicode_is_written() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    page = Page("t", name, [], [], [], "f")
    assert ">caf\\udce9</h1>" in render(page)
    assert render(page).encode("utf-8")


def test_page_of_nothing() -> None:
    document = Document(render(Page("", "", [], [], [], "")))
    assert [tag for tag, _ in document.elements].count("h1") == 1
    assert "nav" not in [tag for tag, _ in document.elements]
