"""Targets of a teacher: a trained network that sees each image as it is trained on."""

from collections import ChainMap
from collections.abc import Mapping
from hashlib import blake2b

import torch
from torch import Tensor

from fashseg import config as cfg
from fashseg.losses.indicators import indicators
from fashseg.network import Network

_AT_ONCE = 32
_MOST_KEPT = 2**21  # answers; of ten classes they take half a gigabyte


class Teacher:
    """Gives the targets of training images: its own answers, with a share of their labels.

    It is no module, so that its weights are no part of a checkpoint. Where the same images come again and again, its
    answers can be kept; these are the same, bit for bit, as they would be anew.

    Args:
        network: trained.
        options: of the loss.
        origin: what results.json says of it.
        keeps: whether answers are kept, which takes a look at the images themselves: on a CPU alone.
    """

    def __init__(self, network: Network, options: cfg.Distill, origin: dict[str, str], *, keeps: bool = False) -> None:
        self.network = network.requires_grad_(False)
        self.options, self.origin, self.keeps = options, origin, keeps
        self._kept: dict[bytes, bytes] = {}

    @torch.no_grad()
    def targets(self, images: Tensor, labels: Tensor) -> Tensor:
        """What is learnt of a batch.

        Args:
            images: (N, C, H, W), as they are trained on, on the scale of 0 to 255.
            labels: int64 (N,), or shares of classes, floating (N, classes), of mixed images.

        Returns:
            Shares of classes, float32 (N, classes), which sum to 1.
        """
        if self.network.device != images.device:
            self.network.to(images.device)
        logits = self._recalled(images) if self.keeps else self._computed(images)
        shares = (logits / self.options.temperature).softmax(1)
        if part := self.options.label_share:
            if not labels.is_floating_point():
                labels = indicators(labels, shares.shape[1])
            shares = (1 - part) * shares + part * labels
        return shares

    def _recalled(self, images: Tensor) -> Tensor:
        """Logits, of which those alone are computed that are not kept."""
        keys = [blake2b(image.tobytes(), digest_size=16).digest() for image in images.numpy()]
        new = {key: place for place, key in enumerate(keys) if key not in self._kept}
        found: Mapping[bytes, bytes] = self._kept
        if new:
            computed = self._computed(images[list(new.values())]).numpy()
            answers = {key: row.tobytes() for key, row in zip(new, computed, strict=True)}
            if len(self._kept) < _MOST_KEPT:
                self._kept |= answers
            else:
                found = ChainMap(self._kept, answers)
        rows = b"".join(found[key] for key in keys)
        return torch.frombuffer(bytearray(rows), dtype=torch.float32).reshape(len(keys), -1)

    def _computed(self, images: Tensor) -> Tensor:
        """Logits; on a CPU of batches of one size, so that their bits are the same whatever an image comes beside."""
        if images.device.type != "cpu":
            logits: Tensor = self.network(images).float()
            return logits
        missing = -len(images) % _AT_ONCE
        padded = torch.cat([images, images[-1:].expand(missing, *images.shape[1:])])
        return torch.cat([self.network(part).float() for part in torch.split(padded, _AT_ONCE)])[: len(images)]
