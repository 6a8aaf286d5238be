"""Options that are refused, each in two lines that name the way out, and nothing is left behind."""

from pathlib import Path

import pytest

from conftest import Command, assert_two_lines

REFUSED = {
    "unknown key": (["optimizer.lrr=1"], ["optimizer.lrr", "Did you mean optimizer.lr?"]),
    "another library's name": (["trainer.max_epochs=3"], ["max_epochs is not an option", "Did you mean epochs?"]),
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
    "a preset's value that another choice does not take": (
        ["experiment=small_best", "augment=photo", "~augment.erase"],
        ["augment.shift=1.0, which experiment=small_best sets, is out of range", "Give augment.shift another value"],
    ),
    "a value of one's own beside a preset": (
        ["experiment=small_best", "augment.shift=40"],
        ["augment.shift=40 is out of range", "at most 16"],
    ),
    "a value that follows another one, beside a preset": (
        ["experiment=small_best", "seed=-1"],
        ["error: seed=-1 is out of range", "at least 0"],
    ),
    "an option taken out that the choice has": (
        ["optimizer=sgd", "~optimizer.momentum"],
        ["~optimizer.momentum", "optimizer=sgd", "Write optimizer.momentum=VALUE"],
    ),
    "an option taken out that is not there": (["~optimizer.momentum"], ["optimizer.momentum is null or missing"]),
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
    "a share of what was held out already": (
        ["data=streaming", "data.url=x", "data.val_share=0.3"],
        ["data.val_share=0.3 holds out no images", "fashseg.prepare data=NAME"],
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
