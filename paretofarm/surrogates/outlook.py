"""What a search may hope for: its front, and for any architecture how much it promises to add to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from paretofarm.described import Inputs, Row
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS
from paretofarm.objective import Constraint
from paretofarm.pareto import non_domination_rank
from paretofarm.search_space import SearchSpace
from paretofarm.sensitivity import NORMAL_QUANTILE
from paretofarm.surrogates.beliefs import Belief, Hint, believe
from paretofarm.surrogates.described_members import rows_of, spread
from paretofarm.surrogates.improvement import NODES
from paretofarm.surrogates.references import References
from paretofarm.surrogates.view import View

_MODELLED = 400
"""Observations that a model rests on: it costs their cube. The best half by rank, the rest spread over the search."""
_SHORTLIST = 100
"""Of a pool, how many are looked at again for the second and later choices of one call."""
_PENDING = 256
"""Of those in flight, how many are believed."""
_TELLING = (CandidateStatus.COMPLETE, CandidateStatus.INFEASIBLE, CandidateStatus.PAUSED)


@dataclass(frozen=True)
class Target:
    """One objective: its key, and the sign that makes it something to minimise."""

    key: str
    sign: float


class Outlook:
    """Models of a search's metrics, and what is in flight believed in them."""

    def __init__(
        self,
        targets: Sequence[Target],
        beliefs: dict[str, Belief],
        constraints: Sequence[Constraint],
        references: References,
        reached: np.ndarray,
        within_reach: np.ndarray,
    ) -> None:
        """reached, within_reach: points [any, objectives], minimised, of members that count and of waiting ones."""
        self._targets = targets
        self._beliefs = beliefs
        self._constraints = constraints
        self._references = references
        self._reached = reached
        self._points = np.concatenate((reached, within_reach))
        self.observations = min((belief.observations for belief in beliefs.values()), default=0)

    @property
    def skill(self) -> float:
        """Of the worst model of an objective, from -1 to 1; 1 where nothing has to be modelled."""
        return min((self._beliefs[target.key].skill for target in self._modelled), default=1.0)

    @property
    def doubt(self) -> str:
        """Which model is the worst, for people."""
        worst = min(self._modelled, key=lambda target: self._beliefs[target.key].skill)
        return f"the model of {worst.key} predicts no better than chance (rank correlation {self.skill:.2f})"

    @property
    def _modelled(self) -> list[Target]:
        return [target for target in self._targets if target.key in self._beliefs]

    def choose(self, rows: Sequence[Row], count: int) -> list[int]:
        """Places of the `count` most promising rows, best first; each choice is believed before the next."""
        left = np.arange(len(rows))
        chosen: list[int] = []
        while len(chosen) < count and len(left):
            scores = self._scores([rows[place] for place in left.tolist()])
            order = np.argsort(-scores, kind="stable")
            chosen.append(int(left[order[0]]))
            keep = max(_SHORTLIST, count - len(chosen))
            left = left[order[1 : 1 + keep]]
            if len(chosen) < count:
                self.believe([rows[chosen[-1]]], [{}])
        return chosen

    def believe(self, rows: Sequence[Row], observed: Sequence[Mapping[str, float]]) -> None:
        """Takes predictions for what is not observed of these rows."""
        if not rows:
            return
        inputs = Inputs.of(rows)
        columns = []
        for target in self._targets:
            values = _told(target, self._beliefs, rows).tolist()
            known = [metrics.get(target.key) for metrics in observed]
            columns.append(
                [value if seen is None else target.sign * seen for value, seen in zip(values, known, strict=True)]
            )
        for key, belief in self._beliefs.items():
            missing = np.array([key not in metrics for metrics in observed])
            if missing.any():
                belief.suppose(inputs[missing])
        self._points = np.concatenate((self._points, np.array(columns).T))

    def _scores(self, rows: Sequence[Row]) -> np.ndarray:
        inputs = Inputs.of(rows)
        draws = [self._draws(target, rows, inputs) for target in self._targets]
        return self._references.improvement(draws, self._reached, self._points, self._feasibility(rows, inputs))

    def _draws(self, target: Target, rows: Sequence[Row], inputs: Inputs) -> np.ndarray:
        belief = self._beliefs.get(target.key)
        if belief is not None:
            return belief.draws(inputs)
        known = np.array([target.sign * row.known[target.key] for row in rows])
        return np.repeat(known[:, None], len(NODES), axis=1)

    def _feasibility(self, rows: Sequence[Row], inputs: Inputs) -> np.ndarray:
        """Probability that all constraints are kept, taken as independent; [rows]."""
        total = np.ones(len(rows))
        for constraint in self._constraints:
            belief = self._beliefs.get(constraint.key)
            if belief is not None:
                total *= belief.probability(inputs, constraint.at_least, constraint.at_most)
            elif constraint.key in rows[0].known:
                total *= [float(constraint.holds(row.known[constraint.key])) for row in rows]
        return total


