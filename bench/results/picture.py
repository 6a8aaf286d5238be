"""The picture of docs/results.md: test scores over the number of parameters."""

from bench.results.goals import GOALS
from bench.results.kept import mean_and_deviation
from bench.results.presets import Presets
from fashseg.figures.goals import Point, scores_over_size
from fashseg.figures.style import png

_LABELS = {"classification": "accuracy", "segmentation": "mean average precision"}


def draw(presets: Presets) -> bytes:
    """PNG, a panel for each task that a preset with a goal was run for."""
    panels: dict[str, list[Point]] = {}
    for name, goal in GOALS.items():
        runs = presets.get(name, ())
        if test := mean_and_deviation(run.main("test") for run in runs):
            point = Point(name, runs[0].results["parameters"], *test, goal.record, goal.goal)
            panels.setdefault(_LABELS[goal.task], []).append(point)
    return png(scores_over_size(panels, "parameters"), dpi=100)
