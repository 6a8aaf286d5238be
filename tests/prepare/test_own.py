"""``prepare`` on data of one's own: the account as a command."""

from pathlib import Path

from conftest import Command, assert_two_lines
from data.own_folders import write_classes, write_masks


def test_the_account_as_a_command(run: Command, tmp_path: Path) -> None:
    root = write_classes(tmp_path / "c", each=6)
    outcome = run("prepare", "data=image_folder", f"data.root={root}")
    assert outcome.status == 0, outcome.err
    assert outcome.out.endswith("all of it can be trained on\n")
    assert_two_lines(run("prepare", "data=image_folder"), "data.root is missing")


def test_what_can_not_be_trained_on_is_exit_status_2(run: Command, tmp_path: Path) -> None:
    root = write_masks(tmp_path / "m", 8, 3)
    (root / "images" / "photo_004.jpg").write_text("no picture")
    outcome = run("prepare", "data=mask_folder", f"data.root={root}")
    assert_two_lines(outcome, "1 file can't be used", "photo_004.jpg")
    assert "can't be used: 1\n  images/photo_004.jpg is no picture" in outcome.out
