"""Which runs share a row, in what order, and what is said about them."""

import statistics
from pathlib import Path
from typing import Any

import pytest
from made_runs import make_run

from fashseg.compare.notes import notes
from fashseg.compare.rows import Group, group_runs
from fashseg.compare.runs import find_runs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grouped(here: Path) -> list[Group]:
    return group_runs(find_runs([str(here)])[0])


def one(here: Path) -> Group:
    (group,) = grouped(here)
    return group


def test_runs_that_differ_by_seed_and_by_what_changes_nothing_are_one_row(here: Path) -> None:
    for seed in range(3):
        changes: dict[str, Any] = {"notes": f"run {seed}", "debug": bool(seed), "callbacks__progress": f"p{seed}"}
        make_run(here / str(seed), seed=seed, skill=0.7 + 0.05 * seed, **changes)
    group = one(here)
    assert group.options == ()
    (row,) = group.rows
    scores = [run.score("test") for run in row.runs]
    assert len(scores) == 3
    assert row.mean("test") == pytest.approx(statistics.fmean(scores))
    assert row.deviation("test") == pytest.approx(statistics.stdev(scores))
    assert row.average("train_seconds") == 101
    assert row.draws == ["seed 0", "seed 1", "seed 2"]


def test_runs_on_other_pictures_of_one_s_own_are_no_seeds_of_each_other(here: Path) -> None:
    for number, (root, test) in enumerate((("/a/dogs", "aa"), ("/b/dogs", "aa"), ("/a/cats", "cc"), ("/a/cats", "cc"))):
        images = {"train": 90 - number, "val": 10 + number, "test": 9}
        results = {"data": "image_folder", "images": images}
        make_run(here / str(number), seed=number % 2, fingerprint=test, results=results, data__root=root)
    group = one(here)
    assert group.options == ("images",)
    assert {row.options["images"]: row.draws for row in group.rows} == {
        "dogs": ["seed 0", "seed 1"],  # elsewhere, but the same images
        "cats": ["seed 0", "seed 1"],
    }
    assert any("not tested on the same images" in said for said in notes(group))
    results = {"data": "image_folder", "images": {"train": 900, "val": 100, "test": 9}}
    make_run(here / "more", fingerprint="aa", results=results, data__root="/a/dogs")
    assert {row.options["images"] for row in one(here).rows} == {
        "dogs (aa, 100 images)",
        "dogs (aa, 1,000 images)",
        "cats",
    }


def test_rows_are_sorted_by_validation_and_show_the_options_that_differ(here: Path) -> None:
    for number, (rate, skill) in enumerate(((0.1, 0.5), (0.001, 0.9), (0.01, 0.7))):
        make_run(here / str(number), skill=skill, optimizer__lr=rate)
    group = one(here)
    assert group.options == ("optimizer.lr",)
    assert [row.options for row in group.rows] == [{"optimizer.lr": rate} for rate in (0.001, 0.01, 0.1)]
    assert [row.deviation("val") for row in group.rows] == [None] * 3
    assert list(group.labels().values()) == ["lr=0.001", "lr=0.01", "lr=0.1"]


@pytest.mark.parametrize(
    ("option", "default", "other"), [("augment.mixup", 0.0, 0.2), ("callbacks.ema.decay", None, 0.9)]
)
def test_a_run_from_before_an_option_is_one_without_it(here: Path, option: str, default: Any, other: Any) -> None:
    key = option.replace(".", "__")
    for seed, (folder, changes) in enumerate({"old": {}, "same": {key: default}, "other": {key: other}}.items()):
        make_run(here / folder, seed=seed, augment__name="flip", augment__probability=0.5, **changes)
    group = one(here)
    assert group.options == (option,)
    assert sorted(len(row.runs) for row in group.rows) == [1, 2]


def test_options_that_only_some_runs_have_do_not_make_a_column(here: Path) -> None:
    make_run(here / "adam")
    sgd = make_run(here / "sgd", optimizer__name="sgd", optimizer__momentum=0.9)
    text = (sgd / "config.yaml").read_text(encoding="utf-8")
    (sgd / "config.yaml").write_text(text.replace("  beta1: 0.9\n", ""), encoding="utf-8")
    group = one(here)
    assert group.options == ("optimizer.name",)
    assert sorted(group.labels().values()) == ["optimizer=adam", "optimizer=sgd"]


def test_what_was_chosen_is_shown_where_only_one_run_has_the_option(here: Path) -> None:
    make_run(here / "plain", augment__name="none")
    make_run(here / "mixed", augment__name="flip", augment__mixup=1)
    make_run(here / "timm", augment__name="none", model={"name": "timm", "options": {"drop_rate": 0.1}})
    make_run(here / "focal", augment__name="none", loss={"name": "focal", "gamma": 5.0})
    group = one(here)
    assert set(group.options) == {
        *("model.name", "augment.name", "loss.name"),
        *("augment.mixup", "model.architecture", "model.options.drop_rate", "loss.gamma"),
    }, "architecture is shown at its default, and no other option of flip, timm and focal"
    labels = {row.runs[0].folder.path.name: group.row_label(row) for row in group.rows}
    assert "mixup=1" in labels["mixed"]
    assert "gamma" not in labels["mixed"]
    assert "architecture=resnet18" in labels["timm"]
    assert "gamma=5" in labels["focal"]


