"""Images to labels, side by side: see prediction.py."""

from bench.ratios import take_turns
from bench.setting import Setting, median_of, ratio_of
from bench.tables import count, table


def compare_prediction(setting: Setting) -> str:
    """Images to labels, both models."""
    rows = []
    for model, few in (("cnn", 2000), ("segnet", 24)):
        limit = ["--images", few] if setting.quick else []
        sides = {
            side: setting.child("bench.prediction", side, model, setting.plain_root, *limit)
            for side in ("project", "plain")
        }
        found = take_turns(sides, setting.rounds)
        by_cpu, by_wall = (ratio_of(found, "plain", key) for key in ("images_per_cpu_second", "images_per_second"))
        rates = [count(median_of(found[side], "images_per_cpu_second")) for side in ("project", "plain")]
        ours, theirs = (found[side][0].result["labels"] for side in ("project", "plain"))
        same = sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours)
        rows.append((model, *rates, by_cpu, by_wall, "≥ 3", f"{same:.4f}"))
    labels = ("prediction", "project, images a processor second", "plain loop", "ratio by processor time")
    return table((*labels, "by wall time", "wanted", "same labels"), rows)
