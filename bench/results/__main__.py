"""The results of the presets: which files are kept of them, and the tables that are made of these.

    python -m bench.results keep RUN... --as PRESET                  docs/results/PRESET_seedN.json
    python -m bench.results keep RUN... --as PRESET --variant NAME   docs/results/ablations/PRESET/NAME_seedN.json
    python -m bench.results write                                    the tables and the picture of docs/results.md

Runs are folders that python -m fashseg.train has made. What speaks against one is said, and it is not kept; with
--anyway it is, and the file and the page tell it. The file of another run is replaced with --replace alone. --variant
preset is the recipe itself, for ablations whose runs are other than those of the tables, by folds or with fewer epochs;
of variants test scores are not kept.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.results.goals import GOALS
from bench.results.keeping import Wish, keep
from bench.results.kept import FOLDER, read_presets
from bench.results.page import END, PAGE, with_tables, without_table
from fashseg.errors import FashsegError, RunError
from fashseg.files import write_atomically
from fashseg.text import printable

PICTURE = FOLDER.parent / "pictures" / "results.png"


def write() -> None:
    """The tables, and the picture where there is a run to draw."""
    before = PAGE.read_text(encoding="utf-8")
    after = with_tables(before)
    write_atomically(PAGE, after)
    print(f"{PAGE.name}: {'as it was' if after == before else 'written again'}")
    for preset in without_table(after):
        print(
            f"{PAGE.name} shows no variants of {preset}: write <!-- table: ablations {preset} --> and {END} "
            "where they belong"
        )
    presets = read_presets()
    if drawn := [name for name in presets if name in GOALS]:
        from bench.results.picture import draw

        write_atomically(PICTURE, draw(presets))
        print(f"{PICTURE.name}: {', '.join(drawn)}")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.results", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("write", help="make the tables and the picture of docs/results.md again")
    keeping = verbs.add_parser("keep", help="copy what results.json says of runs")
    keeping.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    keeping.add_argument("--as", dest="preset", required=True, metavar="PRESET", help="of conf/experiment")
    keeping.add_argument("--variant", help="of its recipe, for an ablation; preset: the recipe itself")
    keeping.add_argument("--commit", help="of the code, where the run was started from a copy without git")
    keeping.add_argument("--anyway", action="store_true", help="keep it although something speaks against it")
    keeping.add_argument("--replace", action="store_true", help="the file of another run")
    options = parser.parse_args(words)
    try:
        if options.verb == "write":
            write()
        else:
            wish = Wish(options.preset, options.variant, options.commit, options.anyway, options.replace)
            for run in options.runs:
                print(printable(f"{run}: {keep(run, wish)}"))
    except FashsegError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(RunError(f"{error.filename}: {error.strerror}.", "Mend that, and try again."), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
