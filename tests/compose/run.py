"""`make test-compose`: the whole deployment, for real: build, a search through kills and restarts, backup and restore.

    python tests/compose/run.py [--keep] [--seed N]

Takes about ten minutes after the first build. Needs Docker with compose v2; TORCH_INDEX and deploy/wheels as for any
build. It prints what it checks; the first thing that does not hold ends it with exit code 1 and the containers' logs.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from farm import CheckFailed, Farm, check, say
from havoc import Havoc
from ledger import check_search, counts, status

SEARCH, CANDIDATES = "compose-test", 24
LEASE_S = 15
ALWAYS_ON = ("postgres", "broker", "scheduler", "worker", "trainer")
DEMO = ("phone", "demo-agent")
PATIENCE_S = 900.0


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="paretofarm-backups-") as backups:
        Path(backups).chmod(0o777)  # containers write there as a user of their own
        farm = Farm(f"paretofarm-test-{secrets.token_hex(3)}", _environment(backups))
        try:
            _test(farm, options.seed)
        except (CheckFailed, subprocess.TimeoutExpired) as error:
            say(f"FAILED: {error}")
            print(farm.compose("logs", "--tail", "40"), file=sys.stderr)
            return 1
        finally:
            if not options.keep:
                farm.compose("down", "--volumes", "--timeout", "20")
                _give_back(farm, backups)
    say("all of it holds")
    return 0


def _test(farm: Farm, seed: int) -> None:
    say(f"project {farm.project}, seed {seed}")
    _timed("build", lambda: farm.compose("build", timeout_s=3600.0))
    started = time.monotonic()
    _timed("up", lambda: farm.compose("up", "--detach", "--wait", *ALWAYS_ON))
    _check_walls(farm)
    _begin_search(farm, started)
    _see_through(farm, seed)
    check_search(farm, SEARCH, CANDIDATES)
    front = farm.cli("front", SEARCH, "--json")
    _check_rotation(farm)
    _check_backup(farm, front)


def _begin_search(farm: Farm, started: float) -> None:
    farm.compose("run", "--rm", "-T", "data", "faces", "--count", "400", "--size", "64", "--out", "data/faces")
    farm.compose("up", "--detach", "--wait", *DEMO)
    farm.cli("search", "start", "experiments/compose_test.yaml")
    _wait(lambda: farm.sql("SELECT 1 FROM evaluations WHERE started_at IS NOT NULL LIMIT 1") != [], "a first candidate")
    say(f"cold up to first candidate running, data set included: {time.monotonic() - started:.0f} s")


def _see_through(farm: Farm, seed: int) -> None:
    """Kills all the while; in between more trainers, planned restarts, and everything down and up again."""
    with Havoc(farm, seed) as havoc:
        farm.compose("up", "--detach", "--no-recreate", "--scale", "trainer=3", "trainer")
        check(len(farm.containers("trainer")) == 3, "trainers scaled from 1 to 3")
        _wait(havoc.has_hit_all, "every service to have been killed once")
    say(f"killed so far: {dict(havoc.kills)}")
    farm.compose("restart", "postgres", "broker")
    say("postgres and broker restarted")
    _down_and_up(farm)
    with Havoc(farm, seed + 1) as havoc:
        _wait(lambda: _is_over(farm, havoc), "the end of the search")
    say(f"killed after that: {dict(havoc.kills)}")
    farm.compose("up", "--detach", "--wait", *ALWAYS_ON, *DEMO)


def _is_over(farm: Farm, havoc: Havoc) -> bool:
    if havoc.error:
        raise havoc.error
    try:
        return status(farm, SEARCH) == "finished"
    except CheckFailed:  # postgres is down, as it may be
        return False


def _down_and_up(farm: Farm) -> None:
    farm.compose("up", "--detach", "--wait", "postgres")
    time.sleep(LEASE_S)  # until those of the killed have expired
    _wait(lambda: len(_leases(farm)) > 0, "something in progress")
    held = len(_leases(farm))
    farm.compose("stop", "scheduler", "worker", "trainer", *DEMO)
    check(not _leases(farm), f"of {held} leases none is left by those that were told to stop")
    before = counts(farm)
    farm.compose("down")
    farm.compose("up", "--detach", "--wait", "--scale", "trainer=3", *ALWAYS_ON, *DEMO)
    after = counts(farm)
    check(
        all(after[table] >= rows for table, rows in before.items()), f"down and up lost no row ({sum(before.values())})"
    )


def _leases(farm: Farm) -> list[str]:
    """Those that are held now."""
    return farm.sql("SELECT id FROM evaluations WHERE status = 'leased' AND lease_expires_at > now()")


def _check_walls(farm: Farm) -> None:
    """What `docker inspect` shows: users, privileges, ports, and no password anywhere."""
    containers = farm.inspect(farm.containers(all=True))
    check(all(_is_unprivileged(container) for container in containers), "no container is root or privileged")
    bound = {
        binding["HostIp"]
        for container in containers
        for bindings in (container["HostConfig"]["PortBindings"] or {}).values()  # type: ignore[index]
        for binding in bindings
    }
    check(bound == {"127.0.0.1"}, "ports are bound to 127.0.0.1")
    passwords = farm.compose(
        "run", "--rm", "-T", "--entrypoint", "sh", "secrets", "-c", "cat /run/secrets/[!b]* /run/secrets/broker"
    )
    seen = str(containers)
    check(not [word for word in passwords.split() if len(word) > 20 and word in seen], "no password in docker inspect")
    refused = farm.compose(
        "run", "--rm", "-T", "--entrypoint", "sh", "cli", "-c", "cat /run/secrets/database-admin 2>&1 || true"
    )
    check("Permission denied" in refused, "the command line's container cannot read the database owner's password")


def _is_unprivileged(container: dict[str, object]) -> bool:
    user = container["Config"]["User"]  # type: ignore[index]
    host = container["HostConfig"]
    assert isinstance(host, dict)
    return (
        user.split(":")[0] not in ("", "0", "root")
        and not host["Privileged"]
        and host["CapDrop"] == ["ALL"]
        and not host["CapAdd"]
        and host["ReadonlyRootfs"]
    )


def _check_rotation(farm: Farm) -> None:
    """Every password anew, as docs/secrets.md says; services work with the new ones, the old ones are refused."""
    names = ("database-scheduler", "database-worker", "database-agent", "database-reader", "broker")
    farm.compose("run", "--rm", "-T", "secrets", "secrets", "renew", *names, "--out", "/run/secrets")
    refused = _refusal(farm)
    check("password authentication failed" in refused, "before the logins are renewed, a new password is refused")
    farm.compose("up", "--detach", "--wait", "--force-recreate", *ALWAYS_ON, *DEMO)
    check(SEARCH in farm.cli("search", "list"), "all passwords were replaced, and everything works with the new ones")


def _refusal(farm: Farm) -> str:
    try:
        return farm.compose("run", "--rm", "-T", "--no-deps", "cli", "search", "list")
    except CheckFailed as error:
        return str(error)


def _check_backup(farm: Farm, front: str) -> None:
    farm.compose("stop", "scheduler", "worker", "trainer", *DEMO)
    before = counts(farm)
    say(farm.compose("run", "--rm", "-T", "admin", "backup", "/backups/farm").strip() or "backed up")
    farm.compose("down", "--volumes")
    farm.compose("up", "--detach", "--wait", "postgres")
    farm.compose("run", "--rm", "-T", "admin", "restore", "/backups/farm")
    check(counts(farm) == before, f"backup, down -v, restore: the same {sum(before.values())} rows")
    farm.compose("up", "--detach", "--wait", *ALWAYS_ON)
    check(farm.cli("front", SEARCH, "--json") == front, "the front is the same, byte for byte")


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise CheckFailed(f"waited {PATIENCE_S:.0f} s for {what}")
        time.sleep(1.0)


def _timed(what: str, action: Callable[[], object]) -> None:
    started = time.monotonic()
    action()
    say(f"{what}: {time.monotonic() - started:.0f} s")


def _environment(backups: str) -> dict[str, str]:
    return {
        "PARETOFARM_EXPERIMENTS": "./tests/compose",
        "PARETOFARM_BACKUPS": backups,
        "PARETOFARM_LEASE_SECONDS": str(LEASE_S),
        "PARETOFARM_RESEND_SECONDS": "10",
        "PARETOFARM_POSTGRES_PORT": "0",  # any that is free
        "PARETOFARM_BROKER_PORT": "0",
    }


def _give_back(farm: Farm, backups: str) -> None:
    """The containers' user owns what it wrote."""
    remove = ("--entrypoint", "sh", "paretofarm-cli:local", "-c", "rm -rf /backups/*")
    farm.docker("run", "--rm", "--network", "none", "--volume", f"{backups}:/backups", *remove)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1000), help="of the kills")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
