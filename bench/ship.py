"""Makes a model of the package out of a run: weights in 8 bits, and the scores of that file for its card.

    python -m bench.ship RUN --as facade --preset facade_small

The file is written to ``src/fashseg/weights``, and the part of its card between ``<!-- table -->`` and ``<!-- end -->``
anew. What the model can't do is written by hand, below it. Scores are measured, in float32 on the CPU, with the weights
as the file keeps them; until they are, and are about those of the run, nothing is replaced. A few minutes for facades.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.results.changes import changed_options
from bench.results.keeping import reasons_against, require_finished
from fashseg import config as cfg
from fashseg.checking import check
from fashseg.composing import compose
from fashseg.data.module import ImageDataModule
from fashseg.engine import set_up_process
from fashseg.errors import FashsegError, RunError, UserError
from fashseg.files import write_atomically
from fashseg.metrics import bootstrap
from fashseg.report.evidence import evidence_of_images, evidence_of_pixels
from fashseg.run import RunFolder
from fashseg.scoring import build_data, score
from fashseg.tasks import Scores, Task, build_task
from fashseg.trained import load_trained, read_weights, save_weights

FOLDER = Path(__file__).parents[1] / "src" / "fashseg" / "weights"
BEGIN, END = "<!-- table -->", "<!-- end -->"
_DIGITS = 4
# What a card tells of a run, and how far its main scores may be from those of the same weights in 8 bits.
_TOLD = (
    *("task", "seed", "parameters", "train_seconds", "precision", "machine", "versions", "fingerprints"),
    *("val", "test"),
)
_FAR = 0.01


def rounded(scores: Scores) -> dict[str, Any]:
    """The scores that a file tells of itself."""
    if "average_precision" not in scores:
        return {name: _rounded(scores[name]) for name in ("accuracy", "accuracy_per_class")}
    names = ("average_precision", "average_precision_softmax", "pixel_accuracy")
    return {**{name: _rounded(scores[name]) for name in names}, "iou": _rounded(scores["iou"]["mean"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: round(number, _DIGITS) for name, number in value.items()}
    return round(value, _DIGITS)


def interval(task: Task, data: ImageDataModule, main: float) -> list[float]:
    """95% interval of the main score over the test images, by resampling them."""
    part = data.part("test")
    if task.info.task == "classification":
        arrays = evidence_of_images(task, part, 500)
        found = bootstrap.accuracy(arrays["targets"], arrays["predicted"], len(task.info.class_names))
    else:
        found = bootstrap.average_precision(evidence_of_pixels(task, part, 8)["histograms"])
    bounds = bootstrap.interval(found)
    shift = main - float(bounds.estimate[-1])
    return [round(float(bound[-1]) + shift, _DIGITS) for bound in (bounds.low, bounds.high)]


def measured(path: Path, run: cfg.Train) -> dict[str, Any]:
    """Scores of a file of weights on the validation and test images of a run's options."""
    trained = read_weights(path)
    task = build_task(run, trained.info)
    task.model.load_state_dict(trained.network.model.state_dict())
    data = build_data(run)
    parts = {part: rounded(score(task, data, part, cfg.Trainer(accelerator="cpu"))) for part in ("val", "test")}
    with torch.inference_mode():
        parts["test"]["interval_95"] = interval(task.eval(), data, main_of(parts["test"]))
    return parts


def card_table(path: Path, about: dict[str, Any]) -> list[str]:
    """Lines of a card: what the file is, and how it scores."""
    trained, val, test = about["trained"], about["scores"]["val"], about["scores"]["test"]
    low, high = test["interval_95"]
    by_class = "accuracy_per_class" if "accuracy" in test else "average_precision"
    lines = [
        "| | |",
        "| --- | --- |",
        f"| size | {about['parameters']:,} parameters |",
        f"| recipe | `{about['command']}`, seed {about['seed']}: {trained['seconds']} s of training on "
        f"{trained['machine']}, PyTorch {trained['versions']['torch']}, commit {about['commit'][:8]} |",
        f"| file | {path.name}, {path.stat().st_size:,} bytes, weights in 8 bits with a scale for each output |",
        f"| SHA-256 | {hashlib.sha256(path.read_bytes()).hexdigest()} |",
        "",
        "Scores of this file, in float32, one seed:",
        "",
        "| | validation | test |",
        "| --- | --- | --- |",
    ]

    def row(name: str, values: Sequence[float], more: str = "") -> str:
        return f"| {name} | {values[0]:.4f} | {values[1]:.4f}{more} |"

    over_images = f" (95% interval over the images {low:.4f} to {high:.4f})"
    names = [name for name in val[by_class] if name != "mean"]
    if by_class == "average_precision":
        lines.append(row("average precision by logits, mean", [p[by_class]["mean"] for p in (val, test)], over_images))
        others = [("pixel accuracy", "pixel_accuracy"), ("mean intersection over union", "iou")]
    else:
        lines.append(row("accuracy", [p["accuracy"] for p in (val, test)], over_images))
        others = []
    lines += [row(name, [val[by_class][name], test[by_class][name]]) for name in names]
    lines += [row(name, [val[key], test[key]]) for name, key in others]
    whole = about["in_32_bits"]
    return [*lines, "", f"The weights of the run, in 32 bits, score {whole['val']:.4f} and {whole['test']:.4f}."]


