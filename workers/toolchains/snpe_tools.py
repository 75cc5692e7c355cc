"""The tools of Qualcomm's SNPE (or QAIRT) SDK that run on a Linux host: where they are and how they are started."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paretofarm.errors import ConfigError
from paretofarm.qairt import sdk_version
from workers.toolchains.host_program import Outcome, run_program

ROOT = "SNPE_ROOT"
PYTHON = "PARETOFARM_SNPE_PYTHON"
HOST = "x86_64-linux-clang"
CONVERT, PREPARE = "snpe-onnx-to-dlc", "snpe-dlc-graph-prepare"
QUANTIZE = ("snpe-dlc-quant", "snpe-dlc-quantize")
"""Newer and older SDKs call it so."""
TIMEOUT_S = 600.0
_NOT_OURS = re.compile(r"(ModuleNotFoundError|ImportError|error while loading shared libraries).*")


@dataclass(frozen=True)
class SnpeTools:
    """An SDK. environment: this host's."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "SnpeTools":
        """The SDK that SNPE_ROOT names; ConfigError says what is missing of it."""
        root = environment.get(ROOT)
        if not root:
            raise ConfigError(
                f"the runtime snpe needs Qualcomm's SNPE or QAIRT SDK on workers: {ROOT} names its folder"
            )
        tools = cls(Path(root), environment)
        missing = [name for name in (CONVERT, PREPARE) if not tools.path(name).is_file()]
        if not any(tools.path(name).is_file() for name in QUANTIZE):
            missing.append(QUANTIZE[0])
        if missing:
            raise ConfigError(f"{ROOT}: {root}/bin/{HOST} has no {', '.join(missing)}")
        return tools

    @property
    def quantizer(self) -> str:
        return next(name for name in QUANTIZE if self.path(name).is_file())

    @property
    def version(self) -> str:
        """As the SDK says in `sdk.yaml`, or its folder's name does; else by what its tools are."""
        try:
            description = (self.root / "sdk.yaml").read_text()
        except (OSError, UnicodeDecodeError):
            description = ""
        return sdk_version(description, self.root.name) or self.digest

    @property
    def digest(self) -> str:
        """Changes with the tools."""
        whole = hashlib.sha256()
        for name in (CONVERT, self.quantizer, PREPARE):
            whole.update(self.path(name).read_bytes())
        return whole.hexdigest()[:16]

    def path(self, name: str) -> Path:
        return self.root / "bin" / HOST / name

    def run(self, name: str, *words: str, folder: Path) -> Outcome:
        """Runs a tool in a folder. ConfigError where the SDK's own parts are missing; else as `run_program`."""
        outcome = run_program(
            [*self._interpreter(name), str(self.path(name)), *words],
            folder=folder,
            environment=self.environment,
            own=self._own(),
            timeout_s=TIMEOUT_S,
        )
        if broken := outcome.exit_code and _NOT_OURS.search(outcome.output):
            raise ConfigError(f"{name} does not run on this host: {broken.group(0).strip()}")
        return outcome

    def _interpreter(self, name: str) -> list[str]:
        """The converter is a Python script that wants a Python of its own, with its own packages."""
        python = self.environment.get(PYTHON)
        return [python] if python and name == CONVERT else []

    def _own(self) -> dict[str, str]:
        libraries = self.root / "lib" / HOST
        path = f"{self.root / 'bin' / HOST}:{self.environment.get('PATH', '/usr/bin:/bin')}"
        return {
            ROOT: str(self.root),
            "PATH": path,
            "LD_LIBRARY_PATH": str(libraries),
            "PYTHONPATH": str(self.root / "lib/python"),
        }
