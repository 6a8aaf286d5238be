"""Training images mixed with each other, with their classes, on whole batches and on the device they are on."""

import functools

import torch
from torch import Tensor, nn

from fashseg import config as cfg
from fashseg.losses.indicators import indicators

# Than those of augmentation and windows by the same seed; of a seed PyTorch's generator takes the lower 32 bits alone.
_OTHER_DRAWS = 2**31


def mixed(options: cfg.Augment, images: Tensor, targets: Tensor, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """A batch whose images are each mixed with their neighbour; as it is where the options mix none.

    By mixup (Zhang et al., 2018) all of both images is mixed, by CutMix (Yun et al., 2019) a part of one is put over
    the other; torchvision does both. Where the options have both, each batch gets one of them, with equal chance. A
    batch that is not mixed has shares as well, of 1 and 0, for a recorded step knows one kind of targets.

    Args:
        options: those of augmentation.
        images: (N, C, H, W).
        targets: int64 (N,).
        classes: how many.
        seed: fixes what is drawn; random numbers of others stay what they are.

    Returns:
        float32 images, and float32 shares of classes, (N, classes), which sum to 1.
    """
    if not (isinstance(options, cfg.Flip) and options.mixes):
        return images, targets
    images, targets = images.float(), indicators(targets, classes).float()
    kinds = [(kind, alpha) for kind, alpha in (("MixUp", options.mixup), ("CutMix", options.cutmix)) if alpha]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed + _OTHER_DRAWS)  # torch.manual_seed would reach the GPU's, too
        if torch.rand(()) >= options.mix_probability:
            return images, targets
        images, targets = _transform(*kinds[int(torch.randint(len(kinds), ()))])(images, targets)
    return images, targets


@functools.cache
def _transform(kind: str, alpha: float) -> nn.Module:
    from torchvision.transforms import v2  # takes a second

    transform: nn.Module = getattr(v2, kind)(alpha=alpha)
    return transform
