"""What ``study.json`` holds, held against what it has to be: for each mistake an error that names it."""

from datetime import UTC, datetime
from typing import Any

from fashseg.commands import as_typed
from fashseg.sweep.kept_study import DIRECTIONS, FORMAT, KINDS, STATES, Searched, Study, Trial
from fashseg.text import on_one_line, printable
from fashseg.untrusted import RefusedError

MOST_TRIALS = 20_000
MOST_OPTIONS = 200
MOST_CHOICES = 10_000  # of an option
MOST_OBJECTIVES = 10
MOST = 1e30  # beyond it is no score, and no chart has room for it
MOST_SECONDS = 1e10


def parse(content: Any) -> Study:
    """A search and its trials from what its file holds; text in it may be shown as it is.

    Raises:
        RefusedError: something is missing or of another kind; it is named.
    """
    top = _Group(content, "")
    if (version := top.plain("format")) != FORMAT:
        raise RefusedError(f"its format is {_short(version)}, this version reads {FORMAT}")
    objectives = top.texts("objectives", MOST_OBJECTIVES)
    directions = top.texts("directions", MOST_OBJECTIVES)
    if not objectives or len(directions) != len(objectives) or not set(directions) <= set(DIRECTIONS):
        raise RefusedError(f"directions has to be one of {' or '.join(DIRECTIONS)} for each of its objectives")
    importance = top.plain("importance")
    space = {as_typed(name): _searched(group) for name, group in top.groups("space", MOST_OPTIONS).items()}
    return Study(
        name=on_one_line(top.text("study_name")),
        directions=directions,
        objectives=tuple(map(on_one_line, objectives)),
        sampler=on_one_line(top.text_or_none("sampler") or "none"),
        pruner=on_one_line(top.text_or_none("pruner") or "none"),
        n_trials=top.count("n_trials"),
        space=space,
        overrides=tuple(as_typed(printable(word)) for word in top.texts("overrides", MOST_CHOICES)),
        command=printable(top.text("command")),
        importance=None if importance is None else _importance(_Group(importance, "importance")),
        trials=_trials(top, len(objectives)),
    )


def _searched(group: "_Group") -> Searched:
    kind = group.one_of("kind", KINDS)
    if kind == "choice":
        return Searched(kind, choices=tuple(map(printable, group.texts("choices", MOST_CHOICES))))
    low, high = group.number("low", MOST), group.number("high", MOST)
    if low is None or high is None or low > high:
        raise RefusedError(f"{group.name} is no interval: it goes from {low} to {high}")
    log = group.plain("log") is True
    if log and low <= 0:
        raise RefusedError(f"{group.name} begins at {low}, which no logarithmic scale has")
    return Searched(kind, low, high, log, group.number("step", MOST))


def _importance(group: "_Group") -> dict[str, float] | None:
    shares = {as_typed(name): group.number(name, MOST) for name in list(group.content)[:MOST_OPTIONS]}
    return {on_one_line(name): share for name, share in shares.items() if share is not None and share >= 0} or None


def _trials(top: "_Group", objectives: int) -> tuple[Trial, ...]:
    content = top.plain("trials")
    if not isinstance(content, list):
        raise RefusedError("trials is no list")
    if len(content) > MOST_TRIALS:
        raise RefusedError(f"it has {len(content):,} trials, more than {MOST_TRIALS:,}")
    trials = [_trial(_Group(entry, f"trials[{place}]"), objectives) for place, entry in enumerate(content)]
    if len({trial.number for trial in trials}) < len(trials):
        raise RefusedError("two of its trials have the same number")
    return tuple(sorted(trials, key=lambda trial: trial.number))


