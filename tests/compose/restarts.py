"""A search through kills and restarts of everything, new passwords, backup and restore: nothing lost, nothing twice."""

import time

from backup import check_backup
from farm import ALWAYS_ON, DEMO, CheckFailed, Farm, check, say, timed, wait
from havoc import Havoc
from ledger import check_search, counts, status
from logs import check_logs
from walls import check_walls

SEARCH, CANDIDATES = "compose-test", 24
LEASE_S = 15


def check_restarts(farm: Farm, seed: int) -> None:
    say(f"seed {seed}")
    started = time.monotonic()
    timed("up", lambda: farm.up(*ALWAYS_ON))
    check_walls(farm)
    _begin_search(farm, started)
    _see_through(farm, seed)
    check_search(farm, SEARCH, CANDIDATES)
    check_logs(farm)
    front = farm.cli("front", SEARCH, "--json")
    _check_rotation(farm)
    check_backup(farm, SEARCH, front)


def _begin_search(farm: Farm, started: float) -> None:
    farm.run("data", "faces", "--count", "400", "--size", "64", "--out", "data/faces")
    farm.up(*DEMO)
    farm.cli("search", "start", "experiments/compose_test.yaml")
    wait(lambda: farm.sql("SELECT 1 FROM evaluations WHERE started_at IS NOT NULL LIMIT 1") != [], "a first candidate")
    say(f"cold up to first candidate running, data set included: {time.monotonic() - started:.0f} s")


def _see_through(farm: Farm, seed: int) -> None:
    """Kills all the while; in between more trainers, planned restarts, and everything down and up again."""
    with Havoc(farm, seed) as havoc:
        # Without what it depends on, which may just have been killed.
        farm.compose("up", "--detach", "--no-recreate", "--no-deps", "--scale", "trainer=3", "trainer")
        check(len(farm.containers("trainer")) == 3, "trainers scaled from 1 to 3")
        wait(havoc.has_hit_all, "every service to have been killed once")
    say(f"killed so far: {dict(havoc.kills)}")
    farm.compose("restart", "postgres", "broker")
    say("postgres and broker restarted")
    _down_and_up(farm)
    with Havoc(farm, seed + 1) as havoc:
        wait(lambda: havoc.has_hit_all() or _is_over(farm), "every service to have been killed once more")
    say(f"killed after that: {dict(havoc.kills)}")
    farm.up(*ALWAYS_ON, *DEMO)
    # Without kills: on a slow machine there would be no end of them, and an evaluation has five attempts.
    wait(lambda: _is_over(farm), "the end of the search")


def _is_over(farm: Farm) -> bool:
    try:
        return status(farm, SEARCH) == "finished"
    except CheckFailed:  # postgres is down, as it may be
        return False


def _down_and_up(farm: Farm) -> None:
    farm.up("postgres")
    time.sleep(LEASE_S)  # until those of the killed have expired
    wait(lambda: len(_leases(farm)) > 0, "something in progress")
    held = len(_leases(farm))
    farm.compose("stop", "scheduler", "worker", "trainer", *DEMO)
    check(not _leases(farm), f"of {held} leases none is left by those that were told to stop")
    before = counts(farm)
    farm.compose("down")
    farm.up("--scale", "trainer=3", *ALWAYS_ON, *DEMO)
    after = counts(farm)
    check(
        all(after[table] >= rows for table, rows in before.items()), f"down and up lost no row ({sum(before.values())})"
    )


def _leases(farm: Farm) -> list[str]:
    """Those that are held now."""
    return farm.sql("SELECT id FROM evaluations WHERE status = 'leased' AND lease_expires_at > now()")


def _check_rotation(farm: Farm) -> None:
    """Every password anew, as docs/secrets.md says; services work with the new ones, the old ones are refused."""
    users = ("scheduler", "worker", "agent", "reader", "dashboard")
    names = (*(f"database-{user}" for user in users), "broker")
    farm.run("secrets", "secrets", "renew", *names, "--out", "/run/secrets")
    refused = _refusal(farm)
    check("password authentication failed" in refused, "before the logins are renewed, a new password is refused")
    farm.up("--force-recreate", *ALWAYS_ON, *DEMO)
    check(SEARCH in farm.cli("search", "list"), "all passwords were replaced, and everything works with the new ones")


def _refusal(farm: Farm) -> str:
    try:
        return farm.run("--no-deps", "cli", "search", "list")
    except CheckFailed as error:
        return str(error)
