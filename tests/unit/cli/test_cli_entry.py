"""The program from outside: its first and last moments, and output that cannot be written."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = (sys.executable, "-P", "-m", "cli")
SLOW_IMPORT = """
import builtins, os, signal, sys
sys.path.insert(0, {root!r})
plain = builtins.__import__
def slow(name, *arguments, **keywords):
    if name == "cli.main":
        os.kill(os.getpid(), signal.SIGINT)
    return plain(name, *arguments, **keywords)
builtins.__import__ = slow
from cli.entry import main
sys.argv = ["paretofarm", "--help"]
main()
"""
ROOT = Path(__file__).parents[3]


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A command line for a shell, in which $P is the program."""
    words = " ".join(PROGRAM)
    argv = ["bash", "-c", line.replace("$P", words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def test_ctrl_c_while_the_program_is_imported_is_quiet() -> None:
    argv = [sys.executable, "-c", SLOW_IMPORT.format(root=str(ROOT))]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "paretofarm: interrupted\n")


def test_a_background_job_goes_on_ignoring_ctrl_c() -> None:
    code = SLOW_IMPORT.format(root=str(ROOT)).replace(
        "import builtins", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nimport builtins", 1
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@pytest.mark.parametrize(
    ("line", "reason"),
    [("$P --help > /dev/full", "No space left on device"), ("$P --help >&-", "Bad file descriptor")],
)
def test_output_that_cannot_be_written_is_one_line(line: str, reason: str) -> None:
    result = shell(line)
    assert (result.returncode, result.stderr) == (1, f"paretofarm: standard output cannot be written: {reason}\n")


def test_a_reader_that_has_enough_is_no_failure() -> None:
    result = shell("$P --help | head -1")
    assert (result.returncode, result.stderr) == (0, "")


def test_closed_errors_do_not_matter() -> None:
    assert shell("$P --help 2>&- | tail -1").stdout.startswith("  Exit codes")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("front --nonsense", "No such option '--nonsense': see `paretofarm front --help`"),
        ("--nonsense", "No such option '--nonsense': see `paretofarm --help`"),
        ("candidates", "Missing argument 'SEARCH': see `paretofarm candidates --help`"),
        (
            "agent --connect x",
            "Invalid value for '--connect': 'x' is not HOST:PORT, usb:SERIAL, usb:BUS-PORT, server:SERIAL or "
            "table:CLASS: see `paretofarm agent --help`",
        ),
        (
            "agent --list --connect 127.0.0.1:5555",
            "--list names what is attached by USB and at the adb server: leave out --connect: see `paretofarm agent "
            "--help`",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_too(arguments: str, line: str) -> None:
    result = shell(f"$P {arguments}")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"paretofarm: {line}\n")


def test_a_device_class_that_no_file_could_name_is_refused_before_any_phone_is_asked() -> None:
    result = shell("$P agent --connect 192.0.2.1:5555 --device-class 'a b;c'")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "'a b;c': letters, digits, _ . and - only, at most 63" in result.stderr
