"""Runs the trials of a search, in this process or by a launcher, until there are enough of them."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from fashseg.errors import FashsegError, RunError, UserError
from fashseg.stopping import Stopped
from fashseg.sweep import owner
from fashseg.sweep.outcome import FAILED, RUNNING, WAITING, Outcome, images_of, of_values, read_outcome
from fashseg.sweep.preset import write_preset
from fashseg.sweep.record import write_record
from fashseg.sweep.search import Search
from fashseg.sweep.study import Claim, Study
from fashseg.sweep.telling import say_begin, say_best, say_claim, say_complete, say_stopped, say_trial
from fashseg.text import counted

POLL_SECONDS = 1.0
# A storage that does not answer is asked so often, with pauses.
PATIENCE, PAUSE_SECONDS = 30, 10.0
_STOPPED = {130: "SIGINT", 143: "SIGTERM", 138: "SIGUSR1"}
_FEWEST_JUDGED = 10  # of a failure rate

Kind = TypeVar("Kind")

_handed_over: list[Search] = []


def hand_over(search: Search) -> None:
    """Keep a checked search for the sweeper that Hydra is going to make."""
    _handed_over[:] = [search]


def run_search(launcher: Any) -> None:
    """Run the search that was handed over."""
    if not _handed_over:
        raise UserError("hydra/sweeper=optuna runs searches of train alone.", "python -m fashseg.train -m sweep=cnn")
    search = _handed_over.pop()
    study = Study(search, search.folder)
    try:
        Trials(study, launcher).run()
    finally:
        study.close()


class Trials:
    """The trials of this process.

    Args:
        study: in its storage.
        launcher: of Hydra. With ``submit(overrides, number)``, which gives a future, a trial begins as soon as another
            one ends; with ``launch`` alone as many as there are workers are run together.
    """

    def __init__(self, study: Study, launcher: Any) -> None:
        self.study, self.launcher = study, launcher
        self.n_jobs = study.search.options.n_jobs or getattr(launcher, "n_jobs", None) or 1
        self.can_submit = hasattr(launcher, "submit")
        self.futures: dict[Future[Any], Claim] = {}
        self.failed_before = self.ended_before = 0  # when this process began: the cause may have been mended since
        if self.n_jobs > 1 and type(launcher).__name__ == "BasicLauncher":
            raise UserError(
                f"hydra.sweeper.n_jobs={self.n_jobs} needs a launcher with workers, and hydra/launcher=basic has none.",
                "Add hydra/launcher=joblib, or leave n_jobs out.",
            )

    def run(self) -> None:
        """Until there are enough trials, or too many have failed.

        Raises:
            RunError: too many have failed.
            SystemExit: a signal has asked to end.
        """
        study = self.study
        self._patiently(study.settle)
        self.failed_before, self.ended_before = study.count(FAILED), study.ended
        if study.ended >= study.n_trials and not study.count(RUNNING, WAITING):
            write_record(study, at_end=True)
            say_complete(study)
            return
        say_begin(study)
        write_record(study)
        stop = threading.Event()
        threading.Thread(target=_beat, args=(study, stop), daemon=True).start()
        try:
            with self._workers() as self.n_jobs:
                self._run_all()
        except (Stopped, SystemExit) as end:
            code = end.exit_status if isinstance(end, Stopped) else int(end.code or 0)
            kept = study.release()
            write_record(study)
            say_stopped(study, _STOPPED.get(code, f"exit status {code}"), kept)
            raise SystemExit(code) from None
        finally:
            stop.set()
        record = write_record(study, at_end=True)
        say_best(record)
        for line in _preset(study, record):
            print(line)
        print(f"study       {study.folder / 'study.json'}")

    def _workers(self) -> contextlib.AbstractContextManager[int]:
        """Where the launcher has workers, they are there for the block; their number."""
        if not self.can_submit:
            return contextlib.nullcontext(self.n_jobs)
        workers: contextlib.AbstractContextManager[int] = self.launcher.workers(self.study.search.options.n_jobs)
        return workers

    def _run_all(self) -> None:
        waited = False
        while True:
            self._refuse_failures()
            claims = self._claims()
            if claims:
                self._start(claims)
            elif not self.futures:
                if not self.study.count(RUNNING, WAITING):
                    return
                if not waited:
                    others = self.study.count(RUNNING)
                    print(f"waits for {others} of other processes to end, or to be gone; Ctrl-C leaves them to those")
                waited = True
                time.sleep(POLL_SECONDS)
            if self.futures:
                done, _ = wait(self.futures, timeout=None if claims else POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(self.futures.pop(future), _result(future.result))

    def _claims(self) -> list[Claim]:
        claims: list[Claim] = []
        while len(claims) + len(self.futures) < self.n_jobs and (claim := self._patiently(self.study.claim)):
            claims.append(claim)
            say_claim(claim)
        return claims

    def _start(self, claims: Sequence[Claim]) -> None:
        words = [self._words(claim) for claim in claims]
        write_record(self.study)
        if self.can_submit:
            for claim, overrides in zip(claims, words, strict=True):
                self.futures[self.launcher.submit(overrides, claim.number)] = claim
            return
        returns = _result(lambda: self.launcher.launch(words, initial_job_idx=claims[0].number))
        if isinstance(returns, Exception):  # a trial whose options can't be composed, among others
            returns = [returns] * len(claims)
        for claim, returned in zip(claims, returns, strict=True):
            self._finish(claim, returned)

    def _words(self, claim: Claim) -> list[str]:
        """The overrides of a job; the folder of a lost trial is taken over, and its run goes on."""
        words = self.study.search.words(claim.params)
        folder = self.study.folder_of(claim.number)
        if claim.before and claim.before.parent == folder.parent and not folder.exists():
            claim.before.replace(folder)
            words.append("resume=auto")
        return [*words, f"hydra.sweep.subdir={claim.number}"]

    def _finish(self, claim: Claim, returned: Any) -> None:
        outcome = read_outcome(self.study.folder_of(claim.number), self.study.search.options.objectives)
        if outcome is None:
            outcome = _of_return(returned)
        elif outcome.state != FAILED and (reason := self._other_images(claim.number)):
            outcome = Outcome(FAILED, error=reason)
        self._patiently(lambda: self.study.tell(claim.number, outcome))
        say_trial(claim, outcome, self._patiently(lambda: write_record(self.study)))

    def _other_images(self, number: int) -> str | None:
        """Why a trial is not comparable with those before; None where it had their images, or was to have others."""
        study = self.study
        if any(path.partition(".")[0] in ("data", "seed") for path in study.search.space):
            return None
        images = images_of(study.folder_of(number))
        first = next((n for n in range(number) if images_of(study.folder_of(n))), None)
        if first is None or images is None or images == images_of(study.folder_of(first)):
            return None
        return f"its images are not those of trial {first}: the data has changed"

    def _patiently(self, call: Callable[[], Kind]) -> Kind:
        """Ask the storage again where it does not answer: a server may be started anew in the middle of the night.

        Raises:
            RunError: it has not answered for minutes.
        """
        storage = self.study.storage
        for attempt in range(PATIENCE):
            try:
                return call()
            except Exception as error:
                if not storage.is_of_storage(error):
                    raise
                failed = storage.failed(error)
                if attempt == 0:
                    print(f"{failed.what} Tries again for {PATIENCE * PAUSE_SECONDS:.0f} s.", file=sys.stderr)
                time.sleep(PAUSE_SECONDS)
        raise RunError(failed.what, f"Nothing is lost; the same command goes on: {self.study.search.command}")

    def _refuse_failures(self) -> None:
        study = self.study
        failed, rate = study.count(FAILED) - self.failed_before, study.search.options.max_failure_rate
        ended = study.ended - self.ended_before
        if failed > rate * max(ended, min(_FEWEST_JUDGED, study.n_trials)):
            raise RunError(
                f"{failed} of {counted(ended, 'trial')} have failed, more than max_failure_rate={rate:g} takes.",
                f"Their errors are in {study.folder / 'study.json'}; mend the cause, or allow more, and give the same "
                "command.",
            )


def _result(get: Callable[[], Any]) -> Any:
    """What a job has returned, or the exception that ended it."""
    try:
        return get()
    except Exception as error:
        return error


def _of_return(returned: Any) -> Outcome:
    """The end of a trial that has left no results.json."""
    value = getattr(returned, "_return_value", returned)
    if isinstance(value, FashsegError):
        return Outcome(FAILED, error=value.what)
    if isinstance(value, BaseException):
        return Outcome(FAILED, error=f"{type(value).__name__}: {str(value).strip().partition(chr(10))[0]}")
    return of_values(list(value) if isinstance(value, list | tuple) else [value])


def _preset(study: Study, record: dict[str, Any]) -> list[str]:
    """The best trial as a preset; a search does not fail for it."""
    try:
        return write_preset(study.folder, record)
    except Exception as error:
        return [f"no preset of the best trial could be written: {type(error).__name__}: {error}"]


def _beat(study: Study, stop: threading.Event) -> None:
    while not stop.wait(owner.BEAT_SECONDS):
        try:
            study.beat()
        except Exception as error:  # the next one may get through
            print(f"the storage of the search does not answer: {type(error).__name__}", file=sys.stderr)
