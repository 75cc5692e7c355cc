"""compose.s3.yml: artifacts on an S3 server with keys, which is killed meanwhile, collected, backed up and restored."""

import threading
import time

from backup import check_backup
from farm import ALWAYS_ON, Farm, check, say, timed
from page import get
from small_search import SEARCH, check_small_search
from walls import check_unseen, check_walls

LIST = "import s3fs; print(*sorted(s3fs.S3FileSystem(use_listings_cache=False).find('paretofarm')), sep='\\n')"
KEPT = "SELECT sha256 FROM artifacts WHERE deleted_at IS NULL"
LATER = """
    CREATE SCHEMA later;
    CREATE FUNCTION later.clock_timestamp() RETURNS timestamptz LANGUAGE sql
        AS $$ SELECT pg_catalog.clock_timestamp() + interval '3 days' $$;
    ALTER ROLE paretofarm SET search_path = later, pg_catalog, public
"""
"""The clock that gc asks, three days ahead: S3's own dates cannot be changed."""
NOW = "ALTER ROLE paretofarm RESET search_path; DROP SCHEMA later CASCADE"
DOWN_S = 10.0


def check_s3(farm: Farm, seed: int) -> None:
    timed("up", lambda: farm.up(*ALWAYS_ON, "s3"))
    check_walls(farm)
    _check_keys(farm)
    with _Outage(farm):
        front = check_small_search(farm)
    _check_everything_is_there(farm, "all artifacts are on S3")
    check(
        farm.run("--entrypoint", "find", "cli", "/var/lib/paretofarm/artifacts", "-type", "f") == "",
        "none is elsewhere",
    )
    _check_collection(farm)
    check_backup(farm, SEARCH, front)
    _check_everything_is_there(farm, "all artifacts are on the new S3")


def _check_keys(farm: Farm) -> None:
    keys = farm.run("--no-deps", "--entrypoint", "cat", "s3-bucket", "/run/s3/credentials")
    check_unseen(farm, keys.split(), "key of S3")
    address = farm.compose("port", "s3", "8333").strip()
    check(get(f"http://{address}/paretofarm/")[0] == 403, "who has no key is refused")
    inside = "import socket; s = socket.socket(); s.settimeout(3); print(s.connect_ex(('s3', {port})))"
    for port in (8888, 9333, 8080, 18888, 19333, 18080):
        code = farm.run("--no-deps", "--entrypoint", "python", "cli", "-c", inside.format(port=port)).strip()
        check(code != "0", f"port {port}, which asks for no key, is closed to other containers")


def _check_everything_is_there(farm: Farm, what: str) -> None:
    stored = {name.rsplit("/", 1)[-1] for name in farm.run("--entrypoint", "python", "cli", "-c", LIST).split()}
    wanted = set(farm.sql(KEPT))
    check(wanted != set() and stored == wanted, f"{what} ({len(wanted)})")


def _check_collection(farm: Farm) -> None:
    """What is off the front goes, once three days have passed; the front's stays."""
    before = len(farm.sql(KEPT))
    gc = ("admin", "gc", "--checkpoints-after", "1", "--networks-after", "1")
    farm.sql(LATER)
    farm.run(*gc)
    check(len(farm.sql(KEPT)) == before, "gc changes nothing until it is told to")
    say(farm.run(*gc, "--delete").strip())
    farm.sql(NOW)
    left = len(farm.sql(KEPT))
    check(0 < left < before, f"gc deleted {before - left} of {before}")
    _check_everything_is_there(farm, "S3 has what gc has left")


class _Outage:
    """Kills the server once the first candidate is trained, and starts it again some seconds later."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._done = threading.Event()
        self._struck = False
        self._thread = threading.Thread(target=self._run, name="outage")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()
        if exc[0] is None:
            check(self._struck, "S3 was away in the midst of it")

    def _run(self) -> None:
        while not self._farm.sql("SELECT 1 FROM artifacts LIMIT 1"):
            if self._done.wait(1.0):
                return
        container = self._farm.containers("s3")
        self._farm.docker("kill", *container)
        say("killed the container of s3")
        time.sleep(DOWN_S)
        self._farm.docker("start", *container)
        self._struck = True
