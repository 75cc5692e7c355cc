"""What fetches Android's own adbd says in one line what it lacks."""

import shutil
import subprocess
from pathlib import Path

from phone_processes import ADBD

USED_BEFORE_APT = ("bash", "cat", "dirname", "dpkg", "grep", "head", "ls", "mkdir", "tail", "tr", "uname")


def complaint(folder: Path, environment: dict[str, str]) -> str:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, str(ADBD), "fetch", str(folder)], capture_output=True, text=True, timeout=60, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr.strip()


def test_a_machine_without_apt_is_told(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in USED_BEFORE_APT:
        (programs / name).symlink_to(shutil.which(name) or "/nowhere")
    assert complaint(tmp_path / "adbd", {"PATH": str(programs)}) == (
        "adbd.sh: needs apt-get, so Debian or Ubuntu, to fetch Android's adbd"
    )


def test_a_mirror_without_the_release_is_named(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ADBD_MIRROR": f"file:{tmp_path}/debian"}
    said = complaint(tmp_path / "adbd", environment)
    assert said.startswith(f"adbd.sh: adbd cannot be fetched from file:{tmp_path}/debian: E: The repository")
