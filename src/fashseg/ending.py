"""How a run ends before its time: two lines that say why and how to go on, and a page of what there is."""

import contextlib
import errno
import logging
import os
import shutil
import sys
from typing import Any

from fashseg.commands import command
from fashseg.errors import FashsegError, RunError
from fashseg.run import RunFolder, is_first_process
from fashseg.stopping import Stopped, not_now

log = logging.getLogger(__name__)

_NOT_WRITTEN = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EROFS", "EFBIG") if hasattr(errno, name)}


class LostError(RunError):
    """Another of the processes that train together is gone."""


def explain(error: Exception, folder: RunFolder) -> FashsegError:
    """Any exception of a run as an error of ours."""
    if isinstance(error, FashsegError):
        return error
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, OSError) and error.errno is not None and error.errno in _NOT_WRITTEN:
        with contextlib.suppress(OSError):
            reason = f"{os.strerror(error.errno)} ({shutil.disk_usage(folder.path).free / 1e6:,.0f} MB are free)"
        return RunError(
            f"{error.filename or folder.path} can't be written: {reason}.", f"Make room there. {how_to_go_on(folder)}"
        )
    if _is_out_of_memory(error):
        _, _, short = reason.rpartition("DefaultCPUAllocator: ")
        return RunError(
            f"out of memory: {short}",
            "A smaller batch_size= needs a new run; resume= takes a smaller eval_batch_size=, and data.resident=false "
            "keeps the data set on disk.",
        )
    if "more than 1 value per channel" in reason:
        return RunError(
            "a batch of one image can't be normalised by its own mean and deviation, as this model does.",
            "Set batch_size to 2 or more, and have at least 2 training images.",
        )
    if is_lost(error):
        return LostError(
            "another process of this run has ended, and this one can't go on alone.",
            f"If it has not said why, it may have been killed, for memory perhaps. {how_to_go_on(folder)}",
        )
    return RunError(f"the run failed: {type(error).__name__}: {reason}", f"More in {folder.log}, or with debug=true.")


def _is_out_of_memory(error: Exception) -> bool:
    """Of a device or of the machine; torch is not imported to ask."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool({"OutOfMemoryError", "MemoryError"} & names) or "DefaultCPUAllocator" in str(error)


def is_lost(error: BaseException) -> bool:
    """Whether it says that another process of the group is gone; torch is not imported to ask."""
    return type(error).__name__ == "DistBackendError" or "gloo" in str(error) or "NCCL" in str(error)


def how_to_go_on(folder: RunFolder) -> str:
    """What to do where a run has ended before its time."""
    again = command("train", _plugins(folder), resume=folder.path)
    if folder.checkpoint("last").exists():
        return f"What was trained is kept; go on with: {again}"
    return f"Nothing was saved yet; start it again with: {again}"


def _plugins(folder: RunFolder) -> Any:
    with contextlib.suppress(FashsegError):
        return folder.read_results().get("plugins")
    return ()


def note_failure(folder: RunFolder, error: FashsegError) -> None:
    """Status failed; on a full disk results.json stays as it is, and is read as interrupted."""
    with contextlib.suppress(OSError):
        record = {"not_finite": error.record} if hasattr(error, "record") else {}
        folder.update_results(status="failed", error=error.what, exit_status=error.exit_status, **record)


def note_interruption(folder: RunFolder) -> None:
    """Status interrupted, of a run that was not through."""
    if is_first_process() and folder.read_results()["status"] not in ("finished", "pruned"):
        folder.update_results(status="interrupted")


def say_interrupted(folder: RunFolder, stopped: Stopped) -> None:
    """Note that the run was asked to end, make its page, and say how to go on."""
    if not is_first_process():
        return
    status = folder.read_results()["status"] if folder.results.exists() else None
    if status == "finished":
        what, way_out = f"the run in {folder.path} is finished", f"its page: {command('report', run=folder.path)}"
    elif status is None:
        what, way_out = "before it began", "nothing is lost: start it again"
    else:
        folder.update_results(status="interrupted")
        if not stopped.goes_on and folder.checkpoint("best").exists() and folder.read_config().get("page", True):
            print("making the page of what there is; the same signal again goes without it", flush=True)
            page_so_far(folder)
        saved = folder.checkpoint("last").exists()
        what = f"what was trained is in {folder.path}" if saved else "nothing was trained yet"
        way_out = f"go on with: {command('train', _plugins(folder), resume=folder.path)}"
    print(f"interrupted by {stopped}: {what}\n       {way_out}", file=sys.stderr)


def page_so_far(folder: RunFolder) -> None:
    """The page of a run that did not come to its end; a second signal goes without it."""
    if not is_first_process():
        return
    try:
        with not_now():
            from fashseg.report.collecting import collect_again
            from fashseg.report.making import try_to_make_page
        try:
            if folder.checkpoint("best").is_file():
                collect_again(folder)
        except Exception:
            log.exception("the images of the page could not be collected")
        try_to_make_page(folder)
    except Stopped:
        print(f"without its page, which comes of: {command('report', run=folder.path)}", file=sys.stderr)
