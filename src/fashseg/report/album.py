"""The pictures of a page: each goes into the page, the charts also into RUN/figures as files of their own."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Chart
from PIL import Image

from fashseg.figures.style import png, svg
from fashseg.files import write_atomically
from fashseg.pages.blocks import Figure, Picture

UInt8 = npt.NDArray[np.uint8]


class Album:
    """Collects the charts of a page.

    Attributes:
        files: PNG by name.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def chart(self, name: str, chart: Chart, *, alt: str, caption: str = "") -> Figure:
        """A chart as a block of the page."""
        self.keep(name, chart)
        chart.set_layout_engine(None)  # it is laid out by now, which took as long as drawing it does
        return Figure(Picture(name, alt, "image/svg+xml", svg(chart).encode(), caption))

    def keep(self, name: str, chart: Chart) -> None:
        """A chart that is not on the page, which has its parts one by one."""
        self.files[name] = png(chart)

    def write(self, folder: Path) -> None:
        """Write the files."""
        for name, data in self.files.items():
            write_atomically(folder / f"{name}.png", data)


def small_picture(name: str, pixels: UInt8, *, alt: str, caption: str, photo: bool = False) -> Picture:
    """Pixels (H, W, 3) as a picture of a gallery: PNG, or JPEG for photographs; below 64 pixels it is enlarged."""
    content = io.BytesIO()
    if photo:
        Image.fromarray(pixels).save(content, "JPEG", quality=90)
    else:
        picture = Image.fromarray(pixels)
        colours = picture.getcolors(256)
        if colours:  # a mask: a third of the bytes, the same pixels
            picture = picture.quantize(len(colours))
        picture.save(content, "PNG", optimize=True)
    small = max(pixels.shape[:2]) < 64
    return Picture(name, alt, "image/jpeg" if photo else "image/png", content.getvalue(), caption, pixelated=small)
