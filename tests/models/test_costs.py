"""The page about networks counts their weights and multiply-adds rightly."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fashseg.checking import check
from fashseg.composing import compose
from fashseg.config import Train
from fashseg.data.sources import SOURCES
from fashseg.models import build_model

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"
ROWS = re.findall(r"^\| `(.+?)` \| ([\d,]+) \| ([\d,.]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("words", "parameters", "millions"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_page_is_right(words: str, parameters: str, millions: str) -> None:
    run = check(Train, compose("train", words.split()))
    info = SOURCES[run.data.name].info
    with torch.device("meta"):
        model = build_model(run.model, info.shape, len(info.class_names)).eval()
        image = torch.zeros(1, *info.shape)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            getattr(model, "layer_by_layer", model)(image)  # what the page of a run counts
    assert f"{sum(p.numel() for p in model.parameters()):,}" == parameters
    assert f"{counter.get_total_flops() / 2e6:,.1f}" == millions


def test_every_network_of_the_package_is_on_the_page() -> None:
    named = {word for words, *_ in ROWS for word in words.split() if word.startswith("model=")}
    files = {f"model={path.stem}" for path in (PAGE.parents[1] / "conf" / "model").glob("*.yaml")}
    assert files - named <= {"model=timm", "model=smp"}, "whose networks are those of other packages"
    assert named <= files
