"""Of Qualcomm's SNPE (or QAIRT) SDK, what an agent needs: the phone's runner and libraries, and the log's reader."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from device_agents.phone import HOME
from device_agents.runtimes.toolset import Toolset
from paretofarm.errors import ConfigError
from paretofarm.soc import find_soc

ROOT = "SNPE_ROOT"
RUNNER, READER = "snpe-net-run", "snpe-diagview"
HOST = "x86_64-linux-clang"
READ_TIMEOUT_S = 60.0
ALSO = ("libc++_shared.so",)
"""Pushed where the SDK has it."""
_STUB = re.compile(r"libSnpeHtpV(\d+)Stub\.so")


@dataclass(frozen=True)
class SnpeSdk:
    """An SDK's folder. What is for phones lies in `aarch64-android` of `bin` and `lib` (older: `aarch64-android-…`)."""

    root: Path

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "SnpeSdk":
        """The SDK that SNPE_ROOT names; ConfigError says what is missing of it."""
        root = environment.get(ROOT)
        if not root:
            raise ConfigError(f"the runtime snpe needs Qualcomm's SNPE or QAIRT SDK on agents: {ROOT} names its folder")
        sdk = cls(Path(root))
        missing = list(sdk._missing())
        if missing:
            raise ConfigError(f"{ROOT}: {root} has no {', '.join(missing)}")
        return sdk

    def archs(self) -> list[int]:
        """The Hexagon versions that it has both libraries for."""
        found = (_STUB.fullmatch(file.name) for folder in self._folders("lib") for file in folder.iterdir())
        archs = {int(match.group(1)) for match in found if match}
        return sorted(arch for arch in archs if self._skel(arch).is_file())

    def toolset(self, properties: Mapping[str, str], home: str = HOME) -> Toolset:
        """What a phone gets: the libraries of its chip, or of all chips where it does not say which it has."""
        soc = find_soc(properties.get("ro.soc.model") or properties.get("ro.board.platform") or "")
        archs = [soc.arch] if soc else self.archs()
        if soc and soc.arch not in self.archs():
            raise ConfigError(f"{ROOT}: {self.root} has no libraries for {soc.hexagon}, the Hexagon of {soc.name}")
        files = {
            f"bin/{RUNNER}": self._for_phones("bin", RUNNER),
            "lib/libSNPE.so": self._for_phones("lib", "libSNPE.so"),
        }
        for arch in archs:
            stub = f"libSnpeHtpV{arch}Stub.so"
            files[f"lib/{stub}"] = self._for_phones("lib", stub)
            files[f"dsp/{self._skel(arch).name}"] = self._skel(arch)
        others = {name: self._for_phones("lib", name) for name in ALSO}
        files |= {f"lib/{name}": file for name, file in others.items() if file.is_file()}
        return Toolset("snpe", files, home)

    def read_log(self, log: Path) -> str:
        """What `snpe-diagview` prints. ConfigError where it does not run on this host."""
        libraries = str(self.root / "lib" / HOST)
        own = {ROOT: str(self.root), "LD_LIBRARY_PATH": libraries, "PATH": os.environ.get("PATH", os.defpath)}
        reader = self.root / "bin" / HOST / READER
        try:
            done = subprocess.run(
                [str(reader), "--input_log", log.name],
                cwd=log.parent,
                env=own,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=READ_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"{reader} does not run: {error}") from error
        if done.returncode != 0:
            reason = " ".join(done.stderr.decode(errors="backslashreplace").split())[-300:]
            raise ConfigError(f"{READER} failed (exit code {done.returncode}): {reason}")
        return done.stdout.decode(errors="backslashreplace")

    def _missing(self) -> Iterator[str]:
        if not (self.root / "bin" / HOST / READER).is_file():
            yield f"bin/{HOST}/{READER}"
        for kind, name in (("bin", RUNNER), ("lib", "libSNPE.so")):
            if not self._for_phones(kind, name).is_file():
                yield f"{kind}/aarch64-android/{name}"
        if not self.archs():
            yield "lib/aarch64-android/libSnpeHtpV…Stub.so with its lib/hexagon-v…/unsigned/libSnpeHtpV…Skel.so"

    def _folders(self, kind: str) -> list[Path]:
        return sorted(folder for folder in (self.root / kind).glob("aarch64-android*") if folder.is_dir())

    def _for_phones(self, kind: str, name: str) -> Path:
        places = [folder / name for folder in self._folders(kind)] or [self.root / kind / "aarch64-android" / name]
        return next((place for place in places if place.is_file()), places[0])

    def _skel(self, arch: int) -> Path:
        return self.root / "lib" / f"hexagon-v{arch}" / "unsigned" / f"libSnpeHtpV{arch}Skel.so"
