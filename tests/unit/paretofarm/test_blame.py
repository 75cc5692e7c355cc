"""Who is to blame for a failed measurement."""

import pytest

from paretofarm.blame import Party, Scene, decide, is_about_the_device, may_be_either, may_hand_back
from paretofarm.dsp_signs import DspSign
from paretofarm.errors import (
    AdbTimeout,
    ArtifactMissing,
    ConfigError,
    LeaseLost,
    NoisyMeasurement,
    NotDeployable,
    ParetofarmError,
    PhoneOffline,
    PhoneOverheated,
    PhoneStorageFull,
    RunnerFailed,
)

REFUSED, KILLED, HUNG, CUT = NotDeployable("no"), RunnerFailed("137"), AdbTimeout("600 s"), PhoneOffline("reset")


@pytest.mark.parametrize("error", [REFUSED, KILLED, HUNG, CUT, PhoneOverheated()])
def test_a_phone_that_is_unfit_is_to_blame_whatever_the_error(error: ParetofarmError) -> None:
    assert decide(Scene(error, fit=False)) is Party.PHONE


@pytest.mark.parametrize("error", [REFUSED, KILLED, HUNG])
def test_a_phone_that_cannot_run_the_reference_either_is_to_blame(error: ParetofarmError) -> None:
    assert decide(Scene(error, fit=True, reference_runs=False)) is Party.PHONE


@pytest.mark.parametrize("sign", [None, DspSign.CONTEXT])
def test_a_network_that_is_refused_beside_a_running_reference_is_to_blame(sign: DspSign | None) -> None:
    assert decide(Scene(REFUSED, fit=True, reference_runs=True, sign=sign)) is Party.CANDIDATE


@pytest.mark.parametrize(
    ("error", "sign"), [(KILLED, None), (HUNG, None), (REFUSED, DspSign.SUBSYSTEM), (KILLED, DspSign.SUBSYSTEM)]
)
def test_one_death_may_be_chance_two_are_the_networks(error: ParetofarmError, sign: DspSign | None) -> None:
    first = Scene(error, fit=True, reference_runs=True, sign=sign)
    assert decide(first) is Party.UNCLEAR
    assert decide(Scene(error, fit=True, reference_runs=True, sign=sign, unclear_before=1)) is Party.CANDIDATE


def test_without_a_reference_only_a_refusal_is_clear() -> None:
    assert decide(Scene(REFUSED, fit=True)) is Party.CANDIDATE
    assert decide(Scene(KILLED, fit=True, unclear_before=7)) is Party.UNCLEAR


@pytest.mark.parametrize("error", [CUT, PhoneStorageFull()])
def test_a_cut_link_is_never_the_networks_fault(error: ParetofarmError) -> None:
    assert decide(Scene(error, fit=True, reference_runs=True, unclear_before=9)) is Party.PHONE
    assert not may_be_either(error)


@pytest.mark.parametrize("error", [ArtifactMissing(), LeaseLost(), NoisyMeasurement(), ConfigError()])
def test_some_errors_have_nothing_to_do_with_the_phone(error: ParetofarmError) -> None:
    assert not is_about_the_device(error)


def test_nothing_is_handed_back_for_ever() -> None:
    assert may_hand_back(attempt=1, failures=0)
    assert may_hand_back(attempt=10, failures=0)
    assert not may_hand_back(attempt=11, failures=0)
    assert may_hand_back(attempt=11, failures=1)
