"""Whose fault is a measurement that failed: the candidate's, the phone's, or not clear yet? Pure.

The reference network decides: it ran on this very phone a hundred times before. docs/phones.md has the table.
"""

from dataclasses import dataclass
from enum import StrEnum

from paretofarm.dsp_signs import DspSign
from paretofarm.errors import AdbTimeout, CandidateError, ParetofarmError, RunnerFailed, Unavailable

MAX_HAND_BACKS = 10
"""How often an evaluation is handed back for a phone's sake before that counts as a failed attempt of its own."""
UNCLEAR_ENOUGH = 2
"""A network that breaks its runner so often, on a phone that runs the reference each time, is not deployable."""


class Party(StrEnum):
    """`unclear`: tried again, counted as a failed attempt."""

    CANDIDATE = "candidate"
    PHONE = "phone"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Scene:
    """What was found after a failure.

    fit: the phone answers and nothing stands against measuring; reference_runs: whether it still runs the reference
    network (None: not tried, or there is none); sign: of the DSP; unclear_before: how often this evaluation's failure
    was unclear on this phone.
    """

    error: ParetofarmError
    fit: bool
    reference_runs: bool | None = None
    sign: DspSign | None = None
    unclear_before: int = 0


def is_about_the_device(error: ParetofarmError) -> bool:
    """Whether blame has to be decided at all: the rest (an artifact that is missing, a lease that is lost, a wrong
    setting) says itself whose fault it is.
    """
    elsewhere = {"ArtifactMissing", "ArtifactStoreFull", "ArtifactStoreUnavailable", "WorkerCrashed", "LeaseExpired"}
    return isinstance(error, CandidateError | Unavailable) and error.code not in elsewhere


def may_be_either(error: ParetofarmError) -> bool:
    """Errors that a bad network and a bad phone both lead to: worth running the reference network for."""
    return isinstance(error, CandidateError | AdbTimeout | RunnerFailed)


def decide(scene: Scene) -> Party:
    """Whom to blame."""
    if not scene.fit or scene.reference_runs is False:
        return Party.PHONE
    if not may_be_either(scene.error):
        return Party.PHONE
    refused = isinstance(scene.error, CandidateError) and scene.sign is not DspSign.SUBSYSTEM
    if refused:
        return Party.CANDIDATE
    again = scene.unclear_before + 1 >= UNCLEAR_ENOUGH
    return Party.CANDIDATE if again and scene.reference_runs else Party.UNCLEAR


def may_hand_back(*, attempt: int, failures: int) -> bool:
    """Whether an evaluation that went round so often may do so once more. attempt: from 1, failures: of those."""
    return attempt - 1 - failures < MAX_HAND_BACKS
