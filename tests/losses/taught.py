"""What tests of learning from a teacher share."""

import torch

from conftest import TINY_CNN
from fashseg import config as cfg
from fashseg.tasks.teaching import Teacher
from fashseg.trained import load_trained

TAUGHT = (*TINY_CNN, "loss=distill", "augment=flip_shift", "batch_size=50", "eval_train=1")


def images(count: int) -> torch.Tensor:
    return torch.randint(256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(2)).to(torch.uint8)


def teaching(run: str, *, keeps: bool = False, **options: float) -> Teacher:
    return Teacher(load_trained(run=run).network, cfg.Distill("distill", run, **options), {}, keeps=keeps)
