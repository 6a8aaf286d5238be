"""Write a trained model for other software: ``python -m fashseg.export run=RUN format=onnx``."""

import sys
from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from fashseg import cli
from fashseg.checking import check
from fashseg.errors import UserError
from fashseg.export.plan import make_plan
from fashseg.importing import heavy_imports
from fashseg.text import bytes_in_words, printable
from fashseg.two_lines import failing_in_two_lines
from fashseg.verb_options import Export


def prepare(plans: Sequence[Export], overrides: list[Override], multirun: bool) -> list[str]:
    """Look at the model and at where its files go before torch is imported."""
    del overrides
    if multirun:
        raise UserError("export writes one model; -m is for train.", "Leave out -m.")
    make_plan(plans[0])
    return []


def job(composed: DictConfig) -> None:
    """Write, compare, and say what was written."""
    with failing_in_two_lines(composed.debug):
        _export(check(Export, composed))


def _export(options: Export) -> None:
    plan = make_plan(options)
    with heavy_imports():
        from fashseg.engine import set_up_process
        from fashseg.export.making import export
        from fashseg.trained import load_trained

    set_up_process(0)
    trained = load_trained(run=options.run, model=options.weights, checkpoint=options.checkpoint)
    exported = export(trained, plan, options)
    print(printable(f"compared on {exported.images}"))
    for kind, path in plan.files.items():
        found = exported.agreements[kind]
        print(printable(f"{kind:<12}{path}, {bytes_in_words(path.stat().st_size)}"))
        print(
            f"{'':<12}largest difference {found.difference:.2g} in logits of up to {found.largest:.3g}; "
            f"{found.equal:,} of {found.labels:,} labels equal"
        )
    if plan.example is not None and exported.program is not None:
        print(printable(f"example     {plan.example}\n\n{exported.program}"), end="")


def main(words: Sequence[str] | None = None) -> int:
    """The command; ``words`` take the place of the command line's."""
    return cli.main(cli.Verb("export", Export, job, prepare, renamed={"model": "weights"}), words)


if __name__ == "__main__":
    sys.exit(main())
