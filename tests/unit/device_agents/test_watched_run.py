"""How a runner's peak memory is told from what it says itself."""

import pytest

from device_agents.runtimes.watched_run import peak_told, watching
from paretofarm.ports import CommandResult


@pytest.mark.parametrize(
    "stdout, said, peak",
    [
        ("run 0: 1.5 ms\n\n__peak_kb=2048\n", "run 0: 1.5 ms\n", 2 * 2**20),
        ("no line end\n__peak_kb=3\r\n", "no line end", 3072),
        ("\n__peak_kb=7\n", "", 7168),
        ("nothing was seen\n\n__peak_kb=\n", "nothing was seen\n", None),
        ("killed before its end\n", "killed before its end\n", None),
        ("its own\n__peak_kb=1\nand more\n", "its own\n__peak_kb=1\nand more\n", None),
    ],
)
def test_the_last_line_is_ours(stdout: str, said: str, peak: int | None) -> None:
    assert peak_told(CommandResult(3, stdout, "err")) == (CommandResult(3, said, "err"), peak)


def test_the_environment_is_the_runners_alone() -> None:
    words = watching(["/tools/runner", "--fast"], {"LD_LIBRARY_PATH": "/tools/lib:/vendor/lib64"})
    assert words[:2] == ["sh", "-c"]
    assert words[3:] == ["sh", "env", "LD_LIBRARY_PATH=/tools/lib:/vendor/lib64", "/tools/runner", "--fast"]
    assert watching(["runner"], {})[3:] == ["sh", "runner"]
