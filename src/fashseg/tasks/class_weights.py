"""Losses that weigh classes learn how many there are of each before the first step."""

from typing import cast

from pytorch_lightning import Trainer
from torch import nn

from fashseg.data.info import DataInfo
from fashseg.data.loading import TrainLoader
from fashseg.losses.class_balanced import ClassBalanced


def weigh_classes(loss: nn.Module, trainer: Trainer, info: DataInfo) -> None:
    """Give a loss that asks for it the number of training images or pixels of each class, of all processes together.

    It is counted anew each time that training begins, so that checkpoints hold nothing of it.
    """
    if isinstance(loss, ClassBalanced):
        part = cast(TrainLoader, trainer.train_dataloader).part
        loss.go_by(part.class_counts(len(info.class_names), info.ignore), trainer.strategy.root_device)
