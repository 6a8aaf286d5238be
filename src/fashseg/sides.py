"""The sides that a network needs its images to have, as far as its options say it. Imports no torch."""

from fashseg import config as cfg
from fashseg.errors import UserError


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


def require_sides(run: cfg.Train, height: int, width: int) -> None:
    """Refuse a network that does not take images of this size, before it is built.

    Raises:
        UserError: the options of the model say so.
    """
    divisor = divisor_of(run.model)
    if height % divisor or width % divisor:
        raise not_taken(run, sides_in_words(run.model.name, divisor, height, width))


def not_taken(run: cfg.Train, why: str) -> UserError:
    """The error for a network that does not take the images of a run.

    Args:
        run: the options.
        why: a sentence without its end.
    """
    return UserError(
        f"model={run.model.name} does not take the images of data={run.data.name}: {why}.",
        _other_images(run.model, run.data),
    )


def _other_images(model: cfg.Model, data: cfg.Data) -> str:
    """The way out where a network does not take the images."""
    if isinstance(model, cfg.Timm):
        return "Choose another model.architecture, or a size that it takes, such as model.image_size=224."
    if isinstance(model, cfg.SMP):
        return "Choose another data.size, another model.architecture, or a smaller model.options.encoder_depth."
    sizes = "another data.size, " if hasattr(data, "size") else ""
    return f"Choose {sizes}other options of the model, or another model."
