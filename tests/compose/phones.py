"""The profile `phones`: the agent finds the phones of an adb server by itself, and follows them as they come and go."""

import json

from farm import ALWAYS_ON, CheckFailed, Farm, check, say, timed, wait
from ledger import check_search
from small_search import CANDIDATES, SEARCH, make_faces, start_search
from walls import check_walls

PHONE = "phone:5555"  # in compose's network, as the adb server names it
NOTICE_S = 120.0


def check_phones(farm: Farm, seed: int) -> None:
    timed("up", lambda: farm.up(*ALWAYS_ON, "phone", "adb-server"))
    check_walls(farm)
    farm.compose("up", "--detach", "agent")
    wait(
        lambda: "no phone is attached" in farm.compose("logs", "agent"),
        "the agent's word that there is no phone",
        NOTICE_S,
    )
    say("the agent says that no phone is attached")
    make_faces(farm)
    _plug(farm, "connect")
    farm.up("agent")
    check(_state(farm) == "ready", "a phone that is plugged in is found, and measured on")
    timed("the search", lambda: start_search(farm))
    check_search(farm, SEARCH, CANDIDATES)
    _plug(farm, "disconnect")
    wait(lambda: _state(farm) == "offline", "the phone to be offline", NOTICE_S)
    say("ok: a phone that is unplugged is offline")
    _plug(farm, "connect")
    wait(lambda: _state(farm) == "ready", "the phone to be back", NOTICE_S)
    say("ok: and ready again once it is back")
    farm.up("agent")


def _plug(farm: Farm, verb: str) -> None:
    said = farm.compose("exec", "-T", "adb-server", "adb", verb, PHONE).strip()
    if "connected" not in said:
        raise CheckFailed(f"adb {verb}: {said}")
    say(f"adb {verb}: {said}")


def _state(farm: Farm) -> str:
    """Of the only phone; nothing where there is none."""
    phones = json.loads(farm.cli("phones", "--json"))
    return "".join(phone["state"] for phone in phones)
