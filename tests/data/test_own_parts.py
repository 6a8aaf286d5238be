"""Which of one's own images train, validate and test."""

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fashseg.config import ImageFolder, MaskFolder
from fashseg.data.folders.items import Item
from fashseg.data.folders.parts import Parts, hold_out, validation
from fashseg.errors import UserError


def options(**values: object) -> MaskFolder:
    return MaskFolder(name="mask_folder", root="r", **values)  # type: ignore[arg-type]


def items(count: int, groups: int = 4) -> list[Item]:
    return [Item(f"images/house{i % groups}/photo_{i:02d}.jpg", "") for i in range(count)]


def sides(parts: Parts, chosen: MaskFolder) -> dict[str, list[str]]:
    train, val = validation(parts, chosen)
    return {
        "train": [parts.train[i].name for i in train],
        "val": [parts.train[i].name for i in val],
        "test": [item.name for item in parts.test],
    }


@settings(max_examples=150, deadline=None)
@given(
    groups=st.lists(st.integers(0, 7), min_size=6, max_size=40).filter(lambda g: len(set(g)) >= 3),
    test_share=st.floats(0.05, 0.6),
    val_share=st.floats(0.05, 0.6),
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    held=st.booleans(),
)
def test_a_group_is_never_on_two_sides(
    groups: list[int], test_share: float, val_share: float, seeds: tuple[int, int], held: bool
) -> None:
    chosen = options(
        split="group", group=1, test_share=test_share, val_share=val_share, test_seed=seeds[0], split_seed=seeds[1]
    )
    most = max(groups)
    everything = [Item(f"g{g}/{i}.png", "", "test" if held and g == most else "") for i, g in enumerate(groups)]
    try:
        found = sides(hold_out(Path("r"), everything, chosen), chosen)
    except UserError as error:
        assume("both need at least one" not in error.what and "one single group" not in error.what)
        raise
    folders = {side: {name.partition("/")[0] for name in names} for side, names in found.items()}
    assert all(found.values())
    assert sorted(chain(*found.values())) == sorted(item.name for item in everything)
    assert sum(map(len, folders.values())) == len(set(groups))


def test_another_seed_of_the_run_leaves_the_test_as_it_is() -> None:
    tests = {
        tuple(sides(hold_out(Path("r"), items(40), chosen), chosen)["test"])
        for chosen in (options(split_seed=seed, val_share=0.2) for seed in range(5))
    }
    assert len(tests) == 1
    assert len(next(iter(tests))) == 6
    one, other = (sides(hold_out(Path("r"), items(40), o), o) for o in (options(), options(split_seed=1)))
    assert one["val"] != other["val"]
    again = options(test_seed=1)
    assert sides(hold_out(Path("r"), items(40), again), again)["test"] != one["test"]


def test_lists_name_paths_file_names_or_stems(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("photo_03\n\n  images/house0/photo_04.jpg  \n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("photo_09.jpg\r\n./images/house3/photo_11\r\n", encoding="utf-8")
    chosen = options(val_list="val.txt", test_list=str(tmp_path / "test.txt"))
    found = sides(hold_out(tmp_path, items(12), chosen), chosen)
    assert [name[-6:-4] for name in found["val"]] == ["03", "04"]
    assert [name[-6:-4] for name in found["test"]] == ["09", "11"]
    assert len(found["train"]) == 8


def test_a_list_of_validation_images_alone_leaves_the_test_to_be_drawn(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("photo_03\nphoto_04", encoding="utf-8")
    chosen = options(val_list="val.txt", test_share=0.3)
    found = sides(hold_out(tmp_path, items(12), chosen), chosen)
    assert [name[-6:-4] for name in found["val"]] == ["03", "04"]
    assert len(found["test"]) == 3


@pytest.mark.parametrize(
    ("values", "text", "part"),
    [
        ({"val_list": "l.txt"}, "photo_99\nphoto_98", "names photo_99 and 1 more, which is no image"),
        ({"val_list": "l.txt"}, "", "names no image"),
        ({"val_list": "no.txt"}, "", "no.txt is no file"),
        ({"val_list": "l.txt", "test_list": "l.txt"}, "photo_01", "photo_01.jpg is both in data.val_list and in"),
        ({"val_list": "l.txt"}, "same", "which may be images/a/same.jpg and images/b/same.jpg"),
        ({"val_list": "l.txt"}, "\n".join(f"photo_{i:02d}" for i in range(12)), "leaves no image for training"),
        ({"split": "group"}, "", "has no group"),
        ({"split": "group", "group": "("}, "", "no regular expression"),
        ({"split": "group", "group": "room(.)"}, "", "finds nothing in images/house0/photo_00.jpg"),
        ({"split": "group", "group": 1}, "", "all images are of 1 group (images)"),
        ({"split": "group", "group": 3}, "", "lies in 2 folders below data.root"),
        (
            {"split": "group", "group": 2, "val_list": "l.txt"},
            "photo_01",
            "has images both in training and in validation",
        ),
    ],
)
def test_bad_lists_and_groups_are_refused(tmp_path: Path, values: dict[str, object], text: str, part: str) -> None:
    (tmp_path / "l.txt").write_text(text, encoding="utf-8")
    everything = items(12)
    if text == "same":
        everything += [Item("images/a/same.jpg", ""), Item("images/b/same.jpg", "")]
    if "leaves no" in part:
        everything = [*everything, Item("images/t/t.jpg", "", "test")]
    with pytest.raises(UserError) as caught:
        hold_out(tmp_path, everything, options(**values))
    assert part in str(caught.value)


def test_the_first_parenthesis_of_an_expression_is_the_group() -> None:
    for rule, wanted in (
        (r"house(\d)", "2"),
        ("house.", "house2"),
        (r"^[^/]+/([^/]+)/", "house2"),
        (2, "house2"),
    ):
        chosen = ImageFolder(name="image_folder", root="r", group=rule)
        parts = hold_out(Path("r"), items(12), chosen)
        assert {item.group for item in parts.train if "house2" in item.name} == {wanted}
