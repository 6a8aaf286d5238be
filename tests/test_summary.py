"""The table of scores on the screen."""

from typing import Any

from fashseg.data.sources import SOURCES
from fashseg.summary import score_table

CLASSES = SOURCES["fashion_mnist"].info.class_names
SCORES = {"accuracy": 0.9, "accuracy_per_class": dict.fromkeys(CLASSES, 0.9)}


def headings(**results: Any) -> list[str]:
    table = score_table({"task": "classification", "data": "fashion_mnist", **results})
    assert {len(list(column.cells)) for column in table.columns} == {len(CLASSES) + 1}
    return [str(column.header) for column in table.columns]


def test_published_figures_stand_beside_those_of_the_test_alone() -> None:
    assert headings(val=SCORES, test=SCORES) == ["class", "val", "test", "published", "difference"]
    assert headings(test=SCORES) == ["class", "test", "published", "difference"]
    assert headings(val=SCORES) == ["class", "val"]
    assert headings(train=SCORES) == ["class", "train"]
    assert headings(test=SCORES, limited=True) == ["class", "test"]
