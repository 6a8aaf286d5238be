"""Opens pages in a real browser, as their readers do, and checks what holds for every page.

``check_page(path)`` is for any page of the project. It needs playwright, axe and a chromium, and skips the test, saying
what is missing, where one is not there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from amounts import SLOW
from pages.using import pictures_not_loaded, sideways_scroll, use_commands, use_pictures, use_tables

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESKTOP = 360, 1280
HEIGHT = {PHONE: 780, DESKTOP: 900}
LOOKS = ((PHONE, "dark"), (PHONE, "light"), (DESKTOP, "dark"), (DESKTOP, "light"))
# Rules of axe that ask for colours, sizes and places.
SEEN = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]


def chromium_path() -> str:
    """The installed chromium; skips the test where there is none."""
    pytest.importorskip("playwright", reason="playwright is not installed: pip install -e .[dev]")
    pytest.importorskip("axe_playwright_python", reason="axe is not installed: pip install -e .[dev]")
    found = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    if found is None:
        pytest.skip("no chromium found: pages are not tested in a browser (Debian: apt-get install chromium)")
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser of playwright, closed at the end."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page in a window of its own, and what it did that no page may do.

    Args:
        browser: of ``chromium``.
        path: the HTML file.
        width: of the window, in CSS pixels.
        scheme: "light" or "dark".
        options: others of playwright's ``new_context``.

    Attributes:
        page: playwright's page.
        findings: errors and warnings of the console, exceptions, and requests for anything but the file and data URIs.
    """

    def __init__(
        self, browser: Any, path: Path, *, width: int = DESKTOP, scheme: str = "light", **options: Any
    ) -> None:
        size = {"width": width, "height": HEIGHT.get(width, 780)}
        self.context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce", **options)
        self.context.set_default_timeout(60_000)
        self.findings: list[str] = []
        self._address = path.resolve().as_uri()
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.findings.append(f"exception: {error}"))
        self.context.on("request", self._see)
        self.page.goto(self._address)

    def show(self, width: int, scheme: str) -> None:
        """In a window of another width, in another scheme."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT.get(width, 780)})
        self.page.emulate_media(color_scheme=cast(Any, scheme))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.findings.append(f"console {message.type}: {message.text}")

    def _see(self, request: Any) -> None:
        address = request.url.split("#")[0]
        if address != self._address and not address.startswith("data:"):
            self.findings.append(f"request to {address[:200]}")

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()


def check_page(path: Path, browser: Any = None) -> None:
    """Everything that must hold for every page; takes a few seconds.

    In light and dark, 320, 360 and 1280 pixels wide: silent console, no request, pictures loaded, no sideways scroll,
    no serious finding of axe. Tables sort, pictures enlarge, commands are copied, folded text is open on paper, and
    without JavaScript all of it is still there.

    Args:
        path: the HTML file.
        browser: one of ``chromium``, to open many pages in; None starts one.

    Raises:
        AssertionError: with all findings.
    """
    if browser is None:
        with chromium() as started:
            return check_page(path, started)
    findings = []
    with Opened(browser, path, width=PHONE, scheme="dark") as opened:
        whole = contents(opened.page)
        for width, scheme in (*LOOKS, (320, "light")):
            opened.show(width, scheme)
            found = [*pictures_not_loaded(opened.page), *sideways_scroll(opened.page)]
            if (width, scheme) == (DESKTOP, "light"):
                found += [*use_tables(opened.page), *use_commands(opened.page)]
            if (width, scheme) in ((DESKTOP, "light"), (PHONE, "dark")):
                found += use_pictures(opened.page)
            findings += [f"{width} px, {scheme}: {line}" for line in (*found, *opened.findings)]
            opened.findings.clear()
    findings += accessibility(browser, path)
    findings += [f"on paper: {line}" for line in on_paper(browser, path)]
    findings += [f"without JavaScript: {line}" for line in without_javascript(browser, path, whole)]
    assert not findings, f"{path}:\n" + "\n".join(findings)
    return None


def accessibility(browser: Any, path: Path) -> list[str]:
    """Serious and critical findings of axe, on the page as it is and with a picture enlarged.

    In every look in ``make test-slow``; else in two, between which both widths and both schemes are.
    """
    from axe_playwright_python.sync_playwright import Axe

    findings = []
    # Axe measures with styles of its own, which the page's policy refuses.
    with Opened(browser, path, bypass_csp=True) as opened:
        opened.page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        buttons = opened.page.locator("main button:has(img)")
        for width, scheme in reversed(LOOKS if SLOW else (LOOKS[0], LOOKS[-1])):
            opened.show(width, scheme)
            # What a page is made of is the same in every look.
            only = {"runOnly": SEEN} if (width, scheme) != LOOKS[-1] else {}
            for enlarged in (False, True)[: 1 + (buttons.count() > 0)]:
                if enlarged:
                    buttons.first.click()
                told = Axe().run(opened.page, "dialog" if enlarged else None, {"resultTypes": ["violations"], **only})
                findings += [f"{width} px, {scheme}: {line}" for line in _serious(told.response["violations"])]
            opened.page.keyboard.press("Escape")
            opened.page.locator("dialog[open]").wait_for(state="hidden")
    return findings


def _serious(violations: Any) -> list[str]:
    return [
        f"axe, {found['impact']}: {found['id']}: {found['help']}: "
        + "; ".join(node["html"][:160] + " " + node["failureSummary"][:300] for node in found["nodes"][:3])
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


def on_paper(browser: Any, path: Path) -> list[str]:
    """Black on white, folded text open, nothing sticks, tables whole; whether dark mode is on or not."""
    with Opened(browser, path, scheme="dark") as opened:
        page = opened.page
        page.emulate_media(media="print")
        findings = page.evaluate(
            """() => {
                const findings = [];
                const style = (e) => getComputedStyle(e);
                const paper = style(document.documentElement);
                if (paper.backgroundColor !== "rgb(255, 255, 255)" || paper.color !== "rgb(0, 0, 0)") {
                    findings.push(`not black on white: ${paper.color} on ${paper.backgroundColor}`);
                }
                for (const pre of document.querySelectorAll("details pre")) {
                    const whole = pre.offsetHeight && pre.scrollHeight <= pre.clientHeight + 1;
                    if (!whole) findings.push("folded text is not whole");
                }
                for (const e of document.body.querySelectorAll("*")) {
                    const sticks = ["sticky", "fixed"].includes(style(e).position);
                    if (sticks) findings.push(`sticks: ${e.outerHTML.slice(0, 80)}`);
                }
                for (const box of document.querySelectorAll(".wide")) {
                    if (style(box).overflowX !== "visible") findings.push("a table is cut");
                }
                return findings;
            }"""
        )
        folded = page.evaluate(
            """() => {
                const closed = () => document.querySelectorAll("details:not([open])").length;
                const before = closed();
                dispatchEvent(new Event("beforeprint"));
                const during = closed();
                dispatchEvent(new Event("afterprint"));
                return [before, during, closed()];
            }"""
        )
        if folded[1] or folded[2] != folded[0]:
            findings.append(f"folded texts before, while and after printing: {folded}")
        if not page.pdf().startswith(b"%PDF"):
            findings.append("can't be printed")
        return [*findings, *opened.findings]


def contents(page: Any) -> dict[str, int]:
    """How many of each kind of element there are."""
    count = "selector => document.querySelectorAll(selector).length"
    kinds = ("h1, h2, h3, h4", "main p", "tr", "th, td", "main img", "details", "pre", "dt, dd", "figcaption")
    return {kind: page.evaluate(count, kind) for kind in kinds}


def without_javascript(browser: Any, path: Path, whole: dict[str, int]) -> list[str]:
    """The same words, rows and pictures as with it, and no button that does nothing."""
    with Opened(browser, path, java_script_enabled=False, width=PHONE) as opened:
        left = contents(opened.page)
        findings = [f"{left[kind]} of {count} {kind}" for kind, count in whole.items() if left[kind] != count]
        if opened.page.locator("button").count():
            findings.append("buttons without their script")
        return [*findings, *sideways_scroll(opened.page), *opened.findings]
