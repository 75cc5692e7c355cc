"""Of Qualcomm's QNN (QAIRT) SDK, what an agent needs: the phone's runner and libraries, and the profile's reader."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from device_agents.phone import HOME
from device_agents.runtimes.toolset import Toolset
from paretofarm.errors import ConfigError
from paretofarm.qairt import sdk_version
from paretofarm.soc import find_soc

VARIABLES = ("PARETOFARM_QNN_SDK", "QNN_SDK_ROOT")
RUNNER, READER = "qnn-net-run", "qnn-profile-viewer"
PHONE, HOST = "aarch64-android", "x86_64-linux-clang"
LIBRARIES = ("libQnnHtp.so", "libQnnSystem.so", "libQnnHtpNetRunExtensions.so")
READ_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class QnnSdk:
    """An SDK's folder, complete."""

    root: Path

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "QnnSdk":
        """The SDK that the host's settings name; ConfigError says what is missing of it."""
        variable = next((name for name in VARIABLES if environment.get(name)), None)
        if variable is None:
            raise ConfigError(
                f"the runtime qnn needs Qualcomm's QAIRT SDK on agents, for {RUNNER}: {VARIABLES[0]} names its folder"
            )
        sdk = cls(Path(environment[variable]))
        missing = list(sdk._missing())
        if missing:
            raise ConfigError(f"{variable}: {sdk.root} has no {', '.join(missing)}")
        return sdk

    @property
    def version(self) -> str:
        description = self.root / "sdk.yaml"
        version = sdk_version(description.read_text() if description.is_file() else "", self.root.name)
        if version is None:
            raise ConfigError(f"{self.root}: neither sdk.yaml nor the folder's name tells the SDK's version")
        return version

    def archs(self) -> list[int]:
        """The Hexagon architectures that it has both libraries for."""
        stubs = (self.root / "lib" / PHONE).glob("libQnnHtpV*Stub.so")
        numbers = (stub.name.removeprefix("libQnnHtpV").removesuffix("Stub.so") for stub in stubs)
        return sorted(int(number) for number in numbers if number.isdigit() and self._skel(int(number)).is_file())

    def toolset(self, properties: Mapping[str, str], home: str = HOME) -> Toolset:
        """What a phone gets: the libraries of its chip, or of all chips where it does not say which it has."""
        soc = find_soc(properties.get("ro.soc.model") or properties.get("ro.board.platform") or "")
        if soc and soc.arch not in self.archs():
            raise ConfigError(f"{self.root} has no libraries for {soc.hexagon}, the Hexagon of {soc.name}")
        files = {f"bin/{RUNNER}": self._runner()}
        files |= {f"lib/{name}": self._phone_library(name) for name in LIBRARIES}
        for arch in [soc.arch] if soc else self.archs():
            stub = f"libQnnHtpV{arch}Stub.so"
            files[f"lib/{stub}"] = self._phone_library(stub)
            files[f"dsp/{self._skel(arch).name}"] = self._skel(arch)
        return Toolset("qnn", files, home)

    def read_profile(self, log: Path) -> str:
        """What `qnn-profile-viewer` prints. ConfigError where it does not run on this host."""
        return self._read("--input_log", str(log))

    def check_reader(self) -> None:
        """ConfigError where `qnn-profile-viewer` does not start on this host."""
        self._read("--version")

    def _read(self, *words: str) -> str:
        reader = self._reader()
        own = {"LD_LIBRARY_PATH": str(self.root / "lib" / HOST), "PATH": os.environ.get("PATH", os.defpath)}
        try:
            done = subprocess.run(
                [str(reader), *words],
                env=own,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=READ_TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"{reader} does not run: {error}") from error
        if done.returncode != 0:
            reason = " ".join(done.stderr.decode(errors="backslashreplace").split())[-300:]
            raise ConfigError(f"{READER} failed (exit code {done.returncode}): {reason}")
        return done.stdout.decode(errors="backslashreplace")

    def _missing(self) -> Iterator[str]:
        for file in (self._runner(), self._reader(), *map(self._phone_library, LIBRARIES)):
            if not file.is_file():
                yield str(file.relative_to(self.root))
        if not self.archs():
            yield f"lib/{PHONE}/libQnnHtpV…Stub.so with lib/hexagon-v…/unsigned/libQnnHtpV…Skel.so"

    def _runner(self) -> Path:
        return self.root / "bin" / PHONE / RUNNER

    def _reader(self) -> Path:
        return self.root / "bin" / HOST / READER

    def _phone_library(self, name: str) -> Path:
        return self.root / "lib" / PHONE / name

    def _skel(self, arch: int) -> Path:
        return self.root / "lib" / f"hexagon-v{arch}" / "unsigned" / f"libQnnHtpV{arch}Skel.so"
