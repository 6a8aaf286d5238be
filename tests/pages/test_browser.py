"""Pages in a real browser."""

from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fashseg.pages.blocks import Cell, Code, Page, Section, Table
from fashseg.pages.render import render
from pages.browser import DESKTOP, PHONE, Opened, check_page, chromium
from pages.sample_page import rich_page
from pages.test_render import HOSTILE, page_of
from pages.using import column


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def written(page: Page | str, folder: Path) -> Path:
    path = folder / "a page #1 100%.html"
    path.write_text(page if isinstance(page, str) else render(page), encoding="utf-8")
    return path


def test_rich_page_passes_every_check(browser: Any, tmp_path: Path) -> None:
    check_page(written(rich_page(), tmp_path), browser)


def test_page_of_nothing_passes_every_check(browser: Any, tmp_path: Path) -> None:
    check_page(written(Page("title", "headline", [], [], [], "footer"), tmp_path), browser)


def test_checks_find_what_is_wrong(browser: Any, tmp_path: Path) -> None:
    bad = """<!DOCTYPE html><html><title>bad</title><main><h1 style="width: 2000px; color: #ddd">wide and pale</h1>
        <img src="http://127.0.0.1:9/a.png" alt="away"><img src="data:image/png;base64,AAAA" alt="broken">
        <details><summary>s</summary><pre style="height: 1em; overflow: hidden">a\nb\nc</pre></details>
        <table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
        <script>console.warn("careful"); undefined.nothing</script></main></html>"""
    with pytest.raises(AssertionError) as raised:
        check_page(written(bad, tmp_path), browser)
    found = str(raised.value)
    for words in (
        "360 px, dark: request to http://127.0.0.1:9/a.png",
        "console warning: careful",
        "exception: Cannot read properties of undefined",
        "picture is not loaded or has no alt text: broken",
        "320 px, light: 20",
        "only 0 of 2 pictures enlarge",
        "axe, serious: html-has-lang",
        "axe, serious: color-contrast",
        "on paper: folded text",
    ):
        assert words in found


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_does_nothing(browser: Any, tmp_path: Path, word: str) -> None:
    with Opened(browser, written(page_of(word), tmp_path)) as opened:
        assert opened.page.evaluate("window.hacked") is None
        assert opened.page.title() == " ".join(f"{word}{len_of_titles()}".split())
        assert opened.findings == []


def len_of_titles() -> int:
    """The number of the page's title among the texts of ``page_of``."""
    return int(page_of("").title)


