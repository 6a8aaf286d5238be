"""What is checked behind a checksum that agrees: pictures that can't be an image and its mask, and others that can."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image
from test_facade import failure, write_manifest
from tiny import checksums, write_facade

from fashseg.data.facade import read_facade

IMAGE, MASK = "facade/train/eecs442_0001.jpg", "facade/train/eecs442_0001.png"


def change(path: Path, **options: object) -> None:
    with Image.open(path) as picture:
        copy = picture.copy()
    copy.save(path, **options)  # type: ignore[arg-type]


def turned(orientation: int) -> Callable[[Path], None]:
    def turn(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        change(path, exif=exif)

    turn.__name__ = f"turned_{orientation}"
    return turn


def as_mode(mode: str) -> Callable[[Path], None]:
    def convert(path: Path) -> None:
        with Image.open(path) as picture:
            copy = picture.convert(mode)
        copy.save(path)

    convert.__name__ = f"as_{mode.replace(';', '_')}"
    return convert


def palette_png(path: Path) -> None:
    with Image.open(path) as picture:
        copy = picture.quantize(5)
    copy.save(path, "PNG")


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.zeros((256, 256), np.uint16)).save(path, "PNG")


def animated(path: Path) -> None:
    with Image.open(path) as picture:
        first = picture.copy()
    other = first.copy()
    other.paste(0, (0, 0, 100, 100))
    first.save(path, "PNG", save_all=True, append_images=[other])


def several(path: Path) -> None:
    with Image.open(path) as picture:
        first = picture.copy()
    first.save(path, "MPO", save_all=True, append_images=[first.rotate(90)])


REFUSED: list[tuple[Callable[[Path], None], str, str]] = [
    *((turned(n), name, f"EXIF orientation {n}") for n in (2, 3, 6, 8) for name in (IMAGE, MASK)),
    (as_mode("CMYK"), IMAGE, "has the mode CMYK"),
    (as_mode("L"), IMAGE, "has the mode L"),
    (as_mode("L"), MASK, "has the mode L"),
    (as_mode("RGB"), MASK, "has the mode RGB"),
    (as_mode("RGBA"), MASK, "has the mode RGBA"),
    (palette_png, IMAGE, "is no readable JPEG file"),
    (sixteen_bits, IMAGE, "is no readable JPEG file"),
    (sixteen_bits, MASK, "has the mode I;16"),
    (animated, MASK, "holds 2 pictures"),
    (several, IMAGE, "holds 2 pictures"),
    (tiny.half, IMAGE, "damaged or incomplete"),
    (tiny.half, MASK, "damaged or incomplete"),
    (tiny.empty, IMAGE, "is empty"),
    (tiny.enormous, MASK, "is no readable PNG file"),
    (tiny.huge, MASK, "10000x10000"),
    (tiny.wrong_size, MASK, "300x200"),
    (tiny.value_7, MASK, "holds the value 7 at row 20, column 30"),
]


@pytest.mark.parametrize(
    ("damage", "name", "why"), [pytest.param(*case, id=f"{case[0].__name__}{case[1][-4:]}") for case in REFUSED]
)
def test_an_own_manifest_does_not_make_it_fit(
    tmp_path: Path, damage: Callable[[Path], None], name: str, why: str
) -> None:
    published = write_facade(tmp_path, 3, 2)
    damage(tmp_path / name)
    own = write_manifest(tmp_path, checksums(tmp_path))
    error = failure(tmp_path, published)
    assert error.what.startswith(f"{tmp_path / name} ")
    assert why in error.what
    assert str(own) in error.way_out


def interlaced(path: Path) -> None:
    """Adam7 (PNG, 3rd edition, 8.2): Pillow can read but not write it."""
    with Image.open(path) as picture:
        values, palette = np.asarray(picture), bytes(picture.getpalette() or ())
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    lines = b"".join(b"\0" + row.tobytes() for y, x, down, right in passes for row in values[y::down, x::right])
    tiny.write_png(path, struct.pack(">IIBBBBB", 256, 256, 8, 3, 0, 0, 1), palette, zlib.compress(lines))


def progressive(path: Path) -> None:
    change(path, progressive=True, quality=95)


HARMLESS = [(interlaced, MASK), (progressive, IMAGE), (turned(1), IMAGE), (tiny.one_byte_more, IMAGE)]


@pytest.mark.parametrize(("altered", "name"), HARMLESS)
def test_unusual_but_right_files_are_read_right(tmp_path: Path, altered: Callable[[Path], None], name: str) -> None:
    published = write_facade(tmp_path, 3, 2)
    before = read_facade(tmp_path, manifest=published)[0]
    altered(tmp_path / name)
    write_manifest(tmp_path, checksums(tmp_path))
    train, _ = read_facade(tmp_path, manifest=published)
    assert np.array_equal(train.targets, before.targets)
    with Image.open(tmp_path / IMAGE) as picture:
        assert np.array_equal(train.images[1], np.asarray(picture).transpose(2, 0, 1))
    assert np.array_equal(train.images[::2], before.images[::2])


def test_a_jpeg_with_a_large_tail_is_read_right_up_to_a_limit(tmp_path: Path) -> None:
    published = write_facade(tmp_path, 3, 2)
    path = tmp_path / IMAGE
    with path.open("ab") as file:
        file.write(b"garbage" * 1000)
    write_manifest(tmp_path, checksums(tmp_path))
    read_facade(tmp_path, manifest=published)
    with path.open("r+b") as file:
        file.truncate(10 * 2**30)  # takes no room on the disk
    assert "it has 10,737,418,240 bytes, at most 4,194,304 are expected" in failure(tmp_path, published).what


SWAPS = [
    ("train/eecs442_0000.jpg", "train/eecs442_0001.jpg"),
    ("train/eecs442_0002.jpg", "test_dev/eecs442_0000.jpg"),
    ("train/eecs442_0000.png", "train/eecs442_0001.png"),
    ("train/eecs442_0001.jpg", "train/eecs442_0001.png"),
]


@pytest.mark.parametrize(("one", "other"), SWAPS)
def test_exchanged_files_are_found(tmp_path: Path, one: str, other: str) -> None:
    write_facade(tmp_path, 3, 2)
    tiny.write_mask(tmp_path / MASK, np.tile(np.arange(256) % 4, (256, 1)))
    manifest, folder = checksums(tmp_path), tmp_path / "facade"
    (folder / one).rename(folder / "kept")
    (folder / other).rename(folder / one)
    (folder / "kept").rename(folder / other)
    what = failure(tmp_path, manifest).what
    assert what.startswith((str(folder / one), str(folder / other)))
    assert "1 more of the 10 files are missing or bad" in what


def header_of_20000(path: Path) -> None:
    """A mask of 400 million pixels, all of them there."""
    side = 20_000
    rows = zlib.compressobj(1)
    body = b"".join(rows.compress(bytes(side + 1)) for _ in range(side)) + rows.flush()
    tiny.write_png(path, struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0), bytes(15), body)


def long_rows(path: Path) -> None:
    """A mask of the right size, behind whose rows 400 MB more come out."""
    rows = zlib.compressobj(1)
    body = b"".join(rows.compress(bytes(1_000_000)) for _ in range(400)) + rows.flush()
    tiny.write_png(path, struct.pack(">IIBBBBB", 256, 256, 8, 3, 0, 0, 0), bytes(15), body)


@pytest.mark.parametrize("bomb", [header_of_20000, long_rows])
def test_no_more_is_decoded_than_belongs_there(tmp_path: Path, bomb: Callable[[Path], None]) -> None:
    published = write_facade(tmp_path, 2, 1)
    bomb(tmp_path / MASK)
    write_manifest(tmp_path, checksums(tmp_path))
    code = (
        "import sys, resource; from pathlib import Path; from fashseg.data.facade import Pair, read_facade\n"
        "pairs = [Pair(s, i, '', '') for s, i in (('train', 0), ('train', 1), ('test_dev', 0))]\n"
        "from PIL import Image, JpegImagePlugin, PngImagePlugin\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_facade(Path(sys.argv[1]), manifest=pairs)\n"
        "except Exception as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    *message, grown = done.stdout.splitlines()
    assert int(grown) < 30_000, "KiB"
    if bomb is header_of_20000:
        assert str(tmp_path / MASK) in failure(tmp_path, published).what
        assert len(message) == 2
