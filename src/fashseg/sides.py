"""The sides that a network needs its images to have, as far as its options say it. Imports no torch."""

from fashseg import config as cfg


def divisor_of(model: cfg.Model) -> int:
    """What height and width of its images must be multiples of; 1 where a network takes any, or says it when built."""
    if isinstance(model, cfg.SegNet):
        return 2 * model.shrink
    if isinstance(model, cfg.UNet):
        return int(2 ** (len(model.widths) - 1))
    return 1


def sides_in_words(name: str, divisor: int, height: int, width: int) -> str:
    """That images are no multiples of what a network needs."""
    return f"{name} needs sides that are multiples of {divisor}, these images have {width}×{height}"
