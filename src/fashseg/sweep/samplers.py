"""Optuna's samplers and pruners from our options."""

import warnings
from typing import Any

import optuna
from optuna import distributions, pruners, samplers

from fashseg.sweep.options import SweepOptions
from fashseg.sweep.space import CHOICE, INT, Dimension


def distribution(found: Dimension) -> distributions.BaseDistribution:
    """What Optuna draws from; choices are text, as they are typed."""
    if found.kind == CHOICE:
        return distributions.CategoricalDistribution(found.choices)
    low, high = found.low, found.high
    assert low is not None
    assert high is not None
    if found.kind == INT:
        return distributions.IntDistribution(int(low), int(high), log=found.log, step=int(found.step or 1))
    return distributions.FloatDistribution(low, high, log=found.log, step=found.step)


def build_sampler(options: SweepOptions, number: int) -> samplers.BaseSampler:
    """A sampler for one trial.

    Its random numbers follow from the seed and the number of the trial. With the seed alone, each process that joins a
    study, and each that goes on with one, would draw the same points again.

    Args:
        options: of the search.
        number: of the trial.
    """
    import numpy as np

    drawn = int(np.random.SeedSequence([options.seed, number]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if options.sampler == "tpe":
            return samplers.TPESampler(
                seed=drawn,
                n_startup_trials=options.startup_trials,
                # Points that others are trying right now count as bad ones, so that nobody tries them, too.
                constant_liar=True,
                multivariate=len(options.objectives) == 1,
            )
        if options.sampler == "cmaes":
            return samplers.CmaEsSampler(
                seed=drawn, independent_sampler=samplers.RandomSampler(drawn), warn_independent_sampling=False
            )
        if options.sampler == "qmc":
            # The sequence is one for all: its next point is counted in the storage.
            return samplers.QMCSampler(
                seed=options.seed,
                scramble=True,
                independent_sampler=samplers.RandomSampler(drawn),
                warn_independent_sampling=False,
            )
    return samplers.RandomSampler(drawn)  # grid, too: its points are queued one by one


def build_pruner(options: SweepOptions, epochs: int) -> pruners.BasePruner:
    """What tells whether a trial ends early.

    Args:
        options: of the search.
        epochs: that a trial has, the most of them where they differ.
    """
    if options.pruner == "median":
        # Steps are epochs, counted from 1, and warm-up ends behind them.
        return pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=options.warmup_epochs + 1)
    if options.pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=max(1, options.warmup_epochs), max_resource=max(epochs, 2))
    return pruners.NopPruner()


def importance(study: optuna.Study) -> dict[str, float] | None:
    """How much of the differences among the trials each option explains (PED-ANOVA; Watanabe et al., 2023).

    None with several objectives, below ten finished trials, and where it can't be computed.
    """
    finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state is optuna.trial.TrialState.COMPLETE]
    if len(study.directions) > 1 or len(finished) < 10:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            found: dict[str, Any] = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except Exception:  # all scores the same, among others
        return None
    return {name: round(float(share), 6) for name, share in found.items()}