class Asked(ThreadingHTTPServer):
    """A server on this machine that notes what it is asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), SimpleHTTPRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.paths.append(request.recv(200).decode().split(" ")[1])


@pytest.fixture
def server() -> Iterator[Asked]:
    with Asked() as asked:
        thread = Thread(target=asked.serve_forever)
        thread.start()
        yield asked
        asked.shutdown()
        thread.join()


@pytest.mark.parametrize("policy", [True, False])
def test_injected_scripts_styles_and_pictures_are_refused(
    browser: Any, tmp_path: Path, server: Asked, policy: bool
) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    injected = (
        f"<main id='page.content'><script>window.hacked = 1</script><img src='{address}/a.png' alt='x'>"
        f"<link rel='stylesheet' href='{address}/a.css'><script src='{address}/a.js'></script>"
        "<b onclick='window.clicked = 1' style='color: red'>x</b>"
    )
    html = render(rich_page()).replace('<main id="page.content"', injected + "<div", 1)
    with Opened(browser, written(html, tmp_path), bypass_csp=not policy) as opened:
        opened.page.locator("b").click()
        done = opened.page.evaluate("[window.hacked, window.clicked]")
        red = opened.page.locator("b").evaluate("b => getComputedStyle(b).color") == "rgb(255, 0, 0)"
    refused = [line for line in opened.findings if "Content Security Policy" in line]
    if policy:
        assert (done, red, server.paths) == ([None, None], False, [])
        assert len(refused) == 6
    else:  # the test can tell: without the policy all of it happens
        assert (done, red, sorted(server.paths)) == ([1, 1], True, ["/a.css", "/a.js", "/a.png"])


def test_numbers_sort_as_numbers_and_words_as_words(browser: Any, tmp_path: Path) -> None:
    values = [10, None, 9, -1.5, 100]
    names = ["layer10", "Layer2", "", "layer1", "äther"]
    rows = [[Cell(name), Cell("absent" if v is None else f"{v:,}", v)] for name, v in zip(names, values, strict=True)]
    table = Table(["name", "value"], rows, "numbers", frozenset({1}), [[Cell("all"), Cell("0", 0)]])
    with Opened(browser, written(Page("t", "h", [], [], [Section("s", "s", [table])], "f"), tmp_path)) as opened:
        page = opened.page

        def click(place: int) -> list[str]:
            page.get_by_role("columnheader").nth(place).get_by_role("button").click()
            return [text for text, _ in column(page, 0, place)]

        assert click(1) == ["-1.5", "9", "10", "100", "absent"]
        assert click(1) == ["100", "10", "9", "-1.5", "absent"]
        assert click(1) == ["10", "absent", "9", "-1.5", "100"]
        assert click(0) == ["äther", "layer1", "Layer2", "layer10", ""]
        assert click(0) == ["layer10", "Layer2", "layer1", "äther", ""]
        assert page.locator("tfoot").inner_text().split() == ["all", "0"]


@pytest.mark.parametrize("clipboard", ["granted", "refused", "missing"])
def test_commands_are_copied_or_marked(browser: Any, tmp_path: Path, clipboard: str) -> None:
    command = "python -m fashseg.train notes='a  <b> & \"c\"' \\\n  seed=1"
    page = Page("t", "h", [], [], [Section("s", "s", [Code(command, "The same run")])], "f")
    with Opened(browser, written(page, tmp_path)) as opened:
        if clipboard == "granted":
            opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
        if clipboard == "refused":
            opened.page.evaluate(
                "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"
            )
        if clipboard == "missing":
            opened.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
            opened.page.evaluate("() => { document.execCommand = () => false; }")
        opened.page.get_by_role("button", name="Copy").click()
        expected = "Marked: press Ctrl+C" if clipboard == "missing" else "Copied"
        opened.page.get_by_role("button", name=expected).wait_for()
        if clipboard == "granted":
            assert opened.page.evaluate("navigator.clipboard.readText()") == command
        else:
            assert opened.page.evaluate("getSelection().toString()") == command
        assert opened.findings == []


def test_layout_follows_the_width(browser: Any, tmp_path: Path) -> None:
    path = written(rich_page(), tmp_path)
    for width, in_a_row in ((PHONE, 2), (DESKTOP, 4)):
        with Opened(browser, path, width=width) as opened:
            panels = opened.page.locator(".panels li")
            tops = [panels.nth(i).bounding_box()["y"] for i in range(4)]
            assert tops.count(tops[0]) == in_a_row
            thumbnail = opened.page.locator(".thumbnails img").first
            assert thumbnail.bounding_box()["width"] == 64
            assert thumbnail.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
            table = opened.page.locator(".wide").last
            assert table.get_attribute("tabindex") == "0"
            assert table.evaluate("box => box.scrollWidth > box.clientWidth")


def test_keyboard_focus_is_visible(browser: Any, tmp_path: Path) -> None:
    with Opened(browser, written(rich_page(), tmp_path)) as opened:
        seen = set()
        for _ in range(20):
            opened.page.keyboard.press("Tab")
            focused = opened.page.evaluate(
                "[document.activeElement.tagName, parseFloat(getComputedStyle(document.activeElement).outlineWidth)]"
            )
            seen.add(focused[0])
            assert focused[1] >= 2, focused
        assert {"A", "BUTTON"} <= seen