def test_numbers_are_equal_as_numbers_and_true_is_none(here: Path) -> None:
    make_run(here / "0", epochs=1, eval_share=1)
    make_run(here / "1", epochs=1.0, eval_share=True)
    assert one(here).options == ("eval_share",)


def test_a_split_seed_that_follows_the_seed_is_no_option_and_one_that_was_chosen_is(here: Path) -> None:
    for seed in (0, 1):
        make_run(here / f"follows{seed}", seed=seed)
        words = [f"seed={seed}", "data.split_seed=0"]
        make_run(here / f"fixed{seed}", seed=seed, data__split_seed=0, results={"overrides": words})
    group = one(here)
    assert group.options == ("data.split_seed",)
    assert sorted(len(row.runs) for row in group.rows) == [2, 2]
    assert {row.options["data.split_seed"] for row in group.rows} == {"the seed", 0}
    assert len(set(group.labels().values())) == 4


def test_a_fixed_split_seed_keeps_seeds_in_one_row(here: Path) -> None:
    for seed in (0, 1, 2):
        make_run(here / str(seed), seed=seed, data__split_seed=1)
    assert one(here).options == ()


def test_precision_counts_as_what_it_came_to(here: Path) -> None:
    make_run(here / "0")
    make_run(here / "1", results={"precision": "bf16"})
    assert one(here).options == ("trainer.precision",)


def test_tasks_and_data_sets_have_tables_of_their_own_and_only_of_finished_runs(here: Path) -> None:
    make_run(here / "0")
    make_run(here / "1", task="segmentation")
    make_run(here / "2", results={"data": "synthetic_fashion", "synthetic": True})
    for status in ("running", "interrupted", "failed"):
        make_run(here / status, results={"status": status})
    groups = grouped(here)
    assert [(group.task, group.data, len(group.runs)) for group in groups] == [
        ("classification", "fashion_mnist", 1),
        ("segmentation", "facade", 1),
        ("classification", "synthetic_fashion", 1),
    ]
    assert "synthetic" in groups[2].title


def test_a_run_without_its_configuration_is_in_no_mean(here: Path) -> None:
    for number in range(4):
        folder = make_run(here / str(number), seed=number)
        if number > 1:
            (folder / "config.yaml").unlink()
    group = one(here)
    assert sorted(len(row.runs) for row in group.rows) == [1, 1, 2]
    assert any("Without a config.yaml" in line and "2 and 3" in line for line in notes(group))
    assert len(set(group.labels().values())) == 4


def test_labels_tell_runs_apart_even_where_options_and_seeds_do_not(here: Path) -> None:
    for name in ("a", "b"):
        make_run(here / "x" / name)
    group = one(here)
    assert list(group.labels().values()) == ["(a)", "(b)"]
    assert group.folder == "x"
    assert any("same seed more than once" in line for line in notes(group))


def said(group: Group) -> str:
    return " ".join(notes(group))


def test_other_ways_of_holding_out_are_said(here: Path) -> None:
    make_run(here / "0", data__split="random")
    make_run(here / "1", data__split="building", results={"split": "building"})
    assert "building and random" in said(one(here))
    assert "not comparable" in said(one(here))


def test_other_validation_images_are_said_by_fingerprint_or_by_option(here: Path) -> None:
    for seed in (0, 1):
        make_run(here / "a" / str(seed), seed=seed)
        make_run(here / "b" / str(seed), seed=seed, optimizer__lr=0.1)
    text = said(one(here))
    assert "not validated on the same images" not in text, "both rows have the same seeds"
    assert "change with the seed" in text
    make_run(here / "b" / "2", seed=2, optimizer__lr=0.1)
    assert "not validated on the same images" in said(one(here))


def test_without_fingerprints_the_options_tell(here: Path) -> None:
    make_run(here / "0", results={"fingerprints": None}, optimizer__lr=0.1)
    make_run(here / "1", optimizer__lr=0.2)
    assert "images" not in said(one(here))
    make_run(here / "2", optimizer__lr=0.3, data__val_share=0.3)
    assert "not validated on the same images" in said(one(here))


def test_other_test_images_versions_and_few_batches_are_said(here: Path) -> None:
    make_run(here / "0")
    make_run(
        here / "1",
        fingerprint="other",
        trainer__limit_batches=2,
        results={"limited": True, "versions": {"fashseg": "0.2.0"}},
    )
    text = said(one(here))
    for part in ("not tested on the same images", "few batches", "versions of fashseg: 0.1.0 and 0.2.0", "no ±"):
        assert part in text
