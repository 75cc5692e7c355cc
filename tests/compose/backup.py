"""Backup, everything deleted, restore: the same rows and the same front."""

from farm import ALWAYS_ON, DEMO, Farm, check, say
from ledger import counts


def check_backup(farm: Farm, search: str, front: str) -> None:
    """front: what `front --json` said."""
    farm.compose("stop", "scheduler", "worker", "trainer", *DEMO)
    before = counts(farm)
    say(farm.run("admin", "backup", "/backups/farm").strip() or "backed up")
    farm.compose("down", "--volumes")
    farm.up("postgres")
    farm.run("admin", "restore", "/backups/farm")
    check(counts(farm) == before, f"backup, down -v, restore: the same {sum(before.values())} rows")
    farm.up(*ALWAYS_ON)
    check(farm.cli("front", search, "--json") == front, "the front is the same, byte for byte")
