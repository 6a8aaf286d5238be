"""A data set of one's own, opened: its images by part, its classes, and how large the images become."""

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import PIL

from fashseg import config as cfg
from fashseg.data.folders import by_class, by_mask
from fashseg.data.folders.decoding import Plan
from fashseg.data.folders.headers import Header, read_headers
from fashseg.data.folders.items import JPEG_SUFFIXES, Item, root_of
from fashseg.data.folders.masks import MaskReader
from fashseg.data.folders.naming import Naming, naming
from fashseg.data.folders.parts import Parts, hold_out
from fashseg.errors import UserError
from fashseg.text import counted

log = logging.getLogger(__name__)

DECODING = "1"  # version of all that turns files into arrays

# The largest side up to which images that are all of one size keep it, and what others become.
_KEPT = {"image_folder": 256, "mask_folder": 512}
_DEFAULT = {"image_folder": 64, "mask_folder": 256}
_MOST_SIDE = 4096
_STEP = 8  # a multiple of what networks halve


@dataclass(frozen=True)
class Opened:
    """What is known before images are decoded.

    Attributes:
        root: the folder.
        parts: the images.
        plan: what they become.
        names: of the classes; empty where they are found in the masks.
        naming: of masks; None where images have one class each.
        headers: of all images, those of ``parts.train`` first.
        said: what was found and chosen, as sentences.
    """

    root: Path
    parts: Parts
    plan: Plan
    names: tuple[str, ...]
    naming: Naming | None
    headers: list[Header]
    said: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        """All files that are read."""
        items = [*self.parts.train, *self.parts.test]
        masks = [self.root / item.target for item in items] if self.naming else []
        return [*(self.root / item.name for item in items), *masks]


_last: dict[str, Opened] = {}


def opened(options: cfg.OwnData, *, anew: bool = False) -> Opened:
    """Find the images, and see what they are.

    Args:
        options: of the data set.
        anew: look at the folder again, where these options were opened before in this process.

    Raises:
        UserError: the folder is not as it must be.
    """
    key = _key(options)
    if anew or key not in _last:
        _last.clear()
        _last[key] = _open(options)
    return _last[key]


def note_names(options: cfg.OwnData, names: tuple[str, ...]) -> None:
    """Keep the names of the classes that were found in the masks."""
    _last[_key(options)] = replace(opened(options), names=names)


def _key(options: cfg.OwnData) -> str:
    return json.dumps(asdict(options), sort_keys=True)


@dataclass(frozen=True)
class Found:
    """What names and text files say, before any picture is opened.

    Attributes:
        root: the folder.
        parts: the images.
        names: of the classes; empty where they are found in the masks.
        naming: of masks; None where images have one class each.
    """

    root: Path
    parts: Parts
    names: tuple[str, ...]
    naming: Naming | None

    @property
    def items(self) -> list[Item]:
        """All images."""
        return [*self.parts.train, *self.parts.test]

    def headers(self, name: str) -> list[Header]:
        """What the heads of all images say; ``name`` is that of the data set."""
        return read_headers(name, self.root, [self.root / item.name for item in self.items])


def find(options: cfg.OwnData) -> Found:
    """Find the images and their parts.

    Raises:
        UserError: the folder is not as it must be.
    """
    root = root_of(options)
    meaning: Naming | None = None
    if isinstance(options, cfg.MaskFolder):
        items, meaning = by_mask.find(options), naming(root, options)
        names = meaning.names
        if options.fit == "contain" and meaning.ignore is None:
            raise UserError(
                "data.fit=contain leaves a border around images, which no class is of.",
                "Set data.ignore=255, so that it counts for nothing, or choose data.fit=stretch.",
            )
    else:
        assert isinstance(options, cfg.ImageFolder)
        items, names = by_class.find(options)
    return Found(root, hold_out(root, items, options), names, meaning)


def plan_for(options: cfg.OwnData, found: Found, headers: Sequence[Header]) -> tuple[Plan, str]:
    """What images of these headers become, and a sentence on why."""
    (height, width), why = _size(options, headers)
    channels = _channels(options, headers)
    reader = None
    if found.naming and isinstance(options, cfg.MaskFolder):
        reader = MaskReader(found.naming, options.read_masks)
    return Plan(found.root, (channels, height, width), options.fit, () if reader else found.names, reader), why


