"""What no single value tells: options that do not go together, and texts that no file can keep. Imports no torch."""

import re
from collections.abc import Iterable
from typing import Any

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.libraries import check_library
from fashseg.ranks.options import several

ADDRESSES = ("s3", "gs", "local")  # that a data set in chunks is read from, besides folders
MOST_LAYERS = 100  # of a stage; a number that anybody has written is not to become layers without end


def check_texts(values: Iterable[tuple[str, Any, Any]]) -> None:
    """Refuse what config.yaml could not keep, among dotted paths and their values."""
    for path, value, _ in values:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and re.search("[\0\ud800-\udfff]", text):
                raise UserError(
                    f"{path}={text} is no text in UTF-8: it holds a NUL character or half of a character.",
                    "Leave that character out.",
                )


def check_together(run: cfg.Train) -> None:
    """Refuse choices that do not go together."""
    model_task, data_task = cfg.TASKS["model"][run.model.name], cfg.TASKS["data"][run.data.name]
    if data_task and model_task != data_task:
        data = [name for name, task in cfg.TASKS["data"].items() if task == model_task]
        model = [name for name, task in cfg.TASKS["model"].items() if task == data_task]
        raise UserError(
            f"model={run.model.name} does {model_task}, data={run.data.name} is for {data_task}.",
            f"Choose data={' or data='.join(data)}, or model={' or model='.join(model)}.",
        )
    if isinstance(run.data, cfg.OwnData) and not run.data.root:
        raise UserError(
            f"data.root is missing: data={run.data.name} reads pictures of your own.",
            "Name their folder, such as data.root=my_pictures.",
        )
    if isinstance(run.data, cfg.Streaming) and (run.data.url or run.resume is None):  # resume= brings it along
        check_address(run.data)
    check_loss(run)
    check_model(run.model)
    check_devices(run.trainer)
    if run.callbacks.ema.decay is not None and run.trainer.strategy == "fsdp":
        raise UserError(
            f"callbacks.ema.decay={run.callbacks.ema.decay} averages the weights of a whole network, and with "
            "trainer.strategy=fsdp no process has it.",
            "Set trainer.strategy=ddp, or callbacks.ema.decay=null.",
        )
    if isinstance(run.optimizer, cfg.SGD) and run.optimizer.nesterov and run.optimizer.momentum == 0:
        raise UserError(
            "optimizer.nesterov=true looks ahead along a momentum, but optimizer.momentum=0.",
            "Set optimizer.momentum=0.9, or optimizer.nesterov=false.",
        )
    if run.callbacks.convergence.min_epochs > run.epochs:
        raise UserError(
            f"callbacks.convergence.min_epochs={run.callbacks.convergence.min_epochs} is above epochs={run.epochs}.",
            f"Raise epochs, or set callbacks.convergence.min_epochs={run.epochs}.",
        )


def check_folds(data: cfg.Data) -> None:
    """Refuse a fold that is none, or that another way to hold out images excludes."""
    if data.fold is None:
        return
    if data.fold >= data.folds:
        raise UserError(
            f"data.fold={data.fold} is no fold of data.folds={data.folds}: they are counted from 0.",
            f"Choose 0 to {data.folds - 1}: -m data.fold={','.join(map(str, range(min(data.folds, 10))))}"
            f"{',...' if data.folds > 10 else ''}.",
        )
    if data.split == "published":
        raise UserError(
            f"data.split=published says which images validate, and data.fold={data.fold} says others.",
            "Leave out one of the two; data.split=building keeps a building in one fold.",
        )
    if isinstance(data, cfg.Streaming):
        raise UserError(
            f"data=streaming validates on what was held out when it was written, and data.fold={data.fold} on others.",
            "Leave data.fold out, or cross-validate on the data set that was written.",
        )


