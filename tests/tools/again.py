"""Runs what failed in the last run of the tests once more, alone and one after the other; at most three tests.

Many tests here time real processes on machines whose neighbours nobody knows. What fails beside others and passes alone
is told as such. More than three failures are no bad luck: nothing is run again then.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 3
LAST_FAILED = Path(__file__).parents[2] / ".pytest_cache/v/cache/lastfailed"


def main() -> int:
    failed = sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.is_file() else []
    if not 0 < len(failed) <= MOST:
        sys.stderr.write(f"{len(failed)} tests are on record as failed: not run again (that takes 1 to {MOST})\n")
        return 1
    sys.stderr.write("failed beside others, run again alone:\n" + "".join(f"  {name}\n" for name in failed))
    return subprocess.run([sys.executable, "-m", "pytest", *failed]).returncode


if __name__ == "__main__":
    sys.exit(main())
