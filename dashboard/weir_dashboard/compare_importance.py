"""Which parameters a metric depends on: permutation importance under a Gaussian process. Pure, numpy alone.

The question: a model that predicts a run's metric from its config, how much worse does it get when one
parameter is scrambled? The model is an additive Gaussian process over main effects and pairs; every
prediction leaves out the run it is for, which for this model is one formula and no refitting. So nothing
is judged by what it was fitted to, and the share of the metric that the model explains at all is known and
shown beside the answer. A random forest would do as well with many runs and needs scikit-learn and SciPy,
70 MB installed; tests/unit/dashboard/test_compare_importance.py holds this model against one.

Numbers count by their rank, so that 1e-4, 1e-3, 1e-2 are evenly apart; categories are equal or not. The
metric counts by its rank too: one run that exploded does not decide.

Sources: Breiman, Random Forests, Machine Learning 45, 2001 (permutation importance); Duvenaud et al.,
Additive Gaussian Processes, NIPS 2011 (the kernel); Rasmussen and Williams, Gaussian Processes, 2006,
eq. 5.10-5.12 (leaving one out in closed form).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from weir_dashboard.compare_columns import Column, Numbers

FEWEST_RUNS: Final = 12
"""Below this nothing is said."""
MOST_RUNS: Final = 250
"""Of more runs, this many are drawn evenly from all, with a fixed seed; the page says so."""
LEAST_EXPLAINED: Final = 0.1
"""A model that predicts less of the metric than this says nothing about parameters."""
FEWEST_PER_PARAMETER: Final = 4
"""Runs for each parameter; below this shares are called a guess."""

_LENGTHS: Final = (0.3, 1.0)  # of the kernel, in ranks from 0 to 1
_NOISES: Final = tuple(np.logspace(-3, 1, 9))
_SHUFFLES: Final = 10

_Kernel: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a parameter counts for.

    Attributes:
        name: The column's.
        share: Of what the model explains: 0 … 1, all together 1 (0 when nothing is explained).
        loss: How much of the metric's variance is no longer predicted when it is scrambled.
        correlation: Spearman's, −1 … 1; NaN for categories and where one of the two does not vary.
    """

    name: str
    share: float
    loss: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Importance:
    """The answer.

    Attributes:
        weights: Most important first; none when `reason` says why nothing can be said.
        explained: Of the variance of the metric's ranks, predicted for runs left out; at most 1.
        runs: How many runs were looked at.
        of: How many have the metric.
        guess: Few runs for so many parameters.
        reason: Why there is no answer, in words; "" when there is one.
    """

    weights: tuple[Weight, ...]
    explained: float
    runs: int
    of: int
    guess: bool = False
    reason: str = ""


def importance(parameters: Sequence[Column], metric: Column, seed: int = 0) -> Importance:
    """Say which parameters the metric depends on.

    Runs without a finite metric are left out; a run without a parameter counts as having a value
    of its own there. Parameters that do not vary are left out.

    Args:
        parameters: Columns over the same runs.
        metric: A column of numbers.
        seed: Of the drawing and the scrambling: the same question has the same answer.
    """
    there = np.flatnonzero(np.isfinite(metric.numbers))
    if metric.categories:
        return Importance((), 0.0, 0, 0, reason=f"{metric.name} is no number")
    drawn = _drawn(there, seed)
    target = _standard(_ranks(metric.numbers[drawn]))
    varying = [each for each in parameters if _varies(each, drawn)]
    reason = _too_little(len(there), varying, target)
    if reason:
        return Importance((), 0.0, len(drawn), len(there), reason=reason)
    distances = [_distances(each, drawn) for each in varying]
    model = _Model.fitted(distances, target)
    losses = np.array([model.loss_without(at, seed) for at in range(len(varying))])
    explained = model.explained
    if explained < LEAST_EXPLAINED:
        told = f"these parameters predict {max(0.0, explained):.0%} of it: too little to share out"
        losses[:] = 0.0
    else:
        told = ""
    total = losses.sum()
    weights = [
        Weight(
            column.name,
            float(loss / total) if total else 0.0,
            float(loss),
            spearman(column, metric),
        )
        for column, loss in zip(varying, losses, strict=True)
    ]
    weights.sort(key=lambda each: (-each.share, -abs(_or_0(each.correlation)), each.name))
    guess = len(drawn) < FEWEST_PER_PARAMETER * len(varying)
    return Importance(tuple(weights), explained, len(drawn), len(there), guess, told)


def spearman(a: Column, b: Column) -> float:
    """Return the rank correlation over the runs that have both as numbers; NaN where there is none."""
    both = np.isfinite(a.numbers) & np.isfinite(b.numbers)
    if a.categories or b.categories or both.sum() < 3:
        return math.nan
    x, y = _ranks(a.numbers[both]), _ranks(b.numbers[both])
    if x.std() == 0 or y.std() == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