def _open(options: cfg.OwnData) -> Opened:
    found = find(options)
    headers = found.headers(options.name)
    _refuse_unreadable(found.root, found.items, headers)
    plan, why = plan_for(options, found, headers)
    return Opened(found.root, found.parts, plan, found.names, found.naming, headers, (why, *_lossy(found)))


def _lossy(found: Found) -> list[str]:
    """What is wrong with masks that are JPEG files: those that hold values can be read all the same."""
    lossy = [item for item in found.items if found.naming and Path(item.target).suffix.lower() in JPEG_SUFFIXES]
    masks = "1 mask is a JPEG file" if len(lossy) == 1 else f"{len(lossy):,} masks are JPEG files"
    return [f"{masks}, whose loss puts values of other classes at borders; save masks as PNG"] if lossy else []


def _refuse_unreadable(root: Path, items: Sequence[Item], headers: Sequence[Header]) -> None:
    bad = [(item, header) for item, header in zip(items, headers, strict=True) if header.problem]
    if bad:
        more = f" {counted(len(bad) - 1, 'more file')} can't be read." if bad[1:] else ""
        raise UserError(
            f"{root / bad[0][0].name} {bad[0][1].problem}.{more}",
            "Mend or remove them; python -m fashseg.prepare with these options lists all.",
        )


def _channels(options: cfg.OwnData, headers: Sequence[Header]) -> int:
    if options.channels is None:
        return 1 if all(header.grey for header in headers) else 3
    if options.channels == 2:
        raise UserError("data.channels=2 is no kind of picture.", "Choose 1 (grey) or 3 (colour).")
    return options.channels


def _size(options: cfg.OwnData, headers: Sequence[Header]) -> tuple[tuple[int, int], str]:
    """Height and width, and a sentence on why."""
    sizes = Counter((header.height, header.width) for header in headers)
    (height, width), _ = sizes.most_common(1)[0]
    found = (
        f"all images have {width}×{height} pixels"
        if len(sizes) == 1
        else f"images have {len(sizes):,} sizes, most often {width}×{height} pixels"
    )
    if options.size is not None:
        chosen = _asked(str(options.size), even=isinstance(options, cfg.MaskFolder))
        return chosen, f"{found}; they become {chosen[1]}×{chosen[0]} (data.size, data.fit={options.fit})"
    kept, default = _KEPT[options.name], _DEFAULT[options.name]
    step = 2 if isinstance(options, cfg.MaskFolder) else 1
    if len(sizes) == 1 and max(height, width) <= kept and height % step == width % step == 0:
        return (height, width), f"{found}, and keep them"
    chosen = default, default
    if isinstance(options, cfg.MaskFolder) and len(sizes) == 1:
        scale = min(1, default / min(height, width))
        chosen = _rounded(height * scale), _rounded(width * scale)
    return chosen, (
        f"{found}; they become {chosen[1]}×{chosen[0]} (data.fit={options.fit}), which data.size=WIDTHxHEIGHT changes"
    )


def _rounded(side: float) -> int:
    return max(_STEP, _STEP * round(side / _STEP))


def _asked(text: str, even: bool) -> tuple[int, int]:
    parsed = re.fullmatch(r"(\d{1,5})(?:[xX×](\d{1,5}))?", text.strip())
    width, height = (int(parsed[1]), int(parsed[2] or parsed[1])) if parsed else (0, 0)
    if not (1 <= width <= _MOST_SIDE and 1 <= height <= _MOST_SIDE):
        raise UserError(
            f"data.size={text} is no size.", f"Write a side, such as 64, or WIDTHxHEIGHT, of 1 to {_MOST_SIDE} pixels."
        )
    if even and (width % 2 or height % 2):
        raise UserError(
            f"data.size={text}: width and height of masks must be even.",
            f"Take data.size={width + width % 2}x{height + height % 2}.",
        )
    return height, width


def decoding_version() -> str:
    """What else the arrays follow from."""
    return f"{DECODING}, Pillow {PIL.__version__}"