def main_of(scores: Scores) -> float:
    """The main score out of `rounded` ones."""
    return float(scores["accuracy"] if "accuracy" in scores else scores["average_precision"]["mean"])


def about_run(results: dict[str, Any], preset: str, data: str) -> dict[str, Any]:
    """What a file tells of the run that its weights are of, but for scores."""
    machine = results["machine"]
    return {
        "preset": preset,
        "command": f"python -m fashseg.train experiment={preset}",
        "commit": results["git"]["commit"],
        "seed": results["seed"],
        "data": data,
        "fingerprints": {"val": results["fingerprints"]["val"]},
        "parameters": results["parameters"],
        "trained": {
            "seconds": round(results["train_seconds"]),
            "machine": f"{(machine.get('gpus') or [machine['processor']])[0]}, {results['precision']}",
            "versions": {key: results["versions"][key] for key in ("torch", "pytorch-lightning")},
        },
        "license": "MIT",
    }


def require_shippable(folder: RunFolder, results: dict[str, Any], path: Path, preset: str) -> None:
    """Raises UserError where a run can't become the model in ``path``, or is no run of the preset itself."""
    require_finished(folder, results, _TOLD)
    if path.exists() and (task := read_weights(path).info.task) != results["task"]:
        raise UserError(
            f"{folder.path} is of {results['task']}, and the model {path.stem} is of {task}.",
            "Name a run of that task, or by --as the other model.",
        )
    if against := list(reasons_against(results, results.get("git"), changed_options(folder, preset))):
        raise UserError(
            f"{folder.path} is not what its card would say: {'; '.join(against)}.", "Name a run of the preset itself."
        )


def require_near(folder: RunFolder, found: dict[str, Any], said: dict[str, float]) -> None:
    """Raises RunError where scores of a file are not about those that its run had."""
    for part, whole in said.items():
        if not abs(main_of(found[part]) - whole) <= _FAR:
            raise RunError(
                f"{folder.path}: in 8 bits its weights score {main_of(found[part]):.4f} ({part}), and {whole:.4f} is "
                f"what the run has told of them: that is more than {_FAR} apart.",
                "Nothing was replaced. See by python -m fashseg.evaluate which of the two is wrong.",
            )


def ship(folder: RunFolder, name: str, preset: str) -> Path:
    """Write a model of the package and its card, both when all is measured."""
    results, path = folder.read_results(), FOLDER / f"{name}.safetensors"
    require_shippable(folder, results, path, preset)
    run = check(cfg.Train, compose("train", [f"experiment={preset}", f"seed={results['seed']}"]))
    trained = load_trained(run=str(folder.path))
    try:
        about = about_run(results, preset, trained.info.name)
        said = {part: main_of(rounded(results[part])) for part in ("val", "test")}
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{folder.results} is not as train writes it: {reason}.", "Name another run.") from error
    card = path.with_suffix(".md")
    before, _, rest = card.read_text("utf-8").partition(BEGIN)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / path.name
        save_weights(made, trained.network, about, numbers="int8")
        about["scores"] = measured(made, run)
        require_near(folder, about["scores"], said)
        about["in_32_bits"] = said
        save_weights(made, trained.network, about, numbers="int8")
        table = "\n".join([BEGIN, "", *card_table(made, about), "", END])
        write_atomically(path, made.read_bytes())
    write_atomically(card, before + table + rest.partition(END)[2])
    return path


def main(words: Sequence[str] | None = None) -> int:
    """Parse and ship."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ship", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--as", dest="name", required=True, choices=sorted(p.stem for p in FOLDER.glob("*.md")))
    parser.add_argument("--preset", required=True)
    options = parser.parse_args(words)
    set_up_process(0)
    try:
        print(ship(RunFolder(options.run), options.name, options.preset))
    except FashsegError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(RunError(f"{error.filename}: {error.strerror}.", "Mend that, and try again."), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
