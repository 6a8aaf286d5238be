"""The project and the scripts of this folder, taking turns: training, time to 90%, prediction.

    python -m bench.side_by_side [training reach prediction] [--rounds 3] [--threads 1] [--quick]

Each is a process of its own with the same number of images and epochs. Prints tables in Markdown.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench.children import Child
from bench.labelling import compare_prediction
from bench.ratios import take_turns
from bench.reach import compare_reach
from bench.roots import find_root, yardstick_root
from bench.setting import Found, Setting, Sides, median_of, ratio_of
from bench.tables import count, megabytes, table


@dataclass(frozen=True)
class Training:
    """What is trained side by side.

    Attributes:
        model: of the project.
        fastest: module of the fastest plain loop.
        others: modules of the other scripts.
        batch_size: images a step, everywhere.
        epochs: of each side.
        split: of the data.
        few: batches an epoch, share of images that validate, and batches of training images on fixed weights.
    """

    model: str
    fastest: str
    others: tuple[str, ...]
    batch_size: int
    epochs: int
    split: str
    few: tuple[int, float, int]

    def sides(self, setting: Setting) -> Sides:
        """Each script with the same work."""
        project: list[object] = [
            f"model={self.model}",
            f"data.root={setting.root}",
            f"data.split={self.split}",
            f"epochs={self.epochs}",
            "page=false",
        ]
        fastest: list[object] = [setting.root, "--split", self.split]
        plain: list[object] = [setting.plain_root]
        batches, share, fixed = self.few
        project += [f"trainer.limit_batches={batches}", f"data.val_share={share}", f"eval_train={fixed}"]
        fastest += ["--batches", batches, "--val-share", share, "--eval-train", fixed]
        plain += ["--images", batches * self.batch_size]
        epochs = ["--epochs", self.epochs]
        return {
            "project": setting.child("bench.project", *project),
            self.fastest: setting.child(f"bench.{self.fastest}", *fastest, *epochs),
            **{name: setting.child(f"bench.{name}", *plain, *epochs) for name in self.others},
        }


# An epoch of cnn is the whole one, for what is done once would weigh more in less; of segnet a quarter.
CNN = Training(
    "cnn", "fastest_fashion", ("plain_fashion", "lightning_fashion"), 64, epochs=2, split="random", few=(844, 0.1, 12)
)
SEGNET = Training("segnet", "fastest_facade", ("plain_facade",), 4, epochs=2, split="random", few=(50, 0.03, 3))
WANTED = {
    "fastest_fashion": "0.95",
    "plain_fashion": "4",
    "lightning_fashion": "5",
    "fastest_facade": "0.95",
    "plain_facade": "3, better 5",
}


def compare_training(training: Training, setting: Setting) -> tuple[str, Found]:
    """Two tables, and what was measured."""
    found = take_turns(training.sides(setting), setting.rounds)
    ratios: list[tuple[object, ...]] = []
    for name in list(found)[1:]:
        by_cpu, by_wall = (ratio_of(found, name, key) for key in ("images_per_cpu_second", "images_per_second"))
        ratios.append((f"{training.model}, project : {name}", by_cpu, by_wall, f"≥ {WANTED[name]}"))
    rows = [_costs(name, children) for name, children in found.items()]
    header = (f"images a second, batch {training.batch_size}", "by processor time", "by wall time", "wanted")
    costs = (training.model, "images a processor second", "images a second", "of steps alone", "peak memory")
    return f"{table(header, ratios)}\n\n{table(costs, rows)}", found


def measured_rates(children: Sequence[Child]) -> tuple[float, float]:
    """Images that the project trains a processor second: in steps alone, and in whole epochs."""
    alone = sorted(_images(child) / child.result["step_cpu_seconds"] for child in children)
    return alone[len(alone) // 2], median_of(children, "images_per_cpu_second")


def _images(child: Child) -> int:
    return int(child.result["images"] * len(child.result["epoch_seconds"]))


def _costs(name: str, children: Sequence[Child]) -> tuple[str, ...]:
    rates = [count(median_of(children, key)) for key in ("images_per_cpu_second", "images_per_second")]
    # The plain scripts count the steps alone as it is.
    alone = count(measured_rates(children)[0]) if name == "project" else ""
    return name, *rates, alone, megabytes(max(child.peak_bytes for child in children))


def training_sizes(quick: bool) -> tuple[Training, Training]:
    """``cnn`` and ``segnet``; quick ones are rough, for what is done once weighs more in them."""
    if quick:
        return replace(CNN, few=(200, 0.025, 3)), replace(SEGNET, epochs=1, few=(16, 0.01, 1))
    return CNN, SEGNET


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parts = ("training", "reach", "prediction")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(parts)}; all where none is named")
    parser.add_argument("--root", type=Path, help="data root; default $FASHSEG_DATA, else ./data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", default=["cnn", "segnet"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--speedrun", default="speedrun", help="experiment preset that reaches 90%%")
    options = parser.parse_args(words)
    with ExitStack() as stack:
        root = find_root(options.root)
        plain_root = stack.enter_context(yardstick_root(root))
        setting = Setting(root, plain_root, options.rounds, options.threads, options.quick, options.speedrun)
        chosen = options.parts or parts
        if "training" in chosen:
            for training in training_sizes(options.quick):
                if training.model in options.models:
                    print(compare_training(training, setting)[0], end="\n\n", flush=True)
        if "reach" in chosen:
            print(compare_reach(setting), end="\n\n", flush=True)
        if "prediction" in chosen:
            print(compare_prediction(setting), flush=True)


if __name__ == "__main__":
    main()
