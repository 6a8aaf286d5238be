"""What is said where a network does not take the images of a data set, and the way out."""

from fashseg import config as cfg
from fashseg.data.info import DataInfo
from fashseg.errors import UserError
from fashseg.option_rules import shown


def misfit(run: cfg.Train, info: DataInfo, error: ValueError) -> UserError:
    """The error of images that a network does not take.

    Args:
        run: with the model and the data.
        info: of the data set.
        error: what the network says.
    """
    return UserError(
        f"model={run.model.name} does not take the images of data={run.data.name}: {error}.",
        _way_out(run.model, run.data, info.shape[1:]),
    )


def misfit_of_options(model: cfg.Library, error: ValueError) -> UserError:
    """The error of a library's network that takes the images without its keyword arguments."""
    given = {f"model.options.{name}": shown(value) for name, value in model.options.items()}
    words = " ".join(f"{name}={value}" for name, value in given.items())
    return UserError(
        f"model={model.name} does not work with {words}: {error}.",
        f"Change or leave out {' '.join(given)}.",
    )


def _way_out(model: cfg.Model, data: cfg.Data, sides: tuple[int, ...]) -> str:
    if isinstance(model, cfg.Timm):
        return "Choose another model.architecture, or a size that it takes, such as model.image_size=224."
    if isinstance(model, cfg.SMP):
        return "Choose another data.size, another model.architecture, or a smaller model.options.encoder_depth."
    size = ["another data.size"] if hasattr(data, "size") else []
    if fitting := _fitting(model, sides):
        return f"Set {' or '.join([fitting, *size])}."
    return f"Choose {', '.join([*size, 'other options of the model'])}, or another model."


def _fitting(model: cfg.Model, sides: tuple[int, ...]) -> str | None:
    """The option nearest to what a segmenter has with which it takes these images; None where there is none."""
    if isinstance(model, cfg.SegNet):
        for shrink in range(model.shrink - 1, 0, -1):
            if not any(side % (2 * shrink) for side in sides):
                return f"model.shrink={shrink}"
    if isinstance(model, cfg.UNet):
        for levels in range(len(model.widths) - 1, 1, -1):
            if not any(side % 2 ** (levels - 1) for side in sides):
                return f"model.widths=[{','.join(map(str, model.widths[:levels]))}]"
    return None
