"""Sentences from numbers: what the result is, which classes are hard, and what they are taken for."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fashseg.commands import command
from fashseg.data_place import OWN
from fashseg.report.facts import Facts, Scored
from fashseg.text import counted, listed, percent

HARD = 3


def headline(facts: Facts) -> str:
    """The result in one line, beside the published figure."""
    scored = facts.scored
    if "test" in scored:
        ours, part, published = scored["test"].main, "test", facts.published.test.get("all")
    elif "val" in scored:
        ours, part, published = scored["val"].main, "validation", None
    elif so_far := [v for row in facts.rows if (v := row.get(f"val_{facts.score_name}")) is not None]:
        ours, part, published = max(so_far), "validation", None
    else:
        return "Nothing has been scored yet"
    score = score_in_words(facts, ours)
    line = f"{facts.score_label[0].upper()}{facts.score_label[1:]} on {part} images: {score}"
    return line if published is None else f"{line}, published {score_in_words(facts, published)}"


def score_in_words(facts: Facts, score: float | None) -> str:
    """An accuracy in percent, an average precision as it is."""
    if score is None or math.isnan(score):
        return "absent"
    return percent(score) if facts.classifies else f"{score:.3f}"


def hardest(facts: Facts, scores: Scored, confusion: npt.NDArray[np.integer] | None) -> list[str]:
    """Which classes are hardest and what they are taken for.

    Args:
        facts: of the run.
        scores: of one part.
        confusion: (C, C), rows are the truth; None where unknown.
    """
    present = {name: score for name, score in scores.by_class.items() if not math.isnan(score)}
    if len(present) < 2:
        return []
    order = sorted(present, key=lambda name: present[name])
    hard = order[: min(HARD, len(order) - 1)]
    named = [f"{name} ({score_in_words(facts, present[name])})" for name in hard]
    best = order[-1]
    lines = [
        f"Hardest {'is' if len(named) == 1 else 'are'} {listed(named)}; "
        f"easiest is {best} ({score_in_words(facts, present[best])})."
    ]
    if present[best] == present[hard[0]]:
        hard, lines = [], [f"All classes are as good as each other: {score_in_words(facts, present[best])}."]
    if confusion is not None:
        lines += [line for name in hard if (line := taken_for(facts, name, confusion))]
        never = [name for name, count in zip(facts.class_names, confusion.sum(0), strict=True) if not count]
        if never:
            lines.append(f"Never predicted: {listed(never)}.")
    absent = [name for name in scores.by_class if name not in present]
    if absent:
        lines.append(f"Absent from these images: {listed(absent)}.")
    return lines


def taken_for(facts: Facts, name: str, confusion: npt.NDArray[np.integer]) -> str:
    """What one class is taken for most often; empty where it is never mistaken."""
    label = facts.class_names.index(name)
    row = confusion[label].astype(float)
    total = row.sum()
    if not total:
        return ""
    shares = row / total
    others = [(int(i), shares[i]) for i in np.argsort(-row, kind="stable") if i != label and shares[i] >= 0.005]
    if not others:
        return f"{name} is hardly ever taken for another class."
    unit = "images" if facts.classifies else "pixels"
    mistaken = [f"{percent(share)} are taken for {facts.class_names[i]}" for i, share in others[:HARD]]
    return f"{name}: {percent(shares[label])} of its {unit} are recognised; {listed(mistaken)}."


def comparable(facts: Facts) -> list[str]:
    """Whether validation can be compared with training: the three losses, and what the two sets share."""
    lines = []
    rows = [row for row in facts.rows if row.get("val_loss") is not None]
    if facts.overfits:
        return ["Training, validation and test images are the same ones here: nothing is to be compared."]
    if rows:
        fixed, val = rows[-1].get("train_loss"), rows[-1]["val_loss"]
        lines.append(
            "Not by the running loss: it is averaged over the epoch while the weights still move, so it is of weights "
            "that had been trained on average half an epoch less than those of validation."
        )
        if facts.other_loss:
            lines.append(
                f"It is of another kind, too: of {facts.other_loss}, which was minimised. The other two are the "
                "cross-entropy, as for every run, so that runs can be compared."
            )
        if facts.averaged:
            lines.append(
                f"And it is of the weights as they are trained, the other two of their average ({facts.averaged})."
            )
        if facts.mixing:
            lines.append(f"It is of training images that were mixed with each other, by {facts.mixing}.")
        if fixed and val is not None:
            lines.append("By the loss at the end of the epoch, yes: it is of the same weights as validation.")
            lines.append(_gap(fixed, val))
        elif fixed is None:
            lines.append("What could be compared, the loss of training images on fixed weights, was not measured.")
    return [*lines, *_shared(facts), *_taught(facts)]


def _gap(fixed: float, val: float) -> str:
    share = (val - fixed) / fixed
    if abs(share) < 0.005:
        return "At the end validation and training loss on the same weights are within 0.5% of each other."
    side = "above" if share > 0 else "below"
    return f"At the end the validation loss lies {percent(abs(share))} {side} that of training images."


def _shared(facts: Facts) -> list[str]:
    shared = facts.results.get("val_images_of_trained_buildings")
    count = facts.results.get("images", {}).get("val")
    if shared is None or not count:
        return []
    group = "group" if facts.results.get("data") in OWN else "building"
    if shared == 0:
        return [f"No validation image shows a {group} that is trained on: validation speaks of new {group}s."]
    which = f"All {count}" if shared == count else f"{shared} of the {count}"
    return [
        f"{which} validation images show a {group} that training images show, too. Validation therefore says how well "
        f"known {group}s are recognised in other pictures, and hides what new ones would cost. data.split={group} "
        f"keeps each {group} on one side."
    ]


def _taught(facts: Facts) -> list[str]:
    teacher = facts.results.get("teacher")
    if not isinstance(teacher, dict):
        return []
    if teacher.get("same_validation") is True:
        return ["The teacher was validated on the same images: they are new to it, too."]
    known = teacher.get("same_validation") is False
    return [
        f"The teacher {'was validated on other images' if known else 'does not say on which images it was validated'}: "
        "validation images may be among those that it was trained on, and what it knows of them may have come to this "
        "network. The test images alone are then new to both."
    ]


def what_is_wrong(facts: Facts) -> Sequence[str]:
    """Banners for the top of the page."""
    results, lines = facts.results, []
    if results.get("synthetic"):
        lines.append("Synthetic data: these images were drawn by code. The scores say nothing about real ones.")
    if results.get("partial"):
        lines.append(
            "A part of the data set: images were missing when this run was made (data.partial). Its scores compare "
            "with those of no other run but on the same images."
        )
    if facts.overfits:
        lines.append(
            "Trained, validated and tested on the same few images (trainer.overfit_batches): this shows whether the "
            "network can learn at all, and nothing else."
        )
    elif results.get("limited"):
        lines.append(
            "Only some batches were used (trainer.limit_batches or overfit_batches): the scores are for trying out."
        )
    status = results["status"]
    if status == "failed":
        lines.append(f"This run failed: {results.get('error', 'the reason is in run.log')}")
    elif status == "interrupted":
        lines.append(
            f"This run was interrupted after {counted(len(facts.rows), 'epoch')}. What is shown is its best so far, on "
            f"validation images; test images are kept for the end. Go on: "
            + command("train", facts.plugins, resume=facts.shown_path)
        )
    elif status == "pruned":
        lines.append(
            f"The search that this run belongs to ended it after {counted(len(facts.rows), 'epoch')}, for it fell "
            "behind other trials. What is shown is its best so far, on validation images; it was not tested."
        )
    elif status not in ("finished", "running"):
        lines.append(f"The status of this run is {status}, which this version does not know.")
    elif status == "running":
        lines.append("This run is not finished: it is running, or was stopped without notice.")
    return lines
