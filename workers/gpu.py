"""What the GPUs of this machine say of themselves. Asked of `nvidia-smi`: this process must not load torch."""

import csv
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from paretofarm import instruments
from paretofarm.instrument import Reading

log = logging.getLogger(__name__)

PROGRAM = "nvidia-smi"
TIMEOUT_S = 5.0
MEBIBYTE = 2**20
_DRIVER = Path("/dev/nvidiactl")
COLUMNS = ("index", "uuid", "memory.used", "memory.total", "utilization.gpu", "temperature.gpu")


@dataclass(frozen=True)
class Gpu:
    """memory in bytes, busy a ratio, temperature in °C; None where it does not say (with MIG it does not)."""

    index: str
    uuid: str
    memory_used: float | None
    memory_size: float | None
    busy: float | None
    temperature: float | None

    def readings(self) -> list[Reading]:
        said = {
            instruments.GPU_MEMORY_USED: self.memory_used,
            instruments.GPU_MEMORY_SIZE: self.memory_size,
            instruments.GPU_BUSY: self.busy,
            instruments.GPU_TEMPERATURE: self.temperature,
        }
        return [Reading(key, value, {"gpu": self.index}) for key, value in said.items() if value is not None]


UNNAMED = Gpu("0", "", None, None, None, None)
"""There is one, or a part of one, of which `nvidia-smi` says nothing."""


def read_gpus() -> list[Reading]:
    """Of the GPUs that this process may use; none where there is no driver, or it does not answer."""
    return [reading for gpu in list_gpus() for reading in gpu.readings()]


def list_gpus() -> list[Gpu]:
    """Those that this process may use; none where there is no driver, or it does not answer."""
    program = shutil.which(PROGRAM)
    if program is None:
        return []
    argv = [program, f"--query-gpu={','.join(COLUMNS)}", "--format=csv,noheader,nounits"]
    try:
        result = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("%s: %s", PROGRAM, error)
        return []
    return visible(parse(result.stdout), os.environ)


def training_gpus() -> list[Gpu]:
    """Those that trainings can use; asked of files and programs, since only jobs may load torch."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "" or not _DRIVER.exists() or not _torch_has_cuda():
        return []
    return list_gpus() or [UNNAMED]


def parse(text: str) -> list[Gpu]:
    """Lines of `nvidia-smi`; one that is not as expected is left out."""
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    return [_gpu(row) for row in rows if len(row) == len(COLUMNS)]


def visible(gpus: Sequence[Gpu], environment: Mapping[str, str]) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES names by index or the beginning of their UUID; all where it is not set."""
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return list(gpus)
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    return [gpu for gpu in gpus if any(gpu.index == name or gpu.uuid.startswith(name) for name in names)]


def _gpu(row: Sequence[str]) -> Gpu:
    index, uuid, used, size, busy, temperature = row
    percent = _number(busy)
    return Gpu(
        index, uuid, _bytes(used), _bytes(size), None if percent is None else percent / 100, _number(temperature)
    )


def _bytes(text: str) -> float | None:
    mebibytes = _number(text)
    return None if mebibytes is None else mebibytes * MEBIBYTE


def _number(text: str) -> float | None:
    """`[N/A]`, `[Not Supported]` and the like are no numbers."""
    try:
        return float(text)
    except ValueError:
        return None


def _torch_has_cuda() -> bool:
    """Whether it was built for it; its file `version.py` says so without loading the rest."""
    package = find_spec("torch")
    if package is None or package.origin is None:
        return False
    spec = spec_from_file_location("torch_version", Path(package.origin).with_name("version.py"))
    if spec is None or spec.loader is None:
        return False
    version = module_from_spec(spec)
    spec.loader.exec_module(version)
    return version.cuda is not None
