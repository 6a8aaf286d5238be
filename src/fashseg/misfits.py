"""What is said where a network does not take the images of a data set, and the way out. Imports no torch."""

from dataclasses import replace

from fashseg import config as cfg
from fashseg.errors import UserError
from fashseg.option_rules import shown
from fashseg.sides import divisor_of, sides_in_words


def require_sides(run: cfg.Train, height: int, width: int) -> None:
    """Refuse a network that does not take images of this size, before it is built.

    Raises:
        UserError: the options of the model say so.
    """
    if not _divides(run.model, (height, width)):
        raise misfit(run, (height, width), sides_in_words(run.model.name, divisor_of(run.model), height, width))


def misfit(run: cfg.Train, sides: tuple[int, int], why: str) -> UserError:
    """The error of images that a network does not take.

    Args:
        run: with the model and the data.
        sides: height and width of the images.
        why: a sentence without its end.
    """
    return UserError(
        f"model={run.model.name} does not take the images of data={run.data.name}: {why}.",
        _way_out(run.model, run.data, sides),
    )


def misfit_of_options(model: cfg.Library, error: ValueError) -> UserError:
    """The error of a library's network that takes the images without its keyword arguments."""
    given = {f"model.options.{name}": shown(value) for name, value in model.options.items()}
    words = " ".join(f"{name}={value}" for name, value in given.items())
    return UserError(
        f"model={model.name} does not work with {words}: {error}.",
        f"Change or leave out {' '.join(given)}.",
    )


def _way_out(model: cfg.Model, data: cfg.Data, sides: tuple[int, int]) -> str:
    if isinstance(model, cfg.Timm):
        return "Choose another model.architecture, or a size that it takes, such as model.image_size=224."
    if isinstance(model, cfg.SMP):
        return "Choose another data.size, another model.architecture, or a smaller model.options.encoder_depth."
    size = ["another data.size"] if hasattr(data, "size") else []
    if fitting := _fitting(model, sides):
        return f"Set {' or '.join([fitting, *size])}."
    return f"Choose {', '.join([*size, 'other options of the model'])}, or another model."


def _fitting(model: cfg.Model, sides: tuple[int, int]) -> str | None:
    """The option nearest to what a segmenter has with which it takes these images; None where there is none."""
    if isinstance(model, cfg.SegNet):
        for shrink in range(model.shrink - 1, 0, -1):
            if _divides(replace(model, shrink=shrink), sides):
                return f"model.shrink={shrink}"
    if isinstance(model, cfg.UNet):
        for levels in range(len(model.widths) - 1, 1, -1):
            if _divides(replace(model, widths=model.widths[:levels]), sides):
                return f"model.widths=[{','.join(map(str, model.widths[:levels]))}]"
    return None


def _divides(model: cfg.Model, sides: tuple[int, int]) -> bool:
    return not any(side % divisor_of(model) for side in sides)