def check_address(data: cfg.Streaming) -> None:
    """Refuse what is no place of a data set in chunks."""
    scheme = re.match(r"[A-Za-z0-9+.-]+(?=://)|local(?=:)", data.url)
    if not data.url:
        raise UserError(
            "data.url is missing: data=streaming reads a data set that was written in chunks.",
            "Write one by python -m fashseg.prepare data=NAME shards=FOLDER, and name it: data.url=FOLDER.",
        )
    if scheme and scheme[0] not in ADDRESSES:
        raise UserError(
            f"data.url={data.url} is of a kind that is not read; there are folders and {', '.join(ADDRESSES)}.",
            "Name one of them, such as data.url=s3://BUCKET/NAME.",
        )
    if scheme and "@" in data.url.partition("://")[2].partition("/")[0]:
        raise UserError(
            "data.url holds a name or a key before the @, which would be kept with the run.",
            "Give keys by the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )


def check_loss(run: cfg.Train) -> None:
    """Refuse a loss that is not for what the model does."""
    task = cfg.TASKS["model"][run.model.name]
    if cfg.LOSS_TASKS.get(run.loss.name, task) != task:
        others = [name for name in cfg.CHOICES["loss"] if cfg.LOSS_TASKS.get(name, task) == task]
        raise UserError(
            f"loss={run.loss.name} is for {cfg.LOSS_TASKS[run.loss.name]}, model={run.model.name} does {task}.",
            f"Choose loss={' or loss='.join(others)}.",
        )
    if isinstance(run.loss, cfg.Distill) and not run.loss.teacher:
        raise UserError(
            "loss.teacher is missing: loss=distill learns what a trained network answers.",
            "Name a model of fashseg, such as loss.teacher=fashion, the folder of a run, or a file of weights.",
        )
    if not (isinstance(run.augment, cfg.Flip) and run.augment.mixes):
        return
    mixing = " and ".join(
        f"augment.{key}={value}" for key in ("mixup", "cutmix") if (value := getattr(run.augment, key))
    )
    off = "Set augment.mixup=0 augment.cutmix=0"
    if task == "segmentation":
        raise UserError(
            f"{mixing}: what is mixed are images of one class each, and model={run.model.name} does {task}.", f"{off}."
        )
    if run.loss.name not in cfg.SHARING_LOSSES:
        raise UserError(
            f"{mixing} gives images shares of classes, and loss={run.loss.name} takes one class each.",
            f"Choose loss={' or loss='.join(cfg.SHARING_LOSSES)}. Or: {off[0].lower()}{off[1:]}.",
        )


def check_devices(options: cfg.Trainer) -> None:
    """Refuse ways to share the work that do not go with other options."""
    if options.strategy == "fsdp" and options.precision == "64":
        raise UserError(
            "trainer.strategy=fsdp does not compute with trainer.precision=64.", "Set trainer.precision=32."
        )
    if options.accelerator == "mps" and several(options):
        raise UserError(
            "trainer.accelerator=mps is one device, and trains by itself.",
            "Set trainer.devices=1 trainer.nodes=1 trainer.strategy=auto, or trainer=cpu.",
        )
    if several(options) and options.steps_per_call not in (None, 1):
        raise UserError(
            f"trainer.steps_per_call={options.steps_per_call}: processes that train together take one step in a call.",
            "Leave out trainer.steps_per_call, or set trainer.devices=1.",
        )


def check_model(model: cfg.Model) -> None:
    """Refuse numbers of stages and layers that make no network."""
    if isinstance(model, cfg.Library):
        check_library(model)
    if isinstance(model, cfg.VGG):
        widths, convs = model.widths, model.convs
        most = 3 if model.stem else 4
        if len(widths) != len(convs) or not 1 <= len(widths) <= most or not _layers(widths, convs):
            raise UserError(
                f"model.widths={widths} and model.convs={convs}: both need numbers, 1 or more, for 1 to {most} "
                f"stages, the latter at most {MOST_LAYERS}.",
                "For example model.widths=[32,64] model.convs=[1,1].",
            )
    if isinstance(model, cfg.ResNet):
        widths, blocks = model.widths, model.blocks
        if len(widths) != len(blocks) or not 1 <= len(widths) <= 5 or not _layers(widths, blocks):
            raise UserError(
                f"model.widths={widths} and model.blocks={blocks}: both need numbers, 1 or more, for 1 to 5 "
                f"stages, the latter at most {MOST_LAYERS}.",
                "For example model.widths=[16,32,64] model.blocks=[3,3,3].",
            )
    if isinstance(model, cfg.WideResNet) and (model.depth - 4) % 6:
        below = model.depth - (model.depth - 4) % 6
        raise UserError(
            f"model.depth={model.depth}: a wide_resnet has 4 layers, and 6 for each residual block of a stage.",
            f"Choose {below} or {below + 6}.",
        )
    if isinstance(model, cfg.UNet) and (not 2 <= len(model.widths) <= 8 or min(model.widths) < 1):
        raise UserError(
            f"model.widths={model.widths} must be numbers, 1 or more, for 2 to 8 levels.",
            "For example model.widths=[16,32,64,128,128].",
        )


def _layers(widths: list[int], counts: list[int]) -> bool:
    return min(*widths, *counts) >= 1 and max(counts) <= MOST_LAYERS