@dataclass(frozen=True, slots=True)
class _Model:
    """A fitted process; `kernels` are one for each parameter, runs × runs."""

    kernels: list[_Kernel]
    pairs: bool
    inverse: _Kernel  # of the kernel with its noise
    weights: Numbers
    target: Numbers
    explained: float

    @classmethod
    def fitted(cls, distances: Sequence[_Kernel], target: Numbers) -> _Model:
        """Choose length, pairs and noise by what is predicted of runs left out."""
        best: tuple[float, list[_Kernel], bool, Any, float] | None = None
        for kernels, pairs in _candidates(distances):
            values, vectors = np.linalg.eigh(_together(kernels, pairs))
            projected = vectors.T @ target
            for noise in _NOISES:
                scale = 1 / (np.maximum(values, 0) + noise)
                errors = (vectors @ (scale * projected)) / ((vectors**2) @ scale)
                explained = _explained(errors, target)
                if best is None or explained > best[0]:
                    best = (explained, kernels, pairs, (vectors, scale), noise)
        assert best is not None
        explained, kernels, pairs, (vectors, scale), _ = best
        inverse = (vectors * scale) @ vectors.T
        return cls(kernels, pairs, inverse, inverse @ target, target, explained)

    def loss_without(self, at: int, seed: int) -> float:
        """Return how much less is explained when a parameter is scrambled among the runs; at least 0."""
        random = np.random.default_rng((seed, at))
        left_out = self._left_out()
        kernels = list(self.kernels)
        worse = []
        for _ in range(_SHUFFLES):
            kernels[at] = self.kernels[at][random.permutation(len(self.target))]
            predicted = np.einsum("ij,ji->i", _together(kernels, self.pairs), left_out)
            worse.append(self.explained - _explained(self.target - predicted, self.target))
        return max(0.0, float(np.mean(worse)))

    def _left_out(self) -> _Kernel:
        """Return, in column i, the weights of the process that never saw run i."""
        return (
            self.weights[:, None] - self.inverse * (self.weights / np.diag(self.inverse))[None, :]
        )


def _candidates(distances: Sequence[_Kernel]) -> Iterator[tuple[list[_Kernel], bool]]:
    for length in _LENGTHS:
        kernels = [np.exp(-((each / length) ** 2) / 2) for each in distances]
        yield kernels, False
        if len(kernels) > 1:
            yield kernels, True


def _together(kernels: Sequence[_Kernel], pairs: bool) -> _Kernel:
    """Add main effects and, with `pairs`, the products of every two, each part on the scale of one."""
    total: _Kernel = np.sum(kernels, axis=0)
    n = len(kernels)
    main: _Kernel = total / n
    if not pairs:
        return main
    squares = np.sum([each**2 for each in kernels], axis=0)
    both: _Kernel = main + (total**2 - squares) / (n * (n - 1))
    return both


def _distances(column: Column, drawn: Any) -> _Kernel:
    """Return how far apart any two runs are: 0 … 1; categories, and having none, are 1 apart."""
    numbers = column.numbers[drawn]
    there = np.isfinite(numbers)
    if column.categories:
        places = np.where(there, numbers, -1.0)
        apart: _Kernel = (places[:, None] != places[None, :]).astype(np.float64)
        return apart
    ranks = np.zeros(len(numbers))
    if there.any():
        ranks[there] = _spread(_ranks(numbers[there]))
    apart = np.abs(ranks[:, None] - ranks[None, :])
    apart[there[:, None] != there[None, :]] = 1.0
    return apart


def _drawn(there: Any, seed: int) -> Any:
    if len(there) <= MOST_RUNS:
        return there
    return np.sort(np.random.default_rng(seed).choice(there, MOST_RUNS, replace=False))


def _too_little(runs: int, varying: Sequence[Column], target: Numbers) -> str:
    if runs < FEWEST_RUNS:
        return f"{runs} runs have it, at least {FEWEST_RUNS} are needed"
    if not varying:
        return "no parameter that is shown differs between these runs"
    return "" if target.any() else "it is the same in all runs"


def _varies(column: Column, drawn: Any) -> bool:
    numbers = column.numbers[drawn]
    values = numbers[np.isfinite(numbers)]
    return len(np.unique(values)) + (len(values) < len(numbers)) > 1


def _ranks(values: Numbers) -> Numbers:
    """Return ranks from 0, ties in the middle of their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    ranks: Numbers = middles[inverse]
    return ranks


def _spread(ranks: Numbers) -> Numbers:
    width = ranks.max() - ranks.min()
    spread: Numbers = (ranks - ranks.min()) / width if width else np.zeros(len(ranks))
    return spread


def _standard(values: Numbers) -> Numbers:
    deviation = values.std() if len(values) else 0.0
    standard: Numbers = (values - values.mean()) / deviation if deviation else np.zeros(len(values))
    return standard


def _explained(errors: Numbers, target: Numbers) -> float:
    return 1 - float(errors @ errors) / float(target @ target)


def _or_0(x: float) -> float:
    return 0.0 if math.isnan(x) else x
