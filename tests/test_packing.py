"""Weights in fewer bytes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fashseg.packing import Numbers, packed, unpacked


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=6, max_size=60),
    st.sampled_from(["float32", "float16", "int8"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_packed_comes_back_as_close_as_it_says(values: list[float], numbers: Numbers) -> None:
    matrix = torch.tensor(values[: len(values) // 6 * 6]).reshape(-1, 3, 2)
    weights = {"a.weight": matrix, "a.bias": matrix.flatten(), "count": torch.tensor(7)}
    back = unpacked(packed(weights, numbers))
    assert set(back) == set(weights)
    assert back["count"].item() == 7
    half = 2**-11 * matrix.abs() + 1e-7
    largest = matrix.flatten(1).abs().amax(1).reshape(-1, 1, 1)
    bounds = {"float32": 0 * half, "float16": half, "int8": largest / 127 * 0.502 + 1e-6}
    assert ((back["a.weight"].float() - matrix).abs() <= bounds[numbers]).all()
    assert ((back["a.bias"].float() - weights["a.bias"]).abs() <= (0 if numbers == "float32" else half.flatten())).all()


def test_bytes_shrink_by_half_and_to_a_quarter() -> None:
    weights = {"weight": torch.randn(64, 64, 3, 3), "bias": torch.randn(64)}
    sizes = [
        sum(value.nbytes for value in packed(weights, numbers).values()) for numbers in ("float32", "float16", "int8")
    ]
    assert sizes[1] == sizes[0] / 2
    assert sizes[2] < 0.252 * sizes[0]


@pytest.mark.parametrize("scale", [None, torch.ones(3), torch.ones(2, 2)])
def test_scales_that_do_not_fit_are_refused(scale: torch.Tensor | None) -> None:
    kept = packed({"w": torch.randn(2, 4)}, "int8")
    del kept["w|scale"]
    if scale is not None:
        kept["w|scale"] = scale
    with pytest.raises(ValueError, match="the scale of w is not one number for each output"):
        unpacked(kept)
