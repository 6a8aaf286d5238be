"""Options: what every run has, what a preset sets, what each command takes, and that refusing is quick."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Command, assert_two_lines
from fashseg.checking import check, option_paths
from fashseg.composing import compose, parse
from fashseg.composing import plans as plans_of
from fashseg.config import Adam, Train
from fashseg.in_vain import check_erasing, require_effect
from fashseg.kept_values import kept_values
from fashseg.verb_options import Compare, Demo, Evaluate, Export, Predict, Prepare, Report


def test_evaluate_refuses_what_is_no_run(run: Command, tmp_path: Path) -> None:
    assert_two_lines(run("evaluate"), "run= is missing")
    assert_two_lines(run("evaluate", "run=nowhere"), "nowhere", "no run folder")
    assert_two_lines(run("evaluate", "run=x", "splitt=val"), "Did you mean split?")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{", encoding="utf-8")
    assert_two_lines(run("evaluate", "run=broken"), "can't be read")
    assert_two_lines(
        run("evaluate", "run=r", "score_flips=true"), "score_flips is not an option", "Did you mean flips?"
    )


@pytest.mark.parametrize("words", [["optimizer.lrr=1"], ["optimizer.lr=abc"], ["model=segnet", "data=fashion_mnist"]])
def test_errors_do_not_wait_for_torch(words: list[str], tmp_path: Path) -> None:
    code = "import sys; from fashseg.train import main; main(); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_error_takes_at_most_twice_the_help_of_an_empty_hydra_program(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text(
        "import hydra\n\n@hydra.main(version_base='1.3', config_path=None)\ndef main(cfg): pass\n\nmain()\n",
        encoding="utf-8",
    )
    empty = [sys.executable, "empty.py", "--help"]
    wrong = [sys.executable, "-m", "fashseg.train", "optimizer.lr=-1"]
    ratios = []
    for _ in range(5):
        seconds = []
        for command, status in ((empty, 0), (wrong, 2)):
            start = time.perf_counter()
            assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == status
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[1] / seconds[0])
    print("ratios:", [round(ratio, 2) for ratio in ratios])
    assert statistics.median(ratios) < 2, ratios


def test_options_that_lie_idle_in_a_preset_or_in_some_runs_of_a_sweep_are_none_of_the_kind() -> None:
    overridden = (
        ["augment=flip"],
        ["augment=flip", "augment.mix_probability=0.3", "augment.mixup=0,0.2"],
        ["augment=flip", "augment.mix_probability=0,0.5", "augment.cutmix=1"],
        ["callbacks.convergence.min_epochs=2", "callbacks.convergence.threshold=null,1e-3"],
        ["experiment=report_segnet", "callbacks.convergence.threshold=null"],
        ["augment=garment", "augment.erase=27"],
    )
    for words in overridden:
        overrides = parse(words)
        plans = [check(Train, compose("train", list(job))) for job in plans_of(overrides)]
        require_effect(plans, {override.key_or_group for override in overrides})
        for plan in plans:
            check_erasing(plan)


def test_a_preset_takes_another_choice_once_its_own_options_are_taken_out() -> None:
    words = ["experiment=small_best", "optimizer=adamw", "~optimizer.momentum", "~optimizer.nesterov"]
    checked = check(Train, compose("train", words))
    assert checked.optimizer == Adam(name="adamw", lr=0.2, weight_decay=5e-4)
    assert checked.loss == check(Train, compose("train", words[:1])).loss


def test_values_that_a_preset_sets_for_another_choice_are_told() -> None:
    def told(*words: str, searched: tuple[str, ...] = ()) -> list[str]:
        return kept_values(parse(words), lambda these: compose("train", list(these)), searched)

    preset = "experiment=small_best"
    of_sgd = f"which {preset} sets for optimizer=sgd"
    assert told(preset, "optimizer=sgd,adamw", "optimizer.weight_decay=0.05") == [
        f"optimizer=adamw is trained with optimizer.lr=0.2, {of_sgd}"
    ]
    assert told(preset, "model=vgg", "~model.blocks") == [
        f"model=vgg is trained with model.widths=[32,40,48], which {preset} sets for model=resnet"
    ]
    assert told(preset, "optimizer=adam", "optimizer.lr=0.001", "optimizer.weight_decay=0") == []
    assert told(preset, "optimizer=adam", "optimizer.weight_decay=0", searched=("optimizer.lr",)) == []
    assert told("optimizer=adamw", "model=vgg") == []


def test_help_and_configuration_are_shown(run: Command) -> None:
    shown = run("train", "--help")
    assert shown.status == 0
    assert "report_segnet" in shown.out
    swept = run("train", "-m", "--help", "model=segnet,cnn", "optimizer.lr=1e-2,1e-3")
    assert swept.status == 0
    assert "model.shrink=" in swept.out
    assert swept.out.endswith("\nShown for model=segnet optimizer.lr=0.01, the first of the values that are given.\n")
    refused = run("train", "--help", "model=segnet,cnn")
    assert (refused.status, refused.err.splitlines()[0]) == (2, "error: model=segnet,cnn gives several values.")
    job = run("train", "model=segnet", "--cfg", "job")
    assert "split: building" in job.out
    assert "weight_decay: 1.0e-05" in job.out


def test_options_stay_as_users_know_them() -> None:
    """A change of this list is a change of the interface: mention it to users."""
    common = {
        *("model.name", "model.features", "model.shrink", "model.hidden", "model.stem", "model.widths", "model.convs"),
        *("model.blocks", "model.decoder_convs", "model.dropout", "model.norm", "model.context", "model.squeeze"),
        *("model.depth", "model.width"),
        *("model.architecture", "model.pretrained", "model.image_size", "model.encoder", "model.encoder_weights"),
        *("model.weights_file", "model.normalisation", "model.options"),
        *("data.name", "data.root", "data.split", "data.val_share", "data.split_seed", "data.download", "data.mirrors"),
        *("data.fold", "data.folds"),
        *("data.url", "data.endpoint", "data.cache_gb", "data.shuffle", "data.window"),
        *("data.partial", "data.classes"),
        *("data.resident", "data.workers", "data.train_images", "data.test_images", "data.draw_seed"),
        *("data.test_share", "data.test_seed", "data.val_list", "data.test_list", "data.group", "data.csv"),
        *("data.path_column", "data.label_column", "data.mask_column", "data.split_column", "data.group_column"),
        *("data.size", "data.channels", "data.fit", "data.class_names"),
        *("data.images", "data.masks", "data.mask_suffix", "data.colors", "data.read_masks", "data.ignore"),
        *("optimizer.name", "optimizer.lr", "optimizer.weight_decay", "optimizer.beta1", "optimizer.beta2"),
        *("optimizer.momentum", "optimizer.nesterov"),
        *("scheduler.name", "scheduler.final_share", "scheduler.rise_share", "scheduler.cycle_momentum"),
        *("augment.name", "augment.probability", "augment.shift", "augment.erase", "augment.scale", "augment.stretch"),
        *("augment.angle", "augment.light", "augment.colour", "augment.warp_probability"),
        *("logger.tensorboard", "logger.csv", "logger.mlflow", "logger.wandb", "logger.pictures_every"),
        *("logger.project", "logger.run_name", "logger.group", "logger.tags", "logger.mlflow_uri"),
        *("logger.wandb_mode", "logger.wandb_entity"),
        *("callbacks.convergence.threshold", "callbacks.convergence.min_epochs", "callbacks.progress"),
        "callbacks.ema.decay",
        *("epochs", "batch_size", "eval_batch_size", "eval_train", "score_flips", "seed"),
        *("notes", "page", "resume", "debug"),
        *("checkpoint.every_seconds", "on_nan", "plugins", "loss.name", "loss.label_smoothing", "loss.gamma"),
        *("loss.entropy_share", "loss.beta", "loss.teacher", "loss.temperature", "loss.label_share", "loss.ways"),
        *("augment.mixup", "augment.cutmix", "augment.mix_probability"),
    }
    trainer = {
        f"trainer.{name}"
        for name in (
            *("accelerator", "devices", "nodes", "strategy", "precision", "deterministic", "gradient_clip"),
            *("limit_batches", "overfit_batches", "profiler", "compile", "steps_per_call"),
        )
    }
    assert set(option_paths(Train)) == common | trainer
    assert set(option_paths(Evaluate)) == {"run", "split", "checkpoint", "flips", "root", "plugins", "debug"} | trainer
    predict = {"run", "weights", "checkpoint", "input", "output", "top", "batch_size", "tta", "plugins", "debug"}
    predict |= {"invert", "trim", "short_side", "tile", "overlap"}
    assert set(option_paths(Predict)) == predict | trainer
    assert set(option_paths(Export)) == {
        *("run", "weights", "format", "output", "numbers", "checkpoint", "root", "plugins", "debug"),
    }
    assert set(option_paths(Report)) == {"run", "refresh", "root", "plugins", "debug"} | trainer
    assert set(option_paths(Compare)) == {"runs", "output", "resamples", "debug"}
    data = {name for name in common if name.startswith("data.")}
    prepare = {"seed", "rebuild", "partial", "mirrors", "shards", "endpoint", "chunk_mb", "order", "plugins", "debug"}
    assert set(option_paths(Prepare)) == prepare | data
    assert set(option_paths(Demo)) == {"run", "weights", "checkpoint", "port", "root", "plugins", "debug"} | trainer


@pytest.mark.parametrize(
    "words", [("train", "model=segnet", "data.root='~no_such_user_x'"), ("compare", "~no_such_user_x/y")]
)
def test_the_home_of_nobody_is_told(run: Command, words: tuple[str, ...]) -> None:
    assert_two_lines(run(*words), "~no_such_user_x", "there is no such user")
    assert_two_lines(run(*words, *(("resume=auto",) if words[0] == "train" else ())), "there is no such user")


def test_a_word_longer_than_any_path_is_no_path(run: Command) -> None:
    assert_two_lines(run("compare", f"resamples=1{'0' * 5000}"), "resamples")


def test_a_choice_that_refers_to_nothing_is_no_choice(run: Command, finished: Path) -> None:
    path = finished / "config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("name: adam", "name: ${a}", 1), encoding="utf-8")
    assert_two_lines(run("evaluate", "run=r"), "optimizer.name")


@pytest.mark.parametrize(
    "words",
    [("train", "experiment=small_best", "augment.erase=0"), ("predict", "model=facade")],
    ids=["train", "predict"],
)
def test_the_configuration_is_shown_as_hydra_shows_it(run: Command, words: tuple[str, ...]) -> None:
    verb, *words_of_it = words
    by_hydra = run(verb, *words_of_it, "--cfg=job", "--package=_global_")
    assert by_hydra.out, by_hydra.err
    assert run(verb, *words_of_it, "--cfg=job") == by_hydra
