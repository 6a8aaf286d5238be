"""docs/results/ablations: what is kept of variants of a recipe, and the table of them."""

import statistics
from pathlib import Path

import pytest
from finished_run import FINGERPRINTS, make_run, scores

from bench.results.ablations import ablations, difference
from bench.results.keeping import Wish, keep
from bench.results.kept import Kept, read_ablations, read_presets
from fashseg.errors import UserError


def test_variants_are_kept_without_test_scores_and_paired_by_fold_and_seed(tmp_path: Path) -> None:
    def one(variant: str, fold: int, val: float, *words: str) -> None:
        run = make_run(
            tmp_path / f"{variant}{fold}", "epochs=40", f"data.fold={fold}", "data.folds=3", *words, val=val, fold=fold
        )
        keep(run, Wish("facade_small", variant), tmp_path)

    for fold, (recipe, without) in enumerate([(0.70, 0.68), (0.60, 0.57), (0.80, 0.79)]):
        one("preset", fold, recipe)
        one("no_dropout", fold, without, "model.dropout=0")
    variants = read_ablations("facade_small", tmp_path)
    assert set(variants) == {"preset", "no_dropout"}
    for runs in variants.values():
        assert all("test" not in run.results for run in runs)
    text = ablations("facade_small", variants, ())
    recipe = "| `facade_small` | `epochs=40` | 3 folds | 0.700 ± 0.100 |  | 0.680 | 0.690 | 0.700 | 0.710 | 0.720 |"
    assert recipe in text
    assert "| no dropout | `model.dropout=0` | 3 folds | 0.680 ± 0.110 | -0.020 ± 0.010 |" in text
    keep(tmp_path / "no_dropout2", Wish("facade_small", "no_dropout"), tmp_path)  # once more
    variants["no_dropout"][1].results["against"] = ["it used few batches"]
    assert ablations("facade_small", variants, ()) == f"{text}\n\n- no dropout, fold 1, seed 0: it used few batches."
    variants["no_dropout"][1].results.update(against=[], resumed=1, versions={"torch": "2.11.0"})
    assert ablations("facade_small", variants, ()) == (
        f"{text}\n\n- no dropout, fold 1, seed 0: gone on with by `resume=`.\n"
        "- PyTorch 2.11.0 and 2.15.0: no dropout; PyTorch 2.15.0: `facade_small`."
    )


def test_variants_of_another_length_stand_beside_the_recipe_of_that_length(tmp_path: Path) -> None:
    made = {
        "preset": (0.70, "epochs=4"),
        "shorter": (0.60, "epochs=2"),
        "longer": (0.80,),
        "shorter_dry": (0.61, "epochs=2", "model.dropout=0"),
        "dry": (0.73, "epochs=4", "model.dropout=0"),
        "longer_dry": (0.75, "model.dropout=0"),
        "longest_dry": (0.76, "epochs=99", "model.dropout=0"),
    }
    for name, (val, *words) in made.items():
        keep(make_run(tmp_path / name, *map(str, words), val=val), Wish("facade_small", name), tmp_path)
    rows = ablations("facade_small", read_ablations("facade_small", tmp_path), ()).splitlines()[2:]
    assert [tuple(cell.strip() for cell in row.split("|")[1:6] if "seed" not in cell) for row in rows] == [
        ("`facade_small`", "`epochs=4`", "0.700", ""),
        ("longer", "`epochs=60`", "0.800", "+0.100"),
        ("longest dry", "`model.dropout=0 epochs=99`", "0.760", "+0.060"),
        ("longer dry", "`model.dropout=0 epochs=60`", "0.750", "-0.050 to longer"),
        ("dry", "`model.dropout=0`", "0.730", "+0.030"),
        ("shorter dry", "`model.dropout=0 epochs=2`", "0.610", "+0.010 to shorter"),
        ("shorter", "`epochs=2`", "0.600", "-0.100"),
    ]


def test_whole_runs_stand_beside_those_of_the_tables_where_they_validate_on_the_same_images(tmp_path: Path) -> None:
    """And runs of folds beside the recipe by folds."""

    def one(name: str, val: float, *words: str, variant: str | None = None, seed: int = 0, on: str = "one") -> None:
        fold = 0 if "data.fold=0" in words else None
        run = make_run(tmp_path / name, *words, val=val, seed=seed, fold=fold, fingerprints={**FINGERPRINTS, "val": on})
        keep(run, Wish("facade_small", variant), tmp_path)

    folds = ("data.fold=0", "data.folds=3")
    one("recipe", 0.6, *folds, variant="preset")
    one("fold_dry", 0.58, *folds, "model.dropout=0", variant="fold_dry")
    for seed, (val, on) in enumerate([(0.80, "one"), (0.70, "other")]):
        one(f"run{seed}", val, seed=seed, on=on)
        one(f"dry{seed}", 0.81, "model.dropout=0", variant="dry", seed=seed)
    text = ablations("facade_small", read_ablations("facade_small", tmp_path), read_presets(tmp_path)["facade_small"])
    assert "| `facade_small` |  | 1 fold | 0.600 |  |" in text
    assert "| `facade_small`, the runs above |  | 2 seeds | 0.750 ± 0.071 |  |" in text
    assert "| dry | `model.dropout=0` | 2 seeds | 0.810 ± 0.000 | +0.010 to those |" in text
    assert "| fold dry | `model.dropout=0` | 1 fold | 0.580 | -0.020 |" in text


def test_runs_of_a_variant_have_the_same_options_or_the_page_tells_it(tmp_path: Path) -> None:
    first, second = (
        make_run(tmp_path / str(seed), "augment=flip", f"model.dropout={dropout}", "model.widths=[8,16]", seed=seed)
        for seed, dropout in enumerate((0, 0.5))
    )
    keep(first, Wish("facade_small", "flip"), tmp_path)
    told = "it is run with model.dropout=0.5, and seed 0 of its variant with model.dropout=0"
    with pytest.raises(UserError, match=f"is not kept: {told}"):
        keep(second, Wish("facade_small", "flip"), tmp_path)
    keep(second, Wish("facade_small", "flip", anyway=True), tmp_path)
    text = ablations("facade_small", read_ablations("facade_small", tmp_path), ())
    assert "| flip | `model.widths=[8,16] augment=flip` | 2 seeds |" in text
    assert text.endswith(f"\n\n- flip, seed 1: {told}.")


def test_without_pairs_a_difference_has_no_spread() -> None:
    def runs(seeds: list[int], vals: list[float]) -> list[Kept]:
        made = zip(seeds, vals, strict=True)
        return [Kept("x", None, seed, {"task": "segmentation", "val": scores(val)}) for seed, val in made]

    assert difference(runs([3, 4], [0.5, 0.6]), runs([0, 1], [0.4, 0.5])) == (pytest.approx(0.1), None)
    mean, spread = difference(runs([0, 1, 2], [0.5, 0.7, 0.9]), runs([0, 1], [0.4, 0.5])) or (0, 0)
    assert mean == pytest.approx(0.15)
    assert spread == pytest.approx(statistics.stdev([0.1, 0.2]))
