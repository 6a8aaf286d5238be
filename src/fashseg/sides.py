"""The sides that a network needs its images to have, and those that they have. Imports no torch."""

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


def known_sides(data: cfg.Data) -> tuple[int, int] | None:
    """Height and width of the images of a data set; None where they are not known before they are read."""
    if isinstance(data, cfg.OwnData):
        from fashseg.data.folders.opening import opened

        return opened(data).plan.shape[1:]
    from fashseg.data.sources import SOURCES  # brings NumPy and Pillow

    source = SOURCES.get(data.name)
    _, height, width = source.info.shape if source else (0, 0, 0)
    return (height, width) if height else None
