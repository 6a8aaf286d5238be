"""Whether scores and names that were read are such as a run writes, so that a table or a page can be made of them."""

from typing import Any

from fashseg.summary import MAIN_SCORE, class_scores

MOST_CLASSES = 256
MOST_LETTERS = 200  # of the name of a class


def check_class_names(names: Any) -> None:
    """Raises ValueError where they are no list of words, or no page has room for them."""
    known = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not known or not 0 < len(names) <= MOST_CLASSES or max(map(len, names)) > MOST_LETTERS:
        raise ValueError(f"its class names are not 1 to {MOST_CLASSES} of at most {MOST_LETTERS} letters")
    if len(set(names)) < len(names):
        raise ValueError("two of its classes have one name")


def check_scores(task: str, scores: Any) -> None:
    """Hold the scores of a part of results.json against what the task has; None is a score that is undefined.

    Raises:
        ValueError: a score is no number of 0 to 1, or a name is none.
        KeyError, TypeError, AttributeError: scores are missing.
    """
    by_class = class_scores(task, scores)
    check_class_names(list(by_class))
    main = scores[MAIN_SCORE[task]]
    for value in (main["mean"] if isinstance(main, dict) else main, *by_class.values()):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"some are no numbers: {value!r:.60}")
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is no score of 0 to 1")
