"""Why a search ended before it had what was asked for: one line for the user."""

from collections.abc import Sequence

from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import Constraint


def shortfall(
    members: Sequence[Member],
    constraints: Sequence[Constraint],
    *,
    wanted: int,
    limit: int,
    used_up: str | None = None,
) -> str | None:
    """None where enough candidates are complete. limit: of proposals, after which a search gives up; used_up: that the
    search has used what it may, in words."""
    complete = sum(member.status is CandidateStatus.COMPLETE for member in members)
    if complete >= wanted:
        return None
    if used_up is not None:
        return f"{used_up}, with {complete} of {wanted} complete"
    gave_up = len(members) >= limit
    what = f"gave up after {len(members)} proposals" if gave_up else f"all {len(members)} architectures were tried"
    return f"{what} with {complete} of {wanted} complete{_causes(members, constraints)}"


def _causes(members: Sequence[Member], constraints: Sequence[Constraint]) -> str:
    failed = sum(member.status is CandidateStatus.FAILED for member in members)
    causes = [
        f"{count} broke {constraint.key} {constraint.limits}"
        for constraint in constraints
        if (count := _breakers(members, constraint))
    ]
    causes += [f"{failed} failed"] if failed else []
    return f": {', '.join(causes)}" if causes else ""


def _breakers(members: Sequence[Member], constraint: Constraint) -> int:
    known = [member.metrics[constraint.key] for member in members if constraint.key in member.metrics]
    return sum(not constraint.holds(value) for value in known)