def look_ahead(history: History, space: SearchSpace, *, typical: Sequence[Row]) -> Outlook | None:
    """From all that a history tells; None while some objective has too few observations to be modelled.

    typical: random architectures, whether they were tried or not.
    """
    view = View.of(history)
    ended, pending = ([view.seen(member) for member in each] for each in (_ended(history), _pending(history)))
    targets = [Target(view.key(objective), objective.sign) for objective in history.objectives]
    if not ended:
        return None
    elsewhere = spread(history.measured, len(history.measured) - len(ended))
    rows = rows_of(history, space, [*elsewhere, *ended, *pending])
    beliefs = _beliefs(targets, history.constraints, view, [*elsewhere, *ended, *pending], rows)
    known = rows[ended[0].number].known
    if any(target.key not in beliefs and target.key not in known for target in targets):
        return None
    supposed = _supposed(targets, beliefs, ended, rows)
    told = np.stack([_told(target, beliefs, typical) for target in targets], axis=1)
    references = References.of(supposed, told, view.points)
    waiting = np.array([member.status is CandidateStatus.PAUSED for member in ended])
    outlook = Outlook(targets, beliefs, history.constraints, references, view.points, supposed[waiting])
    outlook.believe([rows[member.number] for member in pending], [member.metrics for member in pending])
    return outlook


def _ended(history: History) -> list[Member]:
    """Members to learn from: the best by rank, and others spread evenly over the search; what failed tells nothing."""
    ranks = non_domination_rank(history.points, enough=_MODELLED)
    order = np.argsort(ranks, kind="stable").tolist()
    best = {history.feasible[place].number: history.feasible[place] for place in order[: _MODELLED // 2]}
    others = [
        member
        for member in (*history.observations, *history.members)
        if member.number not in best and member.status in _TELLING and member.metrics
    ]
    chosen = {**best, **{member.number: member for member in spread(others, _MODELLED - len(best))}}
    return [chosen[number] for number in sorted(chosen)]


def _pending(history: History) -> list[Member]:
    """The latest of those in flight."""
    return [member for member in history.members if member.status.in_flight][-_PENDING:]


def _beliefs(
    targets: Sequence[Target],
    constraints: Sequence[Constraint],
    view: View,
    members: Sequence[Member],
    rows: Mapping[int, Row],
) -> dict[str, Belief]:
    """By key, of everything that is asked for, but for what is known beforehand and what has too few observations."""
    signs = {constraint.key: 1.0 for constraint in constraints} | {target.key: target.sign for target in targets}
    beliefs: dict[str, Belief] = {}
    for key, sign in signs.items():
        bounds = [bound for constraint in constraints if constraint.key == key for bound in constraint.bounds]
        belief = None
        for step in view.course(key):
            belief = _belief(step, sign, members, rows, bounds, belief) or belief
        if belief is not None and belief.key == key:
            beliefs[key] = belief
    return beliefs


def _belief(
    key: str,
    sign: float,
    members: Sequence[Member],
    rows: Mapping[int, Row],
    bounds: Sequence[float],
    fewer: Belief | None,
) -> Belief | None:
    """fewer: of the same metric after fewer epochs."""
    having = [member for member in members if key in member.metrics and (fewer is None or fewer.key in member.metrics)]
    if not having or key in rows[having[0].number].known:
        return None
    values = np.array([member.metrics[key] for member in having])
    inputs = Inputs.of([rows[member.number] for member in having])
    hint = None if fewer is None else Hint(fewer, np.array([member.metrics[fewer.key] for member in having]))
    return believe(key, sign, values, inputs, bounds, _errors(key, having), hint)


def _errors(key: str, members: Sequence[Member]) -> np.ndarray | None:
    """Standard deviations of the measurements, from their intervals; None where no member has one.

    Scores have intervals over which test images there are. These are the same for all networks, so that they err
    together, which is no noise between them.
    """
    if METRICS[key.partition("@")[0]].trained or not any(key in member.intervals for member in members):
        return None
    widths = [np.ptp(member.intervals.get(key, (0.0, 0.0))) for member in members]
    return np.array(widths) / (2 * NORMAL_QUANTILE)


def _supposed(
    targets: Sequence[Target], beliefs: Mapping[str, Belief], members: Sequence[Member], rows: Mapping[int, Row]
) -> np.ndarray:
    """Objectives of all members, minimised, [members, objectives]: as observed, else as believed."""
    described = [rows[member.number] for member in members]
    columns = []
    for target in targets:
        column = np.array([target.sign * member.metrics.get(target.key, np.nan) for member in members])
        missing = np.flatnonzero(np.isnan(column))
        if len(missing):
            column[missing] = _told(target, beliefs, [described[place] for place in missing.tolist()])
        columns.append(column)
    return np.stack(columns, axis=1)


def _told(target: Target, beliefs: Mapping[str, Belief], rows: Sequence[Row]) -> np.ndarray:
    """What is known beforehand or believed of the objective, minimised, [rows]."""
    belief = beliefs.get(target.key)
    if belief is not None:
        return belief.mean(Inputs.of(rows))
    return np.array([target.sign * row.known[target.key] for row in rows])
