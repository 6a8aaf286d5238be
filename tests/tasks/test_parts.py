"""Optimizers, schedules, augmentation."""

import pytest
import torch
from torch import nn

from fashseg import config as cfg
from fashseg.tasks.augmentation import augment
from fashseg.tasks.optimizers import build_optimizer, build_scheduler


def rates(scheduler: cfg.Scheduler, steps: int = 100) -> list[float]:
    optimizer = build_optimizer(cfg.SGD(name="sgd", lr=0.1), [nn.Parameter(torch.zeros(1))])
    schedule = build_scheduler(scheduler, optimizer, steps)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if schedule:
            schedule.step()
    return values


def test_schedules() -> None:
    assert rates(cfg.Scheduler(name="none")) == [0.1] * 100
    cosine = rates(cfg.Cosine(name="cosine", final_share=0.1))
    assert cosine[0] == 0.1
    assert cosine[50] == pytest.approx(0.055)
    assert cosine[-1] == pytest.approx(0.01, rel=0.01)
    cycle = rates(cfg.OneCycle(name="one_cycle", rise_share=0.25))
    assert max(cycle) == pytest.approx(0.1)
    assert cycle.index(max(cycle)) in (24, 25)
    assert cycle[-1] < 1e-5
    short = rates(cfg.OneCycle(name="one_cycle", rise_share=0.2), steps=5)
    assert short == sorted(short, reverse=True), "a rise of one step is over before it begins"
    assert short[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        (cfg.Adam(name="adam", lr=0.01, weight_decay=0.1), torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
        (cfg.Adam(name="adamw", beta1=0.8), torch.optim.AdamW, {"betas": (0.8, 0.999)}),
        (cfg.SGD(name="sgd", momentum=0.5, nesterov=True), torch.optim.SGD, {"momentum": 0.5, "nesterov": True}),
    ],
)
def test_optimizers_get_their_options(options: cfg.Optimizer, kind: type, expected: dict[str, object]) -> None:
    optimizer = build_optimizer(options, [nn.Parameter(torch.zeros(1))])
    assert type(optimizer) is kind
    assert {key: optimizer.defaults[key] for key in expected} == expected


def test_flip_mirrors_images_with_their_masks() -> None:
    images = torch.arange(6 * 1 * 2 * 4).view(6, 1, 2, 4)
    masks = images[:, 0].clone()
    flipped, flipped_masks = augment(cfg.Flip(name="flip", probability=0.5), images, masks, seed=1)
    changed = [not torch.equal(a, b) for a, b in zip(images, flipped, strict=True)]
    assert 0 < sum(changed) < 6
    assert torch.equal(flipped[:, 0], flipped_masks)
    assert torch.equal(augment(cfg.Flip(name="flip", probability=1), images, masks, seed=1)[0], images.flip(-1))
    again = augment(cfg.Flip(name="flip", probability=0.5), images, masks, seed=1)[0]
    assert torch.equal(again, flipped), "a step can be repeated"
    labels = torch.arange(6)
    assert torch.equal(augment(cfg.Flip(name="flip", probability=1), images, labels, seed=1)[1], labels)


def test_shift_moves_images_with_their_masks() -> None:
    images = torch.zeros(200, 3, 7, 9, dtype=torch.uint8)
    images[:, :, 3, 4] = 5
    masks = images[:, 0].long()
    options = cfg.FlipShift(name="flip_shift", probability=0, shift=2)
    moved, moved_masks = augment(options, images, masks, seed=1)
    assert moved.shape == images.shape
    assert torch.equal(moved[:, 1].long(), moved_masks)
    _, rows, columns = moved_masks.nonzero(as_tuple=True)
    assert (len(rows), set(rows.tolist()), set(columns.tolist())) == (200, {1, 2, 3, 4, 5}, {2, 3, 4, 5, 6})
    labels = torch.arange(200)
    assert torch.equal(augment(options, images, labels, seed=1)[1], labels)


@pytest.mark.parametrize("options", [cfg.Adam(name="adam"), cfg.Adam(name="adamw"), cfg.SGD(name="sgd")])
def test_a_step_on_the_cpu_looks_for_no_gpu(options: cfg.Optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("device_count", "is_available"):
        monkeypatch.setattr(torch.cuda, name, lambda name=name: asked.append(name) or 0)
    parameter = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer(options, [parameter])
    for _ in range(2):
        parameter.sum().backward()
        optimizer.step()
    assert not asked
    assert not torch.equal(parameter, torch.ones(3))


@pytest.mark.parametrize("cycles", [True, False])
def test_one_cycle_moves_momentum_only_where_asked(cycles: bool) -> None:
    optimizer = build_optimizer(cfg.Adam(name="adam", lr=0.1, beta1=0.6), [nn.Parameter(torch.zeros(1))])
    schedule = build_scheduler(cfg.OneCycle(name="one_cycle", cycle_momentum=cycles), optimizer, 10)
    assert schedule
    seen = set()
    for _ in range(10):
        seen.add(round(optimizer.param_groups[0]["betas"][0], 2))
        optimizer.step()
        schedule.step()
    assert ({0.85, 0.95} <= seen) if cycles else (seen == {0.6})
