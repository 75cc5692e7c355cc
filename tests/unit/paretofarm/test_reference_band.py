"""The band within which a phone's reference network is as usual."""

import numpy as np
import pytest

from paretofarm.reference_band import LEARNING, band, complaint


def test_a_new_phone_has_no_band() -> None:
    assert band([1.0] * (LEARNING - 1)) is None
    assert complaint(99.0, None) is None


def test_a_steady_phone_may_be_eight_percent_off() -> None:
    usual = band([10.0, 10.0, 10.1, 9.9, 10.0])
    assert usual is not None
    assert complaint(10.79, usual) is None
    assert "8% more than usual" in (complaint(10.85, usual) or "")
    assert "less than usual" in (complaint(9.0, usual) or "")


def test_a_restless_phone_may_be_as_far_off_as_it_is_restless() -> None:
    usual = band([10.0, 9.0, 11.0, 9.5, 10.5])
    assert usual is not None
    assert usual.width_ms == pytest.approx(2.0)


def test_one_odd_check_does_not_widen_it() -> None:
    values = [10.0, 10.1, 9.9, 10.05, 9.95, 30.0]
    usual = band(values)
    assert usual is not None
    assert usual.width_ms < 1.0


def test_a_change_that_stays_is_the_new_usual() -> None:
    usual = band([*np.full(20, 10.0), *np.full(11, 12.0)])
    assert usual is not None
    assert usual.median_ms == 12.0


def test_more_room_can_be_asked_for() -> None:
    usual = band([10.0] * 5, min_share=3.0)
    assert usual is not None
    assert usual.holds(39.0)
