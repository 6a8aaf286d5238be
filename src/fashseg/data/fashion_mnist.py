"""Fashion-MNIST: 60,000 + 10,000 grey images of garments, from its four original files.

Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
2017, https://github.com/zalandoresearch/fashion-mnist, MIT licence.
"""

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fashseg.data.info import Arrays, UInt8Array
from fashseg.data.reading import dead_link, read_at_most
from fashseg.errors import UserError

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

MEAN = (0.2860 * 255,)
"""Of all pixels of the training set, on the scale of 0 to 255."""
STD = (0.3530 * 255,)
"""Of all pixels of the training set, on the scale of 0 to 255."""

FOLDER = Path("FashionMNIST", "raw")
"""Where the files are, below the data root."""

FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""MD5 by file name; those of the files as corrected on 31 August 2017."""

MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)

_SIDE = 28
_MOST_BYTES = 2**26  # the largest has 26,421,880
_IDX_UINT8 = 0x08


def read_fashion_mnist(
    root: Path, mirrors: Sequence[str] = MIRRORS, download: bool = True, files: Mapping[str, str] = FILES
) -> tuple[Arrays, Arrays]:
    """Read and verify the data set; fetch the files that are not there.

    Args:
        root: the data root; the files are in ``FashionMNIST/raw`` below it.
        mirrors: where missing files are fetched from, in this order.
        download: False never uses the network.
        files: MD5 by name of training images, training labels, test images and test labels, in this order.

    Returns:
        Training and test set: images (N, 1, 28, 28) of 0 to 255 and labels (N,) of 0 to 9, both uint8 and writable;
        N is 60,000 and 10,000.

    Raises:
        UserError: a file is missing and cannot be fetched, or is not the published one. Such a file is left as it is.
    """
    folder = root.absolute() / FOLDER
    # What is there comes first: a damaged file is reported before anything is downloaded.
    contents = {name: _read_verified(folder / name, md5) for name, md5 in files.items()}
    missing = [name for name, content in contents.items() if content is None]
    if missing and not download:
        raise _missing(folder, missing, "downloading is switched off")
    if missing:
        from fashseg.data.download import DownloadError, fetch
    for name in missing:
        try:
            contents[name] = _read_verified(fetch(name, folder, files[name], mirrors), files[name])
        except DownloadError as error:
            lacking = [n for n in missing if contents[n] is None]
            raise _missing(folder, lacking, f"downloading failed: {'; '.join(error.reasons)}") from error
    train_images, train_labels, test_images, test_labels = files
    return (
        _arrays(folder, contents, train_images, train_labels),
        _arrays(folder, contents, test_images, test_labels),
    )


def parse_idx(data: bytes, dimensions: int) -> UInt8Array:
    """Parse an uncompressed IDX file of unsigned bytes.

    Format: two zero bytes, the type, the number of dimensions, each dimension as a big-endian 32-bit integer, values
    (http://yann.lecun.com/exdb/mnist).

    Returns:
        A writable array of the shape the file gives.

    Raises:
        ValueError: type, number of dimensions or length is not what it must be.
    """
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise ValueError(f"it has {len(data)} bytes, too few for a header of {start}")
    magic = bytes((0, 0, _IDX_UINT8, dimensions))
    if data[:4] != magic:
        raise ValueError(f"it starts with {data[:4].hex()} where an IDX file of this kind starts with {magic.hex()}")
    shape: tuple[int, ...] = struct.unpack(f">{dimensions}I", data[4:start])
    values = np.frombuffer(data, dtype=np.uint8, offset=start)
    if values.size != math.prod(shape):
        raise ValueError(f"it has {values.size:,} values where its header says {' x '.join(map(str, shape))}")
    # frombuffer gives a read-only view, which torch.from_numpy warns about.
    return values.reshape(shape).copy()


def _read_verified(path: Path, md5: str) -> bytes | None:
    """The file's bytes if they are the expected ones, None if there is no file."""
    try:
        data = read_at_most(path, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}.",
            "Make it a file that you may read, or delete it: then it is downloaded again.",
        ) from error
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != md5.lower():
        raise UserError(
            f"{path} is not the published file: it has {len(data):,} bytes and MD5 {found}, expected is MD5 {md5}.",
            "Delete it: then it is downloaded again. (It may be incomplete, or of before 31 August 2017, when test "
            "images were among the training images.)",
        )
    return data


def _arrays(folder: Path, contents: Mapping[str, bytes | None], images_name: str, labels_name: str) -> Arrays:
    images = _decode(folder / images_name, contents[images_name], dimensions=3)
    labels = _decode(folder / labels_name, contents[labels_name], dimensions=1)
    way_out = f"Delete both files: then they are downloaded again from {MIRRORS[0]} or a mirror of it."
    if images.shape[1:] != (_SIDE, _SIDE):
        height, width = images.shape[1:]
        raise UserError(f"{folder / images_name} holds images of {height}x{width}, expected is 28x28.", way_out)
    if len(images) != len(labels):
        raise UserError(
            f"{folder / labels_name} holds {len(labels):,} labels for the {len(images):,} images of {images_name}.",
            way_out,
        )
    if labels.size and labels.max() >= len(CLASS_NAMES):
        raise UserError(f"{folder / labels_name} holds the label {labels.max()}, expected are 0 to 9.", way_out)
    return Arrays(images[:, None], labels)


def _decode(path: Path, data: bytes | None, dimensions: int) -> UInt8Array:
    try:
        return parse_idx(gzip.decompress(data or b""), dimensions)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(
            f"{path} has the expected MD5 but cannot be decoded ({error}).",
            "Give the MD5 of a gzip-compressed IDX file.",
        ) from error


def _missing(folder: Path, names: Sequence[str], why: str) -> UserError:
    return UserError(
        f"Fashion-MNIST: {folder} lacks {', '.join(names)}, and {why}{dead_link(folder)}.",
        "Put the original files there (https://github.com/zalandoresearch/fashion-mnist has them in data/fashion), or "
        "set data.root or $FASHSEG_DATA to the folder that holds FashionMNIST/raw; data=synthetic_fashion needs no "
        "files.",
    )
