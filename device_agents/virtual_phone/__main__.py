"""`python -m device_agents.virtual_phone`: a phone for tests and for trying things out."""

import argparse
import logging
import sys
from pathlib import Path

from device_agents.virtual_phone.run import run_phone
from paretofarm.errors import ParetofarmError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m device_agents.virtual_phone", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder that holds the phone's files")
    parser.add_argument("--serial", default="VIRTUAL0001")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: one that is free")
    parser.add_argument("--require-auth", type=Path, action="append", metavar="KEY.pub", help="may be repeated")
    parser.add_argument("--boot-seconds", type=float, default=1.0)
    parser.add_argument("--ready-fd", type=int, help="descriptor to which the port is written")
    parser.add_argument("--die-with-parent", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        run_phone(
            root=arguments.root,
            serial=arguments.serial,
            port=arguments.port,
            require_auth_keys=arguments.require_auth,
            boot_s=arguments.boot_seconds,
            ready_fd=arguments.ready_fd,
            die_with_parent=arguments.die_with_parent,
        )
    except ParetofarmError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
