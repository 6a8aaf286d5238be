"""The page as Gradio builds it: a picture and a model on the left, what comes of them on the right."""

import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from fashseg.demo.examples import Example, is_for
from fashseg.demo.labelling import Labelled, about, invitation, label, message
from fashseg.demo.uploads import MOST_BYTES, uploaded
from fashseg.predicting.pictures import BadPictureError
from fashseg.predicting.predictor import Predictor

_WISHES = {"auto": None, "yes": True, "no": False}
_DEFAULT = next(iter(_WISHES))
_KEPT = 1800  # seconds that files of visitors are kept
_HEAD = "<h1>fashseg</h1><p>Try a model on a picture of yours. Nothing leaves this computer.</p>"
_REGION = '<div role="region" aria-label="Result" aria-live="polite">${value}</div>'
# Values as the browser sends them are taken: Gradio would open the picture itself, without limits.
_EVENT: dict[str, Any] = {"preprocess": False, "api_visibility": "private", "show_progress": "minimal"}


class Demo:
    """What the page does; nothing is kept from one picture to the next.

    Args:
        models: by the name that is shown.
        examples: pictures to click.
        folder: where Gradio puts what is uploaded; masks are written below it. It deletes all of them after a while:
            examples are elsewhere, and copied when they are clicked.
    """

    def __init__(self, models: Mapping[str, Predictor], examples: Sequence[Example], folder: Path) -> None:
        self.models, self.examples, self.folder = models, examples, folder

    def label(self, picture: Any, model: Any, invert: Any, trim: Any) -> list[Any]:
        """Values of result, button of the mask, and picture."""
        if picture is None:
            return [invitation(), _no_mask(), gr.skip()]
        name = "the picture"
        try:
            path, name = uploaded(picture, self.folder)
            found = label(self._model(model), path, name, _WISHES.get(invert), _WISHES.get(trim))
        except BadPictureError as error:
            return [message(f"{name} {error}."), _no_mask(), None]
        except Exception as error:  # whatever it is, the page says it, and the next picture is welcome
            return [message(f"It could not be labelled: {type(error).__name__}: {error}"), _no_mask(), gr.skip()]
        return [found.html, self._button(found, name), gr.skip()]

    def show_model(self, model: Any) -> list[Any]:
        """Values of the words on a model and of what there is to choose for it."""
        predictor = self._model(model)
        return [about(predictor), gr.update(visible=predictor.info.fit == "garment")]

    def show_example(self, index: Any, model: Any) -> list[Any]:
        """Values of picture and model: the one that is chosen, where it is for such pictures."""
        example = self.examples[int(index)]
        fits = [name for name, predictor in self.models.items() if is_for(predictor.info, example.task)]
        return [str(example.path), model if model in fits else fits[0]]

    def _model(self, name: Any) -> Predictor:
        return self.models[name] if name in self.models else next(iter(self.models.values()))

    def _button(self, found: Labelled, name: str) -> Any:
        if found.mask is None:
            return _no_mask()
        place = Path(tempfile.mkdtemp(dir=self.folder))
        path = place / f"{Path(name).stem[:100] or 'picture'}_mask.png"
        path.write_bytes(found.mask)
        return gr.update(value=str(path), visible=True)


def application(demo: Demo) -> FastAPI:
    """The page as a web application."""
    blocks = _blocks(demo)
    # Pages of documentation would load scripts from elsewhere.
    silent: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None}
    mounted: FastAPI = gr.mount_gradio_app(
        FastAPI(**silent),
        blocks,
        path="/",
        app_kwargs=silent,
        footer_links=[],
        run_history=False,
        max_file_size=MOST_BYTES,
        allowed_paths=[str(example.path) for example in demo.examples],
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        # Others bring fonts; colours are those of fashseg/pages/page.css.
        theme=gr.themes.Base(font=["sans-serif"], font_mono=["monospace"]),
        css=_file("demo.css"),
        # By its js= it would be run once the page is shown, and what is pasted before would be lost.
        head=f"<script>{{{_file('demo.js')}}}</script>",
    )
    return mounted


def _file(name: str) -> str:
    return resources.files("fashseg.demo").joinpath(name).read_text("utf-8")


def _blocks(demo: Demo) -> gr.Blocks:
    blocks: gr.Blocks
    first = next(iter(demo.models))
    about_first, garment = demo.show_model(first)
    with gr.Blocks(title="fashseg", analytics_enabled=False, delete_cache=(60, _KEPT)) as blocks:
        gr.HTML(_HEAD)
        with gr.Row(equal_height=False):
            with gr.Column(elem_classes="side"):
                model = gr.Radio(list(demo.models), value=first, label="Model")
                words = gr.HTML(about_first)
                picture = gr.Image(type="filepath", sources=["upload"], label="Picture", buttons=[], height=320)
                with gr.Row(visible=garment["visible"]) as wishes:
                    invert, trim = (
                        gr.Dropdown(list(_WISHES), value=_DEFAULT, label=label, filterable=False)
                        for label in ("Exchange dark and light", "Cut to the garment")
                    )
                shown = _examples(demo, picture)
            with gr.Column(elem_classes="side"):
                result = gr.HTML(invitation(), html_template=_REGION, apply_default_css=False)
                mask = gr.DownloadButton("Download the mask", visible=False)
    ways = {"inputs": [picture, model, invert, trim], "outputs": [result, mask, picture], **_EVENT}
    with blocks:
        gr.on([picture.upload, picture.clear, invert.input, trim.input], demo.label, **ways)
        model.input(demo.show_model, model, [words, wishes], **_EVENT).then(demo.label, **ways)
        if shown is not None:
            clicked = shown.click(demo.show_example, [shown, model], [picture, model], **_EVENT)
            clicked.then(demo.show_model, model, [words, wishes], **_EVENT).then(demo.label, **ways)
    return blocks


def _examples(demo: Demo, picture: gr.Image) -> gr.Dataset | None:
    if not demo.examples:
        return None
    drawn = {example.drawn for example in demo.examples}
    what = "drawn by code" if drawn == {True} else "test images" if drawn == {False} else "test images and drawn ones"
    return gr.Dataset(
        components=[picture],
        samples=[[str(example.path)] for example in demo.examples],
        type="index",
        label=f"Examples, {what}",
        elem_classes="examples",
    )


def _no_mask() -> Any:
    return gr.update(value=None, visible=False)
