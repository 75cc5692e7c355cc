"""What a phone says of itself, and what stands against measuring it. Texts are as Android prints them."""

from dataclasses import replace

import pytest

from device_agents.conditions import (
    Conditions,
    Limits,
    as_error,
    disturbance,
    fault,
    parse_answers,
    parse_temperatures,
    parse_zones,
)
from device_agents.kept_networks import NetworkSize, parse_sizes, superfluous
from device_agents.orphans import kill_script, parse_working_below
from device_agents.others import ProcessorTime, parse_processor_time, parse_runners
from paretofarm.errors import PhoneOffline, PhoneOverheated, PhoneStorageFull, PhoneUnauthorized
from paretofarm.phone_health import PhoneState

FIT = Conditions(
    booted=True,
    thermal_status=0,
    temperatures={"CPU0": 35.0, "skin": 30.0},
    battery_level=80,
    battery_temperature=28.0,
    powered=True,
    power_saver=False,
    free_bytes=2**33,
)


def test_a_fit_phone_has_no_fault() -> None:
    assert fault(FIT, Limits()) is None
    assert fault(replace(FIT, thermal_status=None, battery_level=None, battery_temperature=None), Limits()) is None


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"booted": False}, PhoneState.BOOTING, "still booting"),
        ({"free_bytes": 2**20}, PhoneState.FULL, "only 1 MB free, 200 MB needed"),
        ({"thermal_status": 2}, PhoneState.COOLING, "thermal status 2"),
        ({"battery_temperature": 43.5}, PhoneState.COOLING, "battery is at 43.5 °C"),
        ({"temperatures": {"skin-therm": 44.0}}, PhoneState.COOLING, "skin-therm is at 44 °C, limit 43 °C"),
        ({"temperatures": {"cpu-1-0-usr": 91.0}}, PhoneState.COOLING, "cpu-1-0-usr"),
        ({"power_saver": True}, PhoneState.UNHEALTHY, "switch it off"),
        ({"battery_level": 29}, PhoneState.LOW_BATTERY, "29 %, 30 % needed"),
    ],
)
def test_a_fault_has_a_state_and_says_why(change: dict[str, object], state: PhoneState, words: str) -> None:
    found = fault(replace(FIT, **change), Limits())  # type: ignore[arg-type]
    assert found is not None
    assert found.state is state
    assert words in found.reason


def test_the_most_fundamental_fault_counts() -> None:
    found = fault(replace(FIT, booted=False, thermal_status=3, battery_level=1), Limits())
    assert found is not None and found.state is PhoneState.BOOTING


def test_a_fault_is_an_error_for_whoever_works() -> None:
    kinds = [type(as_error(state, "x")) for state in (PhoneState.FULL, PhoneState.COOLING, PhoneState.UNAUTHORIZED)]
    assert kinds == [PhoneStorageFull, PhoneOverheated, PhoneUnauthorized]
    assert type(as_error(PhoneState.LOW_BATTERY, "x")) is PhoneOffline


def test_a_change_between_two_looks_spoils_a_block() -> None:
    assert disturbance(FIT, FIT) is None
    assert disturbance(FIT, replace(FIT, thermal_status=1)) == "thermal status went from 0 to 1"
    assert disturbance(FIT, replace(FIT, powered=False)) == "the power source changed"


def test_answers_are_told_apart_by_their_headings() -> None:
    assert parse_answers("=== battery\nlevel: 5\n=== thermal\n=== booted\r\n1\r\n") == {
        "battery": "level: 5\n",
        "thermal": "",
        "booted": "1\n",
    }


def test_zones_stand_in_for_sensors_that_dumpsys_does_not_name() -> None:
    assert parse_temperatures("Thermal Status: 0\nCached temperatures:\n") == {}
    zones = "cpu-0-0-usr 41200\nbattery 28500\nold-zone 37\npmic 0\nbroken -274000\n denied \n"
    assert parse_zones(zones) == {"cpu-0-0-usr": 41.2, "battery": 28.5, "old-zone": 37.0, "pmic": 0.0}


PS = """  PID NAME
    1 init
 4711 qnn-net-run
 4712 /data/local/tmp/snpe-net-run
 4713 onnxruntime_per
 4714 com.android.systemui
 4715 benchmark_model_viewer_app
"""


def test_other_benchmarks_are_known_by_name_even_cut() -> None:
    expected = ("qnn-net-run (4711)", "/data/local/tmp/snpe-net-run (4712)", "onnxruntime_per (4713)")
    assert parse_runners(PS) == expected
    assert parse_runners("  PID NAME\n    1 init\n") == ()


def test_how_busy_the_processors_were_between_two_looks() -> None:
    before = parse_processor_time("cpu  100 0 100 800 0 0 0 0 0 0\n")
    after = parse_processor_time("cpu  160 0 120 820 0 0 0 0 0 0\n")
    assert before == ProcessorTime(200, 1000)
    assert after is not None
    assert after.busy_share_since(before) == pytest.approx(0.8)
    assert before.busy_share_since(before) is None
    assert parse_processor_time("") is None


LISTING = """lrwxrwxrwx 1 root root 0 Nov 22 06:00 /proc/1/cwd
lrwxrwxrwx 1 shell shell 0 2026-11-22 06:00 /proc/77/cwd -> /data/local/tmp/paretofarm/jobs/12-1
lrwxrwxrwx 1 shell shell 0 2026-11-22 06:00 /proc/78/cwd -> /data/local/tmp/paretofarm/jobs/9-1 (deleted)
lrwxrwxrwx 1 shell shell 0 2026-11-22 06:00 /proc/79/cwd -> /
lrwxrwxrwx 1 shell shell 0 2026-11-22 06:00 /proc/80/cwd -> /data/local/tmp/paretofarm-of-others
lrwxrwxrwx 1 shell shell 0 2026-11-22 06:00 /proc/81/cwd -> /tmp/other/data/local/tmp/paretofarm/jobs/1-1
"""


def test_our_processes_are_those_that_work_below_our_folder() -> None:
    assert parse_working_below(LISTING, "/data/local/tmp/paretofarm") == (77, 78)
    assert kill_script((77,)) == "kill -s KILL -- -77 2>/dev/null; kill -s KILL 77 2>/dev/null; true"


def test_the_newest_networks_stay_within_the_quota() -> None:
    listed = parse_sizes("1024\taaa\n2048\tbbb\n1\tccc\n")
    assert listed == [NetworkSize("aaa", 2**20), NetworkSize("bbb", 2**21), NetworkSize("ccc", 1024)]
    assert superfluous(listed) == []
    assert superfluous(listed, kept=2) == ["bbb", "ccc"]
    assert superfluous(listed, quota_bytes=2**21) == ["bbb", "ccc"]
