"""The Lovász-softmax loss."""

import torch
from torch import Tensor

from fashseg.losses.indicators import indicators
from fashseg.losses.overlap import Overlap


class Lovasz(Overlap):
    """Cross-entropy, and the Lovász extension of 1 − intersection over union: what the IoU of classes would rise by.

    a · cross-entropy + (1 − a) · the mean over classes of Σ_i e_i Δ_i. The errors e of a class are |t − p|, p being its
    probability by softmax and t 1 where it is true and else 0, over all pixels of a batch, the largest first; Δ_i is
    what the i-th of them adds to 1 − IoU, were all before it wrong and all behind it right. Classes that the batch
    lacks are left out. *The Lovász-Softmax loss* (Berman et al., 2018).

    Arguments and shapes are those of `Overlap`.
    """

    def missed(self, shares: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The extension and the number of pixels, each (C,)."""
        truth = indicators(targets, shares.shape[1])
        errors = (truth.to(shares.dtype) - shares).abs()
        if self.ignore is not None:
            # With an error of 0 they come last and add nothing; to take them out would take another shape each time.
            counted = (targets != self.ignore).unsqueeze(1)
            truth, errors = truth & counted, errors * counted
        truth, errors = (values.transpose(0, 1).flatten(1) for values in (truth, errors))
        return (errors * _added(errors, truth)).sum(1), truth.sum(1)


@torch.no_grad()
def _added(errors: Tensor, truth: Tensor) -> Tensor:
    """What each pixel's error adds to 1 − IoU of its class, (C, pixels), from errors and truth of that shape."""
    order = errors.argsort(dim=1, descending=True, stable=True)
    right = truth.gather(1, order)
    # Counted in whole numbers, exactly; the i-th row is of the pixels up to the i-th.
    pixels, hit = right.sum(1, keepdim=True), right.cumsum(1)
    seen = torch.arange(1, errors.shape[1] + 1, device=errors.device)
    lost = 1 - (pixels - hit).to(errors.dtype) / (pixels + seen - hit).to(errors.dtype)
    return torch.empty_like(lost).scatter_(1, order, lost.diff(dim=1, prepend=torch.zeros_like(lost[:, :1])))
