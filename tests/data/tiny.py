"""Tiny data sets in the layout of the real ones, and ways to damage them."""

import gzip
import hashlib
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashseg.data.facade import Pair
from fashseg.data.fashion_mnist import FILES
from fashseg.data.info import UInt8Array


def real_data(folder: str) -> pytest.MarkDecorator:
    """Skips a test where the real data is not at hand, and says so."""
    root = os.environ.get("FASHSEG_DATA")
    reason = f"$FASHSEG_DATA/{folder} is not there" if root else "FASHSEG_DATA is not set: the real data is not read"
    return pytest.mark.skipif(not root or not Path(root, folder).is_dir(), reason=reason)


def real_root() -> Path:
    return Path(os.environ["FASHSEG_DATA"])


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, to see that nothing was left behind or overwritten."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def idx(values: UInt8Array) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def fashion_files(n_train: int = 20, n_test: int = 10) -> dict[str, bytes]:
    """The four files of Fashion-MNIST by name, with few images of noise."""
    rng = np.random.default_rng(0)
    arrays = [
        array
        for n in (n_train, n_test)
        for array in (rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8))
    ]
    return {name: gzip.compress(idx(array), mtime=0) for name, array in zip(FILES, arrays, strict=True)}


def write_facade(root: Path, n_train: int = 6, n_test: int = 2) -> list[Pair]:
    """A set of facade pairs below ``root/facade``, images of noise and masks of all five classes."""
    for split, n in (("train", n_train), ("test_dev", n_test)):
        folder = root / "facade" / split
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(n):
            stem = folder / f"eecs442_{index:04d}"
            noise = np.random.default_rng(index).integers(0, 30, (256, 256, 3), np.uint8)
            Image.fromarray(noise + np.uint8(5 * index)).save(stem.with_suffix(".jpg"))
            write_mask(stem.with_suffix(".png"), np.tile(np.arange(256) % 5, (256, 1)))
    return checksums(root)


def write_mask(path: Path, values: np.ndarray) -> None:
    mask = Image.fromarray(values.astype(np.uint8), "L")
    mask.putpalette([0, 0, 0, 0, 128, 255, 128, 255, 128, 255, 128, 0, 255, 0, 0])
    mask.save(path)


def checksums(root: Path) -> list[Pair]:
    """What a manifest of the files below ``root/facade`` says."""

    def sha(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]

    images = sorted((root / "facade").glob("*/*.jpg"))
    return [Pair(p.parent.name, int(p.stem[-4:]), sha(p), sha(p.with_suffix(".png"))) for p in images]


# Ways to damage one file of a facade pair.


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_byte_more(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def text(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def wrong_size(path: Path) -> None:
    with Image.open(path) as picture:
        picture.resize((300, 200)).save(path)


def wrong_mode(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("L").save(path)


def rgba(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("RGBA").save(path, "PNG")


def cmyk(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("CMYK").save(path, "JPEG")


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.full((256, 256), 1000, np.uint16)).save(path, "PNG")


def palette_with_another_name(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("P").save(path, "PNG")


def turned(path: Path) -> None:
    """As a telephone does that was held upright: the pixels lie, and a tag says so."""
    with Image.open(path) as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(path, exif=exif)


def animated(path: Path) -> None:
    with Image.open(path) as picture:
        second = picture.copy()
        second.putpixel((0, 0), 1)
        picture.save(path, "PNG", save_all=True, append_images=[second])


def huge(path: Path) -> None:
    """A picture that Pillow warns about."""
    write_png_header(path, 10_000)


def enormous(path: Path) -> None:
    """A picture that Pillow refuses."""
    write_png_header(path, 20_000)


def write_png_header(path: Path, side: int) -> None:
    write_png(path, struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0), bytes(15), zlib.compress(b""))


def write_png(path: Path, header: bytes, palette: bytes, body: bytes) -> None:
    """A PNG file of these contents of its chunks."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    parts = [chunk(b"IHDR", header), chunk(b"PLTE", palette), chunk(b"IDAT", body), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def saved_again(path: Path) -> None:
    with Image.open(path) as picture:
        picture.copy().save(path, comment=b"saved again")


def value_7(path: Path) -> None:
    values = np.zeros((256, 256))
    values[20, 30] = 7
    write_mask(path, values)