def _trial(group: "_Group", objectives: int) -> Trial:
    values = group.plain("values")
    if values is not None and (not isinstance(values, list) or len(values) != objectives):
        raise RefusedError(f"{group.name}.values is {_short(values)}, not one number for each objective")
    state = group.one_of("state", STATES)
    return Trial(
        number=group.count("number"),
        state=state,
        params={as_typed(name): word for name, word in group.words("params").items()},
        values=tuple(_number(value, MOST, f"{group.name}.values") for value in values or ()),
        intermediate=_intermediate(group),
        started=group.time("started"),
        ended=group.time("ended"),
        seconds=group.number("seconds", MOST_SECONDS),
        folder=group.text_or_none("folder"),
        error=group.text_or_none("error"),
        replaces=None if group.plain("replaces") is None else group.count("replaces"),
    )


def _intermediate(group: "_Group") -> dict[int, float]:
    content = group.plain("intermediate")
    if content is None:
        return {}
    inside = _Group(content, f"{group.name}.intermediate")
    found = {}
    for epoch in inside.content:
        if not (epoch.isascii() and epoch.isdecimal() and len(epoch) <= 9):
            raise RefusedError(f"{inside.name} has the key {_short(epoch)}, which is no epoch")
        value = inside.number(epoch, MOST)
        if value is not None:
            found[int(epoch)] = value
    return dict(sorted(found.items()))


class _Group:
    """A group of values, each asked for as what it has to be.

    Args:
        content: of the file.
        name: path to it, for errors.

    Raises:
        RefusedError: it is no group; so do all its methods where a value is of another kind.
    """

    def __init__(self, content: Any, name: str) -> None:
        if not isinstance(content, dict):
            raise RefusedError(f"{name or 'it'} is no group of values")
        self.content, self.name = content, name

    def path(self, key: str) -> str:
        return f"{self.name}.{on_one_line(key):.60}" if self.name else key

    def plain(self, key: str) -> Any:
        return self.content.get(key)

    def text(self, key: str) -> str:
        value = self.plain(key)
        if not isinstance(value, str):
            raise RefusedError(f"{self.path(key)} is {_short(value)}, no text")
        return value

    def text_or_none(self, key: str) -> str | None:
        return None if self.plain(key) is None else printable(self.text(key))

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        value = self.plain(key)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(item, str) for item in value):
            raise RefusedError(f"{self.path(key)} is {_short(value)}, no list of texts")
        return tuple(value)

    def words(self, key: str) -> dict[str, str]:
        """Options with their values as they are typed."""
        group = _Group(self.plain(key), self.path(key))
        if len(group.content) > MOST_OPTIONS:
            raise RefusedError(f"{group.name} has {len(group.content):,} options, more than {MOST_OPTIONS}")
        return {on_one_line(name): printable(group.text(name)) for name in group.content}

    def groups(self, key: str, most: int) -> dict[str, "_Group"]:
        group = _Group(self.plain(key), self.path(key))
        if len(group.content) > most:
            raise RefusedError(f"{group.name} has {len(group.content):,} entries, more than {most}")
        return {on_one_line(name): _Group(value, group.path(name)) for name, value in group.content.items()}

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        value = self.plain(key)
        if value not in known:
            raise RefusedError(f"{self.path(key)} is {_short(value)}, none of {', '.join(known)}")
        return str(value)

    def count(self, key: str) -> int:
        value = self.plain(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
            raise RefusedError(f"{self.path(key)} is {_short(value)}, no count")
        return value

    def number(self, key: str, most: float) -> float | None:
        return _number(self.plain(key), most, self.path(key))

    def time(self, key: str) -> datetime | None:
        value = self.text_or_none(key)
        try:
            found = None if value is None else datetime.fromisoformat(value)
        except ValueError:
            raise RefusedError(f"{self.path(key)} is {_short(value)}, no time") from None
        return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _number(value: Any, most: float, path: str) -> float | None:
    """None where there is none, and where it is none that anybody measures."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RefusedError(f"{path} is {_short(value)}, no number")
    return float(value) if abs(value) <= most else None  # nan is more than any


def _short(value: Any) -> str:
    return on_one_line(f"{value!r:.60}")
