"""`make test-compose`: the whole deployment, for real, in cases that each build, start and remove one of their own.

    python tests/compose/run.py [--stand-ins] [--keep] [--seed N] [CASE ...]

restarts   a search through kills and restarts, new passwords, backup and restore (by default; ten minutes)
demo       `docker compose --profile demo up`: the whole of examples/faces_demo.yaml
tls        compose.tls.yml: everything encrypted, a search, plain text refused
s3         compose.s3.yml with SeaweedFS: a search, the server killed meanwhile, gc, backup and restore
phones     the profile `phones`, with the virtual phone at an adb server, plugged in and out
observability  the profile of that name: Prometheus reaches every process, also of trainers that are added

Needs Docker with compose v2; TORCH_INDEX and deploy/wheels as for any build. It prints what it checks; the first thing
that does not hold ends it with exit code 1 and the containers' logs.
"""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from demo import check_demo
from farm import PROFILES, CheckFailed, Farm, say, timed
from observability import check_observability
from phones import check_phones
from restarts import LEASE_S, check_restarts
from s3 import check_s3
from small_search import write_experiments
from stand_ins import build_stand_ins
from tls import check_tls


@dataclass(frozen=True)
class Case:
    """check: given the deployment and a seed. stand_ins: those that it can use; Debian's PostgreSQL 17 cannot be backed
    up with our pg_dump 18. The rest: compose files, profiles and variables that it needs.
    """

    check: Callable[[Farm, int], None]
    overrides: tuple[str, ...] = ()
    profiles: tuple[str, ...] = PROFILES
    environment: dict[str, str] = field(default_factory=dict)
    stand_ins: tuple[str, ...] = ("broker",)


SHORT_LEASES = {"PARETOFARM_LEASE_SECONDS": str(LEASE_S), "PARETOFARM_RESEND_SECONDS": "10"}
CASES = {
    "restarts": Case(check_restarts, environment=SHORT_LEASES),
    "demo": Case(check_demo, profiles=("demo",), environment={"PARETOFARM_EXPERIMENTS": "./examples"}),
    "tls": Case(check_tls, ("compose.tls.yml",), environment=SHORT_LEASES, stand_ins=("broker", "postgres")),
    "s3": Case(
        check_s3,
        ("compose.s3.yml",),
        (*PROFILES, "s3"),
        {**SHORT_LEASES, "PARETOFARM_EXTRAS": "s3"},
        ("broker", "seaweedfs"),
    ),
    "phones": Case(
        check_phones,
        ("tests/compose/phones.yml",),
        (*PROFILES, "phones"),
        {**SHORT_LEASES, "PARETOFARM_ADB_SERVER": "adb-server:5037"},
    ),
    "observability": Case(
        check_observability, profiles=(*PROFILES, "observability"), stand_ins=("broker", "prometheus")
    ),
}


def main() -> int:
    options = _options()
    return max([_run(CASES[name], name, options) for name in options.cases])


def _run(case: Case, name: str, options: argparse.Namespace) -> int:
    images = build_stand_ins(case.stand_ins) if options.stand_ins else {}
    with tempfile.TemporaryDirectory(prefix="paretofarm-compose-") as folder:
        environment = _environment(Path(folder)) | images | case.environment
        farm = Farm(f"paretofarm-test-{secrets.token_hex(3)}", environment, case.overrides, case.profiles)
        say(f"case {name}: project {farm.project}")
        try:
            timed("build", lambda: farm.compose("build", timeout_s=3600.0))
            case.check(farm, options.seed)
        except CheckFailed as error:
            say(f"FAILED: {name}: {error}")
            print(farm.compose("logs", "--tail", "40"), file=sys.stderr)
            return 1
        finally:
            if not options.keep:
                replace(farm, profiles=("*",)).compose("down", "--volumes", "--timeout", "20")
                _give_back(farm)
    say(f"{name}: all of it holds")
    return 0


def _environment(folder: Path) -> dict[str, str]:
    backups, experiments = folder / "backups", folder / "experiments"
    backups.mkdir()
    backups.chmod(0o777)  # containers write there as a user of their own
    experiments.mkdir()
    folder.chmod(0o755)
    write_experiments(experiments)
    return {
        "PARETOFARM_EXPERIMENTS": str(experiments),
        "PARETOFARM_BACKUPS": str(backups),
        "PARETOFARM_POSTGRES_PORT": "0",  # any that is free
        "PARETOFARM_BROKER_PORT": "0",
        "PARETOFARM_S3_PORT": "0",
        "PARETOFARM_DASHBOARD_PORT": "0",
        "PARETOFARM_PROMETHEUS_PORT": "0",
    }


def _give_back(farm: Farm) -> None:
    """The containers' user owns what it wrote."""
    remove = ("--entrypoint", "sh", "paretofarm-cli:local", "-c", "rm -rf /backups/*")
    farm.docker(
        "run", "--rm", "--network", "none", "--volume", f"{farm.environment['PARETOFARM_BACKUPS']}:/backups", *remove
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", choices=[*CASES, []], default=["restarts"])
    parser.add_argument("--stand-ins", action="store_true", help="Debian's and PyPI's servers, not the official images")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1000), help="of the kills")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
