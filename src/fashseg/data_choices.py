"""The options of each data set. Imports neither torch nor Hydra."""

from dataclasses import dataclass

from fashseg.declaring import option

FOLD_SEED = 0
"""Of the folds of a cross-validation where ``data.split_seed`` is not given: another seed of the run shares them."""


@dataclass
class Data:
    """What every data set has."""

    name: str = option("", "registered name of the data set")
    root: str = option("data", "folder that holds the data sets; the default is $FASHSEG_DATA, else ./data")
    split: str = option("random", "how validation images are held out", choices=("random",))
    val_share: float = option(0.1, "share of the training images that is held out for validation", gt=0, lt=1)
    split_seed: int = option(0, "seed of the split; by default the run's seed, of folds 0", ge=0)
    fold: int | None = option(
        None, "fold of a cross-validation that validates, from 0 on, in place of data.val_share; null: none", ge=0
    )
    folds: int = option(5, "number of folds of a cross-validation", ge=2, le=1000)
    resident: bool | str = option(
        "auto",
        "true: on the GPU or in memory; false: on disk; auto: where it takes at most half of what is free",
        choices=("auto",),
    )
    workers: int | None = option(
        None, "threads that read ahead what stays on disk; 0 reads as one goes, null is one a core, at most four", ge=0
    )


@dataclass
class FashionMNIST(Data):
    """60,000 + 10,000 grey garments of 28×28 pixels in ten classes."""

    download: bool = option(True, "fetch files that are missing; each is verified by MD5")
    mirrors: list[str] = option([], "addresses to try before the built-in ones, each ending in a slash")


@dataclass
class Facade(Data):
    """906 + 114 building fronts of 256×256 pixels with five classes a pixel."""

    split: str = option(
        "building",
        "building: no building on both sides; published: first 800 train, the others validate; random: by image",
        choices=("building", "published", "random"),
    )
    partial: bool = option(False, "use a set that was built of some of the buildings; its scores compare with no other")


@dataclass
class CMPFacade(Data):
    """302 photographs of building fronts to train on, the 114 test images of the facades."""

    split: str = option(
        "building", "by building: what validates shows no building that is trained on", choices=("building",)
    )
    classes: int = option(5, "5: those of the facades; 12: those of the CMP Facade Database", choices=(5, 12))
    partial: bool = option(False, "use the buildings that are there; the scores compare with no other")


@dataclass
class Synthetic(Data):
    """A data set that is drawn by code: nothing is read from disk."""

    train_images: int = option(1000, "images drawn for training and validation together", ge=2)
    test_images: int = option(200, "images drawn for the test", ge=1)
    draw_seed: int = option(0, "seed of the drawing", ge=0)


@dataclass
class OwnData(Data):
    """Pictures of one's own, in folders or listed in a table."""

    root: str = option("", "folder of the pictures; nothing above it is read")
    split: str = option(
        "random",
        "how images are drawn where the folder does not say it; random: one by one, group: no group on two sides",
        choices=("random", "group"),
    )
    test_share: float = option(
        0.15, "share of all images that is held out for the test, where none are given", gt=0, lt=1
    )
    test_seed: int = option(0, "seed of that draw; it does not follow the run's seed, so that the test stays", ge=0)
    val_list: str | None = option(None, "text file with the validation images, a path or stem a line; below data.root")
    test_list: str | None = option(None, "text file with the test images, likewise")
    group: str | int | None = option(
        None,
        "group of an image by its path below data.root: a regular expression, whose first parenthesis counts, or a "
        "number, 1 for the first folder",
    )
    csv: str | None = option(None, "table of the images in place of folders; below data.root")
    path_column: str = option("path", "column with the path of an image below data.root")
    split_column: str = option("split", "column with train, val or test, if there is one")
    group_column: str = option("group", "column with the group of an image, if there is one")
    size: str | int | None = option(
        None, "side in pixels, or WIDTHxHEIGHT; null: that of the images where they are alike, else a default"
    )
    channels: int | None = option(
        None, "1 for grey, 3 for colour; null: 1 where all images are grey, else 3", ge=1, le=3
    )
    fit: str = option(
        "stretch",
        "how a picture becomes an image; stretch: whatever its sides; cover: its middle; contain: with a border",
        choices=("stretch", "cover", "contain"),
    )
    class_names: list[str] = option([], "names of the classes in the order of their values; empty: found")


@dataclass
class ImageFolder(OwnData):
    """A folder of pictures a class, or a table of path and label."""

    label_column: str = option("label", "column with the class of an image")


@dataclass
class MaskFolder(OwnData):
    """Pictures and their masks, which have the same names."""

    images: str = option("images", "folder of the pictures, below data.root or its folders train, val and test")
    masks: str = option("masks", "folder of the masks, in the same place")
    mask_suffix: str = option("", "what the name of a mask has behind that of its image, such as _mask")
    mask_column: str = option("mask", "column with the path of the mask, where a table is given")
    colors: list[str] = option(
        [], "entries 'NAME #RRGGBB' in the order of the values; __ignore__ is what does not count"
    )
    read_masks: str = option(
        "auto",
        "what says a pixel's class; auto: values of palette and grey masks, colours of others and where they are given",
        choices=("auto", "values", "colors"),
    )
    ignore: int | None = option(
        None, "value of the pixels that count for nothing, such as 255; null: all count", ge=0, le=255
    )


@dataclass
class Streaming(Data):
    """A data set that `fashseg.prepare` has written in chunks, in a folder or in object storage."""

    split: str = option("written", "validation images were held out when the chunks were written", choices=("written",))
    resident: bool | str = option(
        False,
        "false: read while it is used; true: all of it first, on the GPU or in memory; auto: that where it takes at "
        "most half of what is free",
        choices=("auto",),
    )
    url: str = option("", "folder of the data set, or its address: s3://BUCKET/NAME, gs://..., local:FOLDER")
    endpoint: str | None = option(None, "address of an S3-compatible server; null: that of the AWS settings")
    cache_gb: float = option(10.0, "room for downloaded chunks in the user's cache folder, in GB", gt=0)
    shuffle: str = option(
        "auto",
        "order of training; full: as of data in memory; chunks: chunks, and images among some of them; auto: chunks "
        "where the data set was written in random order",
        choices=("auto", "full", "chunks"),
    )
    window: int = option(16, "chunks whose images are shuffled together, with data.shuffle=chunks", ge=1, le=4096)
