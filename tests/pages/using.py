"""Uses a page that is open in a browser: each function returns what went wrong, in words."""

from typing import Any


def pictures_not_loaded(page: Any) -> list[str]:
    """Pictures that are not drawn, by their alt text, and those without one."""
    return page.evaluate(
        """async () => {
            const images = [...document.images];
            await Promise.all(images.map((image) => image.decode().catch(() => null)));
            const broken = images.filter((image) => !image.complete || !image.naturalWidth || !image.alt);
            return broken.map((image) => `picture is not loaded or has no alt text: ${image.alt}`);
        }"""
    )


def sideways_scroll(page: Any) -> list[str]:
    """Whether the page is wider than the window, and what reaches out of it."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            const widest = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
            if (widest <= width) return [];
            const inside = (e) => e.closest(".wide, pre, dialog, .unseen, .skip");
            const out = [...document.body.querySelectorAll("*")].filter(
                (e) => e.getBoundingClientRect().right > width + 1 && !inside(e.parentElement));
            const who = out.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" | ");
            return [`${widest} px wide in ${width}: ${who}`];
        }"""
    )


def column(page: Any, table: int, place: int) -> list[tuple[str, float | None]]:
    """Text and value of a column's cells, from the top, footer left out."""
    return page.evaluate(
        """([table, place]) => [...document.querySelectorAll("table")[table].tBodies[0].rows].map((row) => {
            const cell = row.cells[place];
            return [cell.textContent.trim(), "value" in cell.dataset ? Number(cell.dataset.value) : null];
        })""",
        [table, place],
    )


def use_tables(page: Any) -> list[str]:
    """Sort each table by each of its columns, by mouse and by keyboard."""
    findings = []
    for number, table in enumerate(page.locator("table").all()):
        footer = table.locator("tfoot").all_inner_texts()
        heads = table.locator("thead th")
        if table.locator("tbody tr").count() < 2:
            continue
        for place in range(heads.count()):
            head = heads.nth(place)
            name = f"table {number}, column {place}"
            before = column(page, number, place)
            for step, order in enumerate(("ascending", "descending", None)):
                button = head.get_by_role("button")
                if (place + step) % 2:
                    button.focus()
                    page.keyboard.press("Enter" if step else "Space")
                else:
                    button.click()
                if head.get_attribute("aria-sort") != order or table.locator("[aria-sort]").count() != (
                    order is not None
                ):
                    findings.append(f"{name}: aria-sort is not {order}")
                after = column(page, number, place)
                numbers = [value for _, value in after if value is not None]
                if order and numbers != sorted(numbers, reverse=order == "descending"):
                    findings.append(f"{name} is not {order}: {after}")
                if order and any(value is not None for _, value in after[len(numbers) :]):
                    findings.append(f"{name}: cells without a number are not last: {after}")
                if (order is None and after != before) or sorted(map(str, after)) != sorted(map(str, before)):
                    findings.append(f"{name}: rows are lost or not back in place")
        if table.locator("tfoot").all_inner_texts() != footer:
            findings.append(f"table {number}: the footer changed")
    return findings


def use_pictures(page: Any, most: int = 6) -> list[str]:
    """Enlarge pictures from all over the page: by click and Enter; close by Escape and button."""
    findings = []
    buttons = page.locator("main button:has(img)")
    count = buttons.count()
    if count != page.locator("main img").count():
        findings.append(f"only {count} of {page.locator('main img').count()} pictures enlarge")
    for step, place in enumerate(sorted({round(i * (count - 1) / most) for i in range(most + 1)} if count else ())):
        button, dialog = buttons.nth(place), page.locator("dialog")
        if step % 2:
            button.focus()
            page.keyboard.press("Enter")
        else:
            button.click()
        dialog.locator("img").wait_for(state="visible")
        small, large = button.locator("img").bounding_box(), dialog.locator("img").bounding_box()
        if large["width"] < small["width"] - 1 or large["height"] < 1:
            findings.append(f"picture {place} is not enlarged: {small} to {large}")
        if dialog.locator("img").get_attribute("alt") != button.locator("img").get_attribute("alt"):
            findings.append(f"picture {place} has another alt text enlarged")
        findings += sideways_scroll(page)
        if step % 3 == 2:
            dialog.get_by_role("button", name="Close").click()
        else:
            page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        if not button.evaluate("button => document.activeElement === button"):
            findings.append(f"picture {place}: the focus is not back")
    return [*findings, *_in_a_hurry(page, buttons)] if count else findings


def _in_a_hurry(page: Any, buttons: Any) -> list[str]:
    """Close a picture and open it again before the browser has told the page that it is closed."""
    findings = []
    left = buttons.first.evaluate(
        """async button => {
            const dialog = document.querySelector("dialog");
            button.click();
            const told = new Promise((done) => dialog.addEventListener("close", () => setTimeout(done), {once: true}));
            dialog.close();
            button.click();
            await told;
            return dialog.querySelectorAll("img").length;
        }"""
    )
    if left != 1:
        findings.append(f"a picture that is enlarged again at once is gone: {left} in the dialog")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="hidden")
    return findings


def use_commands(page: Any) -> list[str]:
    """Copy each command: it says so, or marks the text to be copied."""
    findings = []
    for box in page.locator(".code").all():
        button, text = box.get_by_role("button"), box.locator("code").inner_text()
        button.click()
        page.wait_for_function("button => button.textContent !== 'Copy'", arg=button.element_handle())
        if button.inner_text() != "Copied" and page.evaluate("getSelection().toString()").strip() != text.strip():
            findings.append(f"not copied and not marked: {text}")
    return findings
