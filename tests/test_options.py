"""Options: what is refused and how, what every run has, and that refusing is quick."""

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

REFUSED = {
    "unknown key": (["optimizer.lrr=1"], ["optimizer.lrr", "Did you mean optimizer.lr?"]),
    "key without its group": (["lr=0.1"], ["lr is not an option", "Did you mean optimizer.lr?"]),
    "misspelt group": (["modle=cnn"], ["modle", "Did you mean model?"]),
    "added key": (["+foo=1"], ["foo is not an option"]),
    "added typo": (["+optimizer.lrr=1"], ["Did you mean optimizer.lr?"]),
    "forced typo": (["++optimizer.lrr=1"], ["Did you mean optimizer.lr?"]),
    "plus before an option": (["+epochs=3"], ["epochs=3 without the +"]),
    "deleted option": (["~epochs"], ["epochs"]),
    "wrong type": (["optimizer.lr=abc"], ["optimizer.lr=abc", "must be a number"]),
    "no whole number": (["epochs=2.5"], ["epochs=2.5", "must be a whole number"]),
    "null": (["seed=null"], ["seed=null", "must be a whole number"]),
    "a list for a number": (["epochs=[1,2]"], ["epochs"]),
    "below range": (["optimizer.lr=-1"], ["optimizer.lr=-1", "greater than 0"]),
    "zero": (["epochs=0"], ["epochs=0", "at least 1"]),
    "above range": (["data.val_share=1"], ["data.val_share=1", "less than 1"]),
    "infinite": (["optimizer.lr=inf"], ["optimizer.lr=inf", "finite"]),
    "nan": (["optimizer.weight_decay=nan"], ["optimizer.weight_decay=nan", "finite"]),
    "unknown choice of a group": (["model=cnnn"], ["model=cnnn", "Did you mean cnn?"]),
    "unknown preset": (["experiment=report"], ["experiment=report", "Did you mean report_"]),
    "number for a group": (["optimizer=3"], ["Config group override"]),
    "unknown choice of an option": (["trainer.precision=fp32"], ["trainer.precision=fp32", "bf16"]),
    "option of another choice": (["optimizer.momentum=0.9"], ["optimizer.momentum", "optimizer=sgd"]),
    "split of another data set": (["data.split=building"], ["data.split=building", "random"]),
    "value for a group of options": (["callbacks.convergence=3"], ["callbacks.convergence.threshold"]),
    "impossible pair": (["model=segnet", "data=fashion_mnist"], ["segmentation", "classification", "data=facade"]),
    "the pair the other way": (["model=cnn", "data=facade"], ["classification", "data=fashion_mnist"]),
    "a preset's options beside another choice": (
        ["experiment=small_best", "optimizer=adamw"],
        ["optimizer=adamw", "Add ~optimizer.momentum ~optimizer.nesterov", "optimizer=sgd"],
    ),
    "an option taken out that the choice has": (
        ["optimizer=sgd", "~optimizer.momentum"],
        ["~optimizer.momentum", "optimizer=sgd", "Write optimizer.momentum=VALUE"],
    ),
    "an option taken out that is not there": (["~optimizer.momentum"], ["no optimizer.momentum to take out"]),
    "an option taken out of several presets": (
        ["-m", "experiment=small_best,fashion_best", "optimizer=adamw", "~optimizer.momentum", "~optimizer.nesterov"],
        ["~optimizer.momentum", "Sweep one preset at a time"],
    ),
    "a preset's options beside one of several choices": (
        ["-m", "experiment=small_best", "loss=cross_entropy,focal"],
        ["loss=focal", "Run loss=focal by a command of its own, with ~loss.label_smoothing"],
    ),
    "an option taken out that one of several choices has": (
        ["-m", "experiment=small_best", "loss=cross_entropy,focal", "~loss.label_smoothing"],
        ["Run loss=cross_entropy by a command of its own, without ~loss.label_smoothing"],
    ),
    "a preset's options beside choices that are searched": (
        ["-m", "hydra/sweeper=optuna", "experiment=cnn_best", "augment=none,flip_shift"],
        ["Run augment=none by a command of its own, with ~augment.shift"],
    ),
    "options of one of several presets": (
        ["-m", "experiment=segnet_best,facade_small", "scheduler=cosine"],
        ["Sweep one preset at a time, with ~scheduler.rise_share"],
    ),
    "a preset's options that other choices have otherwise": (
        ["experiment=small_best", "model=cnn"],
        ["Add ~model.widths ~model.blocks to take them out, or choose model=resnet."],
    ),
    "no value": (["epochs"], ["epochs can't be understood"]),
    "one of several shown": (["-m", "seed=0,1", "--cfg=job"], ["--cfg=job shows one run", "Leave out one"]),
    "several values without -m": (["seed=0,1"], ["Add -m"]),
    "one bad value of a sweep": (["-m", "optimizer.lr=0.1,-1"], ["optimizer.lr=-1", "greater than 0"]),
    "bad value in a long sweep": (["-m", "seed=range(0,200)", "epochs=1,0"], ["epochs=0", "at least 1"]),
    "option of one swept loss alone": (
        ["-m", "loss=focal,cross_entropy", "loss.gamma=1"],
        ["loss.gamma is no option of loss=cross_entropy", "Choose loss=focal"],
    ),
    "sides that a later job does not take": (
        ["-m", "model=segnet", "data=synthetic_facade", "model.shrink=2,3"],
        ["multiples of 6", "256×256"],
    ),
    "sides that a trial does not take": (
        ["-m", "model=segnet", "data=synthetic_facade", "model.shrink=2,3", "hydra/sweeper=optuna"],
        ["multiples of 6", "256×256"],
    ),
    "resume in a sweep": (["-m", "seed=0,1", "resume=x"], ["resume", "-m"]),
    "devices that are none": (["trainer.devices=0"], ["trainer.devices=0", "at least 1"]),
    "devices in words": (["trainer.devices=two"], ["trainer.devices=two", "auto"]),
    "machines that nobody starts": (["trainer.nodes=2"], ["trainer.nodes=2", "torchrun"]),
    "run to resume is missing": (["resume=nowhere"], ["nowhere", "no run folder"]),
    "launcher that is not there": (["hydra/launcher=joblib"], ["joblib"]),
    "steps of several processes": (["trainer.devices=2", "trainer.steps_per_call=4"], ["trainer.steps_per_call=4"]),
    "several of a device that is alone": (["trainer.devices=2", "trainer.accelerator=mps"], ["one device"]),
    "numbers that shards can't have": (["trainer=fsdp", "trainer.precision=64"], ["trainer.precision=64"]),
    "glob of choices": (["-m", "model=glob(*)"], ["glob(*)"]),
    "mode by hand": (["hydra.mode=MULTIRUN", "seed=1,2"], ["hydra.mode", "-m"]),
    "another folder of choices": (["--config-path=/nowhere"], ["--config-path"]),
    "folder of more choices is missing": (["--config-dir=nowhere"], ["nowhere is no folder"]),
    "help of a choice that is not there": (["--help", "model=bad"], ["model=bad", "There are cnn"]),
    "unknown option of a group": (["trainer.foo=1"], ["trainer.foo is not an option", "--cfg job"]),
    "group left out": (["~model"], ["model=NAME"]),
    "loss left out": (["~loss"], ["loss=NAME"]),
    "option of another loss": (["loss=focal", "loss.label_smoothing=0.1"], ["loss.label_smoothing", "cross_entropy"]),
    "smoothing of everything": (["loss.label_smoothing=1"], ["loss.label_smoothing=1", "less than 1"]),
    "loss of another task": (["loss=dice"], ["loss=dice", "segmentation", "loss=cross_entropy", "loss=binary"]),
    "loss of another task's data": (["loss=lovasz", "data=fashion_mnist"], ["loss=lovasz", "model=cnn"]),
    "more than all of it": (["model=segnet", "loss=dice", "loss.entropy_share=2"], ["loss.entropy_share=2"]),
    "a depth between two networks": (["model=wide_resnet", "model.depth=20"], ["model.depth=20", "16 or 22"]),
    "a normalisation that is not there": (["model=unet", "model.norm=layer"], ["model.norm=layer", "batch, group"]),
    "a squeeze of nothing": (["model=resnet", "model.squeeze=0"], ["model.squeeze=0", "at least 1"]),
    "shares for a loss of labels": (
        ["augment=garment", "augment.mixup=1", "loss=focal"],
        ["augment.mixup=1", "loss=binary"],
    ),
    "pixels mixed": (["model=segnet", "augment=photo", "augment.cutmix=1"], ["augment.cutmix=1", "segmentation"]),
    "shares that are none": (["augment=flip", "augment.mixup=-1"], ["augment.mixup=-1", "at least 0"]),
    "weights without end": (["loss=class_balanced", "loss.beta=1"], ["loss.beta=1", "less than 1"]),
    "a share of no batches": (
        ["augment=flip", "augment.mixup=1", "augment.mix_probability=0"],
        ["augment.mixup=1 mixes no images", "augment.mix_probability=1"],
    ),
    "a share of nothing mixed": (
        ["augment=flip", "augment.mix_probability=0.3"],
        ["augment.mix_probability=0.3", "augment.mixup=0.2"],
    ),
    "a share of pixels": (
        ["model=segnet", "augment=flip", "augment.mix_probability=0.3"],
        ["augment.mix_probability=0.3", "Leave out augment.mix_probability."],
    ),
    "nothing mixed in any run": (
        ["-m", "seed=0,1", "augment=flip", "augment.mix_probability=0.3"],
        ["mixes no images"],
    ),
    "a share of what is split already": (
        ["experiment=report_segnet", "data.val_share=0.3"],
        ["data.val_share=0.3 holds out no images", "data.split=building"],
    ),
    "a momentum that a schedule replaces": (
        ["experiment=speedrun", "optimizer.beta1=0.8"],
        ["optimizer.beta1=0.8 is not used", "scheduler.cycle_momentum=false"],
    ),
    "an end that is not awaited": (["callbacks.convergence.min_epochs=1"], ["min_epochs=1", "threshold=1e-4"]),
    "a square as large as the images": (
        ["augment=garment", "augment.erase=28"],
        ["augment.erase=28", "smaller side is 28", "at most 27"],
    ),
    "name by hand": (["model.name=segnet"], ["model=NAME"]),
    "another file to start from": (["--config-name=evaluate"], ["--config-name"]),
    "unknown flag": (["--foo"], ["--foo"]),
    "convergence beyond the end": (["callbacks.convergence.min_epochs=11"], ["min_epochs=11", "epochs=10"]),
    "nesterov without momentum": (
        ["optimizer=sgd", "optimizer.nesterov=true", "optimizer.momentum=0"],
        ["optimizer.nesterov", "optimizer.momentum"],
    ),
}


@pytest.mark.parametrize(("words", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_said_in_two_lines(run: Command, tmp_path: Path, words: list[str], parts: list[str]) -> None:
    assert_two_lines(run("train", *words), *parts)
    assert not list(tmp_path.iterdir()), "an error must leave nothing behind"


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
        *("augment.angle", "augment.light", "augment.colour"),
        *("logger.tensorboard", "logger.csv", "logger.mlflow", "logger.wandb", "logger.pictures_every"),
        *("logger.project", "logger.run_name", "logger.group", "logger.tags", "logger.mlflow_uri"),
        *("logger.wandb_mode", "logger.wandb_entity"),
        *("callbacks.convergence.threshold", "callbacks.convergence.min_epochs", "callbacks.progress"),
        "callbacks.ema.decay",
        *("epochs", "batch_size", "eval_batch_size", "eval_train", "score_flips", "seed"),
        *("notes", "page", "resume", "debug"),
        *("checkpoint.every_seconds", "on_nan", "plugins", "loss.name", "loss.label_smoothing", "loss.gamma"),
        *("loss.entropy_share", "loss.beta", "augment.mixup", "augment.cutmix", "augment.mix_probability"),
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
