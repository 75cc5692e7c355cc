"""What counts as a phone's usual pace."""

from device_agents.usual_pace import UsualPace


def measured_now() -> float:
    return 1.0


def never() -> float:
    raise AssertionError("the pace is known")


def test_the_first_pace_is_measured_and_later_ones_are_remembered() -> None:
    pace = UsualPace()
    assert pace.of("cpu", measured_now) == 1.0
    assert pace.of("cpu", never) == 1.0


def test_one_bad_hour_does_not_move_it_and_a_lasting_change_does() -> None:
    pace = UsualPace()
    for value in (1.0, 1.0, 1.0, 1.5):
        pace.note("cpu", value)
    assert pace.of("cpu", never) == 1.0
    for value in (1.5, 1.5):
        pace.note("cpu", value)
    assert pace.of("cpu", never) == 1.5


def test_protocols_are_kept_apart() -> None:
    pace = UsualPace()
    pace.note("threads=2", 0.6)
    assert pace.of("threads=1", measured_now) == 1.0


def test_at_rest_a_tenth_of_the_remembered_paces_was_faster() -> None:
    pace = UsualPace()
    for value in (1.3, 0.9, *[1.2] * 7, 1.0):
        pace.note("cpu", value)
    assert pace.at_rest("cpu", never) == 1.0
    assert pace.of("cpu", never) == 1.2


def test_a_phone_that_stays_slower_is_at_rest_there_after_twenty_measurements() -> None:
    pace = UsualPace()
    for value in [1.0] * 20 + [1.1] * 18:
        pace.note("cpu", value)
    assert pace.at_rest("cpu", never) == 1.1


def test_what_is_forgotten_is_measured_again() -> None:
    pace = UsualPace()
    pace.note("cpu", 2.0)
    pace.forget()
    assert pace.at_rest("cpu", measured_now) == 1.0
