"""Gaussian process regression over architectures (Rasmussen and Williams 2006, chapters 2 and 5)."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular
from scipy.optimize import minimize

from paretofarm.described import Inputs
from paretofarm.surrogates.kernel import Kernel, Sample, Scaled, Scaling
from paretofarm.surrogates.prior import Prior

_STEPS = 20
"""Of L-BFGS; twice or thrice as many changed nothing in benchmarks.search."""
_JITTER = 1e-6
_FITTED = 200
"""Observations that the kernel is fitted to: fitting costs a cube at every step, and its dozen parameters settle."""


@dataclass(frozen=True)
class Prediction:
    """Of so many architectures, on the targets' scale: float64, shape [rows] each.

    deviation: of the architecture's own value, what the model cannot explain of it included.
    """

    mean: np.ndarray
    deviation: np.ndarray


class GaussianProcess:
    """A model of one metric, fitted to observations. Immutable but for `believe`.

    targets: float64 [rows], any scale; noise: variance [rows] of each observation's own measurement error, on the
    targets' scale, or None where measuring it again would give the same; trend: whether what the numbers tell goes on
    where nothing was observed.
    """

    def __init__(
        self, inputs: Inputs, targets: np.ndarray, noise: np.ndarray | None = None, *, trend: bool = False
    ) -> None:
        self._mean = float(targets.mean())
        self._scale = float(targets.std()) or 1.0
        self._scaling = Scaling(inputs)
        self._rows = self._scaling(inputs)
        self._targets = (targets - self._mean) / self._scale
        self._errors = np.zeros(len(targets)) if noise is None else noise / self._scale**2
        self._kernel = _fit(self._rows, self._targets, self._errors, trend=trend)
        self._solve()
        self._caution = self._overconfidence()

    def predict(self, inputs: Inputs) -> Prediction:
        rows = self._scaling(inputs)
        across = self._kernel(rows, self._rows).total
        explained = solve_triangular(self._factor, across.T, lower=True, check_finite=False)
        variance = self._kernel.variance(rows) - (explained * explained).sum(axis=0)
        # What neither numbers nor choices explain differs from architecture to architecture and is part of its value.
        deviation = np.sqrt(np.maximum(variance, _JITTER) + self._kernel.noise) * self._caution
        return Prediction(across @ self._weights * self._scale + self._mean, deviation * self._scale)

    def believe(self, inputs: Inputs) -> None:
        """Takes its own predictions for observed (a kriging believer, Ginsbourger et al. 2010): what is being tried
        is not proposed again, nor what is just like it."""
        rows = self._scaling(inputs)
        across = self._kernel(rows, self._rows).total
        self._targets = np.concatenate((self._targets, across @ self._weights))
        self._extend(across, self._kernel(rows, rows).total)
        self._rows = self._rows + rows
        self._weigh()

    def left_out(self) -> np.ndarray:
        """What the others predict of each observation (leave-one-out, eq. 5.12), on the targets' scale."""
        predicted = self._targets - self._weights / self._precisions()
        return np.asarray(predicted * self._scale + self._mean)

    def _solve(self) -> None:
        covariance = self._kernel(self._rows, self._rows).total
        covariance[np.diag_indices_from(covariance)] += self._kernel.noise + _JITTER + self._errors
        self._factor = np.linalg.cholesky(covariance)
        self._weigh()

    def _extend(self, across: np.ndarray, among: np.ndarray) -> None:
        """The Cholesky factor with some more rows, without factorising what is there again."""
        lower = solve_triangular(self._factor, across.T, lower=True, check_finite=False).T
        rest = among - lower @ lower.T
        rest[np.diag_indices_from(rest)] += self._kernel.noise + _JITTER
        above = np.concatenate((self._factor, np.zeros((len(self._factor), len(rest)))), axis=1)
        below = np.concatenate((lower, np.linalg.cholesky(rest)), axis=1)
        self._factor = np.concatenate((above, below))

    def _weigh(self) -> None:
        half = solve_triangular(self._factor, self._targets, lower=True, check_finite=False)
        self._weights = solve_triangular(self._factor, half, lower=True, trans=1, check_finite=False)

    def _precisions(self) -> np.ndarray:
        """Diagonal of the inverse covariance."""
        inverse, _ = lapack.dtrtri(self._factor, lower=1)
        return np.asarray((inverse * inverse).sum(axis=0))

    def _overconfidence(self) -> float:
        """By how much the errors of leave-one-out exceed what the model expected; never below one."""
        return max(1.0, float(np.sqrt(np.mean(self._weights**2 / self._precisions()))))


def _fit(rows: Scaled, targets: np.ndarray, errors: np.ndarray, *, trend: bool) -> Kernel:
    """The kernel of the highest posterior density: marginal likelihood (eq. 5.8) times log-normal priors."""
    chosen = np.unique(np.linspace(0, len(targets) - 1, min(len(targets), _FITTED)).astype(np.int64))
    sample = Sample(rows[chosen])
    numbers = rows.numbers.shape[1]
    prior = Prior(numbers, len(rows.blocks), trend=trend)
    bounds = list(zip(prior.mean - 4 * prior.deviation, prior.mean + 4 * prior.deviation, strict=True))
    found = minimize(
        lambda theta: _loss(theta, sample, targets[chosen], errors[chosen], prior),
        prior.mean,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": _STEPS},
    )
    return Kernel(found.x, numbers, trend=trend)


def _loss(
    theta: np.ndarray, sample: Sample, targets: np.ndarray, errors: np.ndarray, prior: Prior
) -> tuple[float, np.ndarray]:
    """Negative logarithm of the posterior density, up to a constant, and its gradient by theta."""
    numbers = sample.rows.numbers.shape[1]
    kernel = Kernel(theta, numbers, trend=prior.trend)
    parts = kernel.within(sample)
    covariance = parts.total
    covariance[np.diag_indices_from(covariance)] += kernel.noise + _JITTER + errors
    factor, failed = lapack.dpotrf(covariance, lower=1, clean=1)
    if failed:
        return 1e10, np.zeros_like(theta)
    half, _ = lapack.dpotri(factor, lower=1)
    inverse = np.tril(half) + np.tril(half, -1).T
    weights = inverse @ targets
    loss = 0.5 * float(targets @ weights) + float(np.log(np.diag(factor)).sum())
    gradient = kernel.gradient(0.5 * (inverse - np.outer(weights, weights)), parts, sample)
    away = (theta - prior.mean) / prior.deviation
    return loss + 0.5 * float(away @ away), gradient + away / prior.deviation
