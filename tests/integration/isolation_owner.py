"""A process that owns a fork server and waits for a job: for the tests that kill it."""

import json
import sys
from typing import Any

from workers.isolation import ForkServer


def main() -> None:
    server = ForkServer(jobs="isolation_jobs")

    def tell(message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps([server.process_id, *message["processes"]]) + "\n")
        sys.stdout.flush()

    server.run({"function": "wait", "parameters": {}}, tell, 600)


if __name__ == "__main__":
    main()
