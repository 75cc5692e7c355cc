"""Runs Postgres while commands use it: `python -m cli.stack.keeper DATA_FOLDER`. See `embedded.py`."""

import logging
import sys
from pathlib import Path

from cli.local_stack import LocalStack
from cli.stack.embedded import IN_USE
from cli.stack.state import FileLock, StackInUse, StackMode
from paretofarm.errors import ParetofarmError


def main(data_dir: Path) -> None:
    """Exit codes: 0 nobody uses it any more, 75 another process has the folder, 1 with a line on standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    stack = LocalStack(data_dir, mode=StackMode.DATABASE, lock_wait_s=0.5)
    try:
        keep(stack)
    except StackInUse as error:
        raise SystemExit(IN_USE) from error
    except ParetofarmError as error:
        raise SystemExit(str(error)) from error


def keep(stack: LocalStack) -> None:
    """Whoever has started us holds the lock already. Nobody gets it any more while we stop."""
    with FileLock(stack.folder.users) as users, stack:
        while not users.acquire(wait_s=1.0):
            stack.check()
        stack.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
