"""What `paretofarm up` is to the stack, for tests: `python stack_driver.py DATA_FOLDER [IDENTITY]`.

Says in one line of JSON what runs; stops when signalled. Its one process, `worker`, has a child in a session of its
own, whose id it writes into its log.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.local_stack import LocalStack, ProcessSpec, StackUrls
from cli.stack.identity import Identity
from cli.stack.postgres import THROWAWAY
from paretofarm.errors import StackError

WORKER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def processes(urls: StackUrls) -> Sequence[ProcessSpec]:
    return [ProcessSpec("worker", (sys.executable, "-I", "-S", "-c", WORKER))]


def main(data_dir: Path, identity: Identity | None) -> None:
    try:
        with LocalStack(data_dir, processes, identity=identity, postgres_settings=THROWAWAY) as stack:
            pids = {status.name: status.pid for status in stack.services()}
            line = {"user": os.geteuid(), "url": stack.state.database_url, "pids": pids}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            stack.run_until_signal()
    except StackError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(Path(sys.argv[1]), Identity(sys.argv[2]) if sys.argv[2:] else None)
