"""Reads all that a run folder tells; what is missing or damaged is noted, not fatal."""

from typing import Any

from fashseg.config import TASKS
from fashseg.errors import UserError
from fashseg.files import checksum
from fashseg.report.facts import PARTS, Facts, Row
from fashseg.report.plausible import check_class_names, check_scores
from fashseg.report.reading import Arrays, read_evidence
from fashseg.run import RunFolder
from fashseg.summary import main_score
from fashseg.text import all_printable
from fashseg.untrusted import read_json

_MOST_ENTRIES = 10_000  # layers, for example


def load_facts(folder: RunFolder) -> Facts:
    """Read a run folder.

    Raises:
        UserError: there is no run, or its results.json is broken or says nothing about the task.
    """
    results = all_printable(folder.read_results())
    if results.get("task") not in TASKS["model"].values():
        raise UserError(
            f"{folder.results} names no task that fashseg knows: task={results.get('task')}.",
            "It was written by another version, or changed; name another run.",
        )
    facts = Facts(folder, results)
    _check_scores(facts)
    for what, read in (("config", folder.read_config), ("rows", lambda: _epochs(folder))):
        try:
            setattr(facts, what, read())
        except FileNotFoundError:
            facts.missing.append(f"{folder.metrics} does not exist.")
        except (UserError, OSError, ValueError) as error:
            facts.missing.append(error.what if isinstance(error, UserError) else f"{folder.metrics}: {error}.")
    facts.network = _read_json(facts, "network", list) or []
    facts.data = _read_json(facts, "data", dict) or {}
    for name in ("start", "end", "val", *(["test"] if facts.finished else [])):
        _read_arrays(facts, name)
    return facts


def _epochs(folder: RunFolder) -> list[Row]:
    rows = folder.read_metrics()
    whole = [row for row in rows if row.get("epoch") is not None]
    if rows and not whole:
        raise ValueError("no row of it is of an epoch")
    return whole


def _check_scores(facts: Facts) -> None:
    """Drop scores of another shape than this version writes, so that the rest of the page can be made."""
    flips = facts.results.get("flips", {})
    if not isinstance(flips, dict):
        flips = facts.results["flips"] = {}
        facts.missing.append(f"The scores with mirror images of {facts.folder.results} are not as this version knows.")
    for scores, kind in ((facts.results, ""), (flips, " with mirror images")):
        for part in PARTS:
            try:
                if part in scores:
                    check_scores(facts.task, scores[part])
                    main_score(facts.task, scores[part])
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                del scores[part]
                where = f"The {part} scores{kind} of {facts.folder.results}"
                facts.missing.append(f"{where} are not as this version knows: {error}.")


def _read_json(facts: Facts, name: str, kind: Any) -> Any:
    path = facts.folder.evidence / f"{name}.json"
    try:
        content = all_printable(read_json(path))
        if not isinstance(content, kind) or len(content) > _MOST_ENTRIES:
            raise ValueError("it holds something else")
        if name == "data":
            check_class_names(content["info"]["class_names"])
        return content
    except FileNotFoundError:
        facts.missing.append(f"{path} does not exist.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        facts.missing.append(f"{path} can't be read: {error}.")
    return None


def _read_arrays(facts: Facts, name: str) -> None:
    path = facts.folder.evidence / f"{name}.npz"
    try:
        arrays = read_evidence(path, facts.task if name in PARTS else "filters")
        if name in PARTS:
            _check_evidence(facts, name, arrays)
        facts.evidence[name] = arrays
    except FileNotFoundError:
        facts.missing.append(f"{path} does not exist.")
    except (OSError, ValueError, KeyError) as error:
        facts.missing.append(f"{path} can't be used: {error}.")


def _check_evidence(facts: Facts, part: str, arrays: Arrays) -> None:
    """Whether evidence is of this run.

    Raises:
        ValueError: it is not.
        KeyError: something is missing.
    """
    classes = len(facts.data["info"]["class_names"]) if facts.data else None
    if classes is not None and len(arrays["class_scores"]) != classes:
        raise ValueError(f"it is of {len(arrays['class_scores'])} classes, not {classes}")
    best = facts.folder.checkpoint("best")
    weights = checksum(best) if best.is_file() else ""
    if weights and str(arrays["weights"]) != weights:
        raise ValueError("it is of other weights than checkpoints/best.ckpt")
    scored = facts.results.get("fingerprints")
    if isinstance(scored, dict) and scored.get(part, str(arrays["fingerprint"])) != str(arrays["fingerprint"]):
        raise ValueError("it is of other images than the scores")
