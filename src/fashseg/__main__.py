"""The command ``fashseg VERB …``, the same as ``python -m fashseg.VERB …``."""

import runpy
import sys

from fashseg import __version__
from fashseg.closed_pipes import heed_no_closed_pipes
from fashseg.errors import UserError
from fashseg.nearest import did_you_mean

VERBS = {
    "train": "train a model, test it, keep everything about it in one folder",
    "evaluate": "score a trained model again",
    "export": "write a trained model for other software, compared before it is kept",
    "predict": "label pictures of your own",
    "demo": "try models on pictures, on a page in the browser",
    "report": "make the page of a run again",
    "prepare": "download, verify or build a data set",
    "compare": "put several runs into one table and one page",
}


def main() -> int:
    """Start a verb as if it had been started by ``python -m``."""
    heed_no_closed_pipes()
    words = sys.argv[1:]
    if words == ["--version"]:
        print(__version__)
        return 0
    if not words or words[0] in ("-h", "--help"):
        print("usage: fashseg VERB [key=value …]\n")
        for name, meaning in VERBS.items():
            print(f"  {name:<10}{meaning}")
        print("\nMore about a verb: fashseg VERB --help")
        return 0
    if words[0] not in VERBS:
        error = UserError(
            f"{words[0]} is not a verb of fashseg; there are {', '.join(VERBS)}.",
            did_you_mean(words[0], VERBS, "More: fashseg --help."),
        )
        print(error, file=sys.stderr)
        return error.exit_status
    sys.argv = sys.argv[1:]
    # As __main__, so that Lightning starts further ranks by the same module.
    runpy.run_module(f"fashseg.{words[0]}", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
