"""The page in a real browser: served by the command, used as its visitors use it."""

import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.tiny import half
from demo.visiting import Served, Visit, hard_to_use, serving, visiting
from fashseg import predict
from fashseg.data.synthetic_facade import draw_facades
from pages.browser import chromium
from pages.using import sideways_scroll

pytest.importorskip("gradio", reason="gradio is not installed: pip install -e .[dev]")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page, started once for all tests."""
    with serving(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def visit(served: Served, browser: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A window on the page; a test may name its width and its colours, and is measured then."""
    width, scheme = getattr(request, "param", (1280, "light"))
    with visiting(served, browser, width, scheme, measured=hasattr(request, "param")) as opened:
        yield opened


def _photograph(path: Path) -> Path:
    """Neither square nor of the size that the model takes."""
    pixels = draw_facades(1, seed=5).images[0].transpose(1, 2, 0)
    Image.fromarray(pixels).resize((420, 300)).save(path, quality=95)
    return path


def test_a_picture_is_labelled_and_its_mask_is_that_of_predict(visit: Visit, served: Served, tmp_path: Path) -> None:
    path = _photograph(tmp_path / "my house.jpg")
    assert "paste one" in visit.result("Drop or choose")
    visit.upload(path)
    text = visit.result("Shares of the area")
    assert "my house.jpg, 420×300 pixels" in text
    shares = [float(word.rstrip("%")) for word in text.split() if word.endswith("%")]
    assert len(shares) == 5
    assert abs(sum(shares) - 100) < 0.5
    shown = visit.page.get_by_role("img", name="my house.jpg with the colours")
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [420, 300]
    with visit.page.expect_download() as download:
        visit.page.get_by_text("Download the mask").click()
    assert download.value.suggested_filename == "my house_mask.png"
    download.value.save_as(tmp_path / "mask.png")
    words = [f"model={served.models[0]}", f"input={path}", f"output={tmp_path / 'out'}", "trainer.accelerator=cpu"]
    assert predict.main(words) == 0
    with Image.open(tmp_path / "mask.png") as mine, Image.open(tmp_path / "out" / "masks" / "my house.png") as theirs:
        assert mine.size == (420, 300)
        assert mine.getpalette() == theirs.getpalette()
        assert np.array_equal(mine, theirs)


def test_another_model_and_what_is_done_for_it_can_be_chosen(visit: Visit, tmp_path: Path) -> None:
    visit.upload(_photograph(tmp_path / "x.jpg"))
    visit.result("Shares of the area")
    visit.choose("cnn")
    assert "What the model sees, 28×28 pixels" in visit.result("Probabilities")
    visit.page.get_by_text("Download the mask").wait_for(state="hidden")
    visit.page.get_by_label("Exchange dark and light").click()
    visit.page.get_by_role("option", name="no").click()
    visit.result("Dark and light were left as they are")
    visit.choose("segnet")
    visit.result("Shares of the area")
    visit.page.get_by_text("Exchange dark and light").wait_for(state="hidden")


def test_an_example_brings_its_model(visit: Visit) -> None:
    visit.page.get_by_text("Examples, drawn by code").wait_for()
    examples = visit.page.locator(".examples button")
    assert examples.count() == 6
    examples.nth(4).focus()
    visit.page.keyboard.press("Enter")
    assert "garment_2.png" in visit.result("Probabilities")
    assert visit.page.get_by_role("radio", name="cnn", exact=True).is_checked()
    examples.nth(1).click()
    assert "facade_2.png" in visit.result("Shares of the area")


def test_a_picture_can_be_pasted(visit: Visit, served: Served) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.address)
    visit.page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(60, 40);
            canvas.getContext("2d").fillRect(10, 10, 20, 20);
            const blob = await canvas.convertToBlob({ type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }"""
    )
    visit.page.bring_to_front()  # one that lies behind another gets no keys
    visit.page.keyboard.press("Control+v")
    assert "60×40 pixels" in visit.result("Shares of the area")


def test_what_is_pasted_while_the_page_is_built_is_labelled(visit: Visit, tmp_path: Path) -> None:
    picture = list(_photograph(tmp_path / "x.jpg").read_bytes())
    visit.page.add_init_script(
        f"""new MutationObserver((_, observer) => {{
            if (!document.querySelector("input[type=file]")) return;
            observer.disconnect();
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array({picture})], "early.jpg", {{ type: "image/jpeg" }}));
            document.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData }}));
        }}).observe(document, {{ childList: true, subtree: true }});"""
    )
    visit.page.reload()
    assert "early.jpg, 420×300 pixels" in visit.result("Shares of the area")


def test_a_broken_upload_is_told_and_the_next_one_is_welcome(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "<b>${1}.jpg"
    path.write_text("no picture")
    visit.upload(path)
    assert ".jpg is no picture of a known format" in visit.result("is no picture of a known format")
    path = _photograph(tmp_path / "half.png")
    half(path)
    visit.upload(path)
    assert "Traceback" not in visit.result("half.png is damaged or incomplete")
    assert visit.page.get_by_text("Download the mask").is_hidden()
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(52 * 2**20)
    visit.upload(tmp_path / "large.jpg")
    visit.page.get_by_text("exceed the maximum allowed size").wait_for()
    visit.upload(_photograph(tmp_path / "good.png"))
    visit.result("good.png, 420×300 pixels")


@pytest.mark.parametrize("visit", [(375, "light"), (1280, "dark")], indirect=True, ids=["telephone", "dark"])
def test_it_is_readable_on_any_screen(visit: Visit) -> None:
    visit.page.locator(".examples button").first.click()
    visit.result("Shares of the area")
    assert not sideways_scroll(visit.page)
    assert not hard_to_use(visit.page)
    dark = visit.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    # Below the picture on a telephone, beside it elsewhere; examples come last there.
    picture, result, examples = (
        visit.page.locator(place).first.bounding_box()
        for place in ("[data-testid=image]", "[aria-label=Result]", ".examples")
    )
    assert (result["y"] > picture["y"] + picture["height"] - 1) == (not dark)
    assert (examples["y"] > result["y"] + result["height"] - 1) == (not dark)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "elsewhere.example"}, 400), ({"Origin": "http://elsewhere.example"}, 403), ({"Origin": "null"}, 403)],
    ids=["host", "origin", "null"],
)
def test_pages_of_others_get_nothing(served: Served, headers: dict[str, str], status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            urllib.request.Request(f"{served.address}/config", headers=headers), timeout=30
        )
    refused.value.close()
    assert refused.value.code == status


def test_ctrl_c_ends_it_in_silence_and_nothing_is_left(served: Served) -> None:
    """The last test: the page is gone afterwards."""
    assert len(list(served.folder.iterdir())) == 1
    served.process.send_signal(signal.SIGINT)
    out, err = served.process.communicate(timeout=60)
    assert served.process.returncode == 130
    assert (out, err) == ("", "interrupted by SIGINT\n")
    assert not list(served.folder.iterdir())
    served.proxy.setblocking(False)
    with pytest.raises(BlockingIOError):  # nobody has called
        served.proxy.accept()
