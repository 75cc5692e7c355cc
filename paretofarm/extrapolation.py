"""Who has no chance: learning curves are extrapolated to the last rung, with a bound that is rarely beaten.

What the candidates that are trained to the end gained after an epoch is explained, by least squares, from how good they
were then and how fast they got better. How far that is off for those candidates themselves, each predicted from all
others, tells how far it may be off for a new one: split out by rank, so no distribution is assumed (conformal
prediction, Vovk et al. 2005; leave-one-out residuals as in Barber et al. 2021, "Predictive inference with the
jackknife+"). A curve that is unlike all finished ones (a high leverage) gets a wider bound.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pydantic import Field

from paretofarm.history import History, Member, Standings
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import trained_counterpart
from paretofarm.objective import Objective
from paretofarm.strict import Strict

Curves = Mapping[int, Mapping[str, Sequence[float]]]
"""By candidate number and metric name: the value after each epoch, from the first."""


class Extrapolation(Strict):
    """confidence: that a candidate which is not trained further could not have been on the front.

    Nothing is extrapolated before confidence / (1 - confidence) candidates are complete: 19 for 0.95.
    """

    confidence: float = Field(0.95, ge=0.5, lt=1)


def hopeless(history: History, curves: Curves, settings: Extrapolation) -> dict[int, str]:
    """Waiting members that some complete one dominates even where all goes well for them; numbers with the reason.

    Objectives that are not trained count as they are. Depends on the arguments alone: as the front and the finished
    curves grow, a member may become hopeless, and stop being it.
    """
    trained = [objective for objective in history.objectives if objective.metric.trained]
    if not trained or not len(history.points):
        return {}
    confidence = 1 - (1 - settings.confidence) / len(trained)
    found: dict[int, str] = {}
    for rung in range(len(history.rungs) - 1):
        standings = _waiting(history, rung)
        if standings.members:
            best = _at_best(history, standings, rung, curves, confidence)
            found.update(_dominated(history, standings.members, best, settings.confidence))
    return found


def lowest(begun: np.ndarray, finished: np.ndarray, confidence: float) -> np.ndarray | None:
    """For each curve that has begun the value that it will not fall below at the end, with that confidence.

    begun: minimised, shape [curves, epochs so far]; finished: shape [curves, epochs]. None where the finished are too
    few to be so sure.
    """
    so_far = begun.shape[1]
    rank = math.floor((len(finished) + 1) * (1 - confidence) + 1e-9)
    if rank < 1:
        return None
    known = _features(finished[:, :so_far])
    gains = finished[:, -1] - finished[:, so_far - 1]
    inverse = np.linalg.pinv(known.T @ known)
    weights = inverse @ known.T @ gains
    leverage = np.einsum("ij,jk,ik->i", known, inverse, known)
    left_out = (gains - known @ weights) / np.maximum(1 - leverage, 1e-6)
    features = _features(begun)
    unlike = np.einsum("ij,jk,ik->i", features, inverse, features)
    width = np.sqrt(np.maximum((1 + unlike) / (1 + leverage.mean()), 1.0))
    off = min(float(np.sort(left_out)[rank - 1]), 0.0)
    return np.asarray(begun[:, -1] + features @ weights + width * off)


def _features(curves: np.ndarray) -> np.ndarray:
    """How good it is now and, from the second epoch on, how much better than at half the epochs."""
    last = curves[:, -1]
    columns = [np.ones(len(curves)), last]
    if curves.shape[1] > 1:
        columns.append(last - curves[:, curves.shape[1] // 2 - 1])
    return np.stack(columns, axis=1)


def _waiting(history: History, rung: int) -> Standings:
    standings = history.standings(rung)
    waits = [member.status is CandidateStatus.PAUSED and member.rung == rung for member in standings.members]
    members = tuple(member for member, here in zip(standings.members, waits, strict=True) if here)
    return Standings(members, standings.points[np.array(waits, dtype=bool)])


def _at_best(
    history: History, standings: Standings, rung: int, curves: Curves, confidence: float
) -> dict[int, np.ndarray]:
    """Points that are not beaten with that confidence, by number; without those of which nothing can be said."""
    points = standings.points.copy()
    known = np.ones(len(points), dtype=bool)
    for column, objective in enumerate(history.objectives):
        if not objective.metric.trained:
            continue
        finished = _matrix(history.feasible, objective, curves, history.rungs[-1])
        begun = _matrix(standings.members, objective, curves, history.rungs[rung])
        finished = finished[~np.isnan(finished).any(axis=1)]
        bound = lowest(begun, finished, confidence)
        if bound is None:
            return {}
        points[:, column] = bound
        known &= ~np.isnan(bound)
    rows = zip(standings.members, points, known, strict=True)
    return {member.number: point for member, point, is_known in rows if is_known}


def _matrix(members: Sequence[Member], objective: Objective, curves: Curves, epochs: int) -> np.ndarray:
    """Minimised, shape [members, epochs]; a row of NaN for a member whose curve has gaps."""
    matrix = np.full((len(members), epochs), np.nan)
    for row, member in enumerate(members):
        values = curves.get(member.number, {}).get(trained_counterpart(objective.name), ())[:epochs]
        if len(values) == epochs:
            matrix[row] = objective.sign * np.asarray(values, dtype=np.float64)
    return matrix


def _dominated(
    history: History, members: Sequence[Member], at_best: Mapping[int, np.ndarray], confidence: float
) -> Iterator[tuple[int, str]]:
    for member in members:
        point = at_best.get(member.number)
        if point is None:
            continue
        better = (history.points <= point).all(axis=1) & (history.points < point).any(axis=1)
        if better.any():
            yield member.number, _reason(history, point, int(np.argmax(better)), confidence)


def _reason(history: History, point: np.ndarray, by: int, confidence: float) -> str:
    values = ", ".join(
        f"{objective.name} {objective.sign * value:.4g}"
        for objective, value in zip(history.objectives, point, strict=True)
    )
    return f"at best {values} ({confidence:.0%} sure): candidate {history.feasible[by].number} is better"
