"""What a search says on the screen: a line for each trial, and at the end the best ones."""

import sys
from collections.abc import Mapping
from typing import Any

from fashseg.commands import as_typed
from fashseg.sweep.outcome import FAILED, FINISHED, LOST, PRUNED, Outcome
from fashseg.sweep.record import best_trials
from fashseg.sweep.study import Claim, Study
from fashseg.text import counted, duration, listed, printable

SHOWN = 5


def say_begin(study: Study) -> None:
    """Which study it is, and what there is of it already."""
    search = study.search
    print(printable(f"search {search.study_name}: {counted(study.n_trials, 'trial')} in {study.folder}"))
    if done := _done(study):
        print(f"goes on with {done}", flush=True)


def say_claim(claim: Claim) -> None:
    """That a trial takes the place of a lost one."""
    if claim.replaces is not None:
        how = "goes on with what that one has left" if claim.before else "begins again"
        print(f"trial {claim.number} has the parameters of trial {claim.replaces}, whose process is gone, and {how}")


def say_trial(claim: Claim, outcome: Outcome, record: Mapping[str, Any]) -> None:
    """Number, parameters, score, and the best score so far."""
    trial = record["trials"][claim.number] if claim.number < len(record["trials"]) else {}
    words = [f"trial {claim.number}", shown_params(claim.params), shown_state(record, trial, outcome)]
    best = best_trials(dict(record), 1)
    if best and len(record["directions"]) == 1:
        words.append(f"best {best[0]['values'][0]:.4f} (trial {best[0]['number']})")
    if trial.get("seconds") is not None:
        words.append(duration(trial["seconds"]))
    print(printable("  ".join(words)), flush=True)


def shown_state(record: Mapping[str, Any], trial: Mapping[str, Any], outcome: Outcome) -> str:
    """The score, or what came in its way."""
    if outcome.state == FINISHED:
        return ", ".join(
            f"{name} {value:.4f}" for name, value in zip(record["objectives"], outcome.values, strict=True)
        )
    if outcome.state == PRUNED:
        reported = trial.get("intermediate") or {}
        epoch = max(map(int, reported), default=None)
        return f"pruned at epoch {epoch}, {reported[str(epoch)]:.4f}" if epoch is not None else "pruned"
    return f"failed: {outcome.error}"


def shown_params(params: Mapping[str, str]) -> str:
    """Short enough to read: numbers with four digits."""
    words = []
    for name, text in params.items():
        path = as_typed(name)
        try:
            words.append(f"{path}={float(text):.4g}" if "." in text or "e" in text else f"{path}={text}")
        except ValueError:
            words.append(f"{path}={text}")
    return " ".join(words)


def say_best(record: dict[str, Any]) -> None:
    """A table of the best few trials."""
    from rich import box
    from rich.table import Table

    from fashseg.summary import console

    best = best_trials(record, SHOWN)
    if not best:
        print("no trial has finished")
        return
    several = len(record["directions"]) > 1
    table = Table(title="Best trials" if not several else "Trials that none beats in all", title_justify="left")
    table.box = box.SIMPLE_HEAD
    for name in ("trial", *record["objectives"]):
        table.add_column(name, justify="right")
    table.add_column("options")
    for trial in best:
        table.add_row(
            str(trial["number"]), *(f"{value:.4f}" for value in trial["values"]), shown_params(trial["params"])
        )
    console().print(table)


def say_complete(study: Study) -> None:
    """That there is nothing left to do, and what one can do now."""
    search = study.search
    print(
        printable(
            f"the study {search.study_name} is complete: {_done(study)}\n"
            f"       more trials: a larger hydra.sweeper.n_trials; another study: hydra.sweeper.study_name=NAME\n"
            f"       its page: python -m fashseg.compare {study.folder}"
        )
    )


def say_stopped(study: Study, reason: str, kept: list[int]) -> None:
    """That the process was asked to end, and how to go on."""
    done = _done(study, FINISHED, PRUNED, FAILED) or "none"
    begun = f"; what trial {listed([str(number) for number in kept])} has done is kept" if kept else ""
    print(
        printable(
            f"interrupted by {reason}: {done} of {study.n_trials} trials{begun}\n"
            f"       go on with the same command: {study.search.command}"
        ),
        file=sys.stderr,
    )


def _done(study: Study, *states: str) -> str:
    counts = [(state, study.count(state)) for state in states or (FINISHED, PRUNED, FAILED, LOST)]
    return listed([f"{count} {state}" for state, count in counts if count])
