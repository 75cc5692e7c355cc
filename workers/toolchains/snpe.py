"""Networks for the HTP by Qualcomm's SNPE SDK: ONNX to DLC, quantized, graph prepared for one chip.

Never run with the real SDK: tested with scripted stand-ins for its tools. Images go in channels last (NHWC), as the
converter turns inputs round; outputs come back so.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paretofarm.errors import CandidateError, ConfigError, ConversionFailed, NotDeployable
from paretofarm.runtimes import SnpeMeasurement
from paretofarm.snpe_network import SnpeNetwork
from paretofarm.soc import Soc
from workers.reference import reference_images, reference_onnx
from workers.toolchains.held_out import HeldOut
from workers.toolchains.made_once import made_once
from workers.toolchains.packing import pack, packed_bytes, shapes
from workers.toolchains.port import CompiledNetwork, Image, Images
from workers.toolchains.snpe_complaints import complaint
from workers.toolchains.snpe_tools import CONVERT, PREPARE, SnpeTools

SOURCE, FLOAT, QUANTIZED, DLC = "network.onnx", "float.dlc", "quantized.dlc", "network.dlc"
IMAGES = "calibration.txt"
ACTIVATION_BITS = {"int8": 8, "a16w8": 16}


@dataclass(frozen=True)
class SnpeToolchain:
    """Compiles with the host's SDK. cache: keeps the reference network of each chip."""

    settings: SnpeMeasurement
    tools: SnpeTools
    cache: Path

    def compile(
        self, onnx: Path, calibration: Images, device: str, out: Path, held_out: HeldOut | None = None
    ) -> CompiledNetwork:
        soc = self.settings.soc(device)
        if soc is None:
            raise ConfigError(f"device class {device} is no known SoC: name it in measurement.socs")
        self._build(onnx, calibration, soc, out)
        notes = {"precision": self.settings.precision, "soc": soc.name, "sdk": self.tools.version}
        return CompiledNetwork(out, {"network_bytes": packed_bytes(out)}, notes, self._reference(soc))

    def _reference(self, soc: Soc) -> Path:
        made_of = f"{self.tools.digest} {soc.name} {self.settings.precision} {_sha256(reference_onnx())}"
        path = self.cache / "snpe" / hashlib.sha256(made_of.encode()).hexdigest()[:32] / "reference.zip"
        return made_once(path, lambda file: self._build(reference_onnx(), reference_images(), soc, file))

    def _build(self, source: Path, images: Iterable[Image], soc: Soc, out: Path) -> None:
        """Writes the network's archive."""
        with tempfile.TemporaryDirectory(prefix="snpe-") as scratch:
            folder = Path(scratch)
            # The tools are given bare names: what they note of their arguments is the same for every job.
            shutil.copyfile(source, folder / SOURCE)
            self._step(CONVERT, "--input_network", SOURCE, "--output_path", FLOAT, folder=folder, made=FLOAT)
            self._quantize(images, folder)
            chip = ("--htp_socs", soc.name.lower())
            self._step(PREPARE, "--input_dlc", QUANTIZED, "--output_dlc", DLC, *chip, folder=folder, made=DLC)
            pack(out, folder / DLC, self._description(source, soc))

    def _quantize(self, images: Iterable[Image], folder: Path) -> None:
        names = [_written(image, folder / f"calibration_{number}.raw") for number, image in enumerate(images)]
        if not names:
            raise ConversionFailed(f"{self.settings.precision} needs at least one calibration image")
        (folder / IMAGES).write_text("".join(f"{name}\n" for name in names))
        words = ["--input_dlc", FLOAT, "--input_list", IMAGES, "--output_dlc", QUANTIZED]
        if self.settings.precision != "int8":
            words += [f"--act_bitwidth={ACTIVATION_BITS[self.settings.precision]}", "--weights_bitwidth=8"]
        self._step(self.tools.quantizer, *words, folder=folder, made=QUANTIZED)

    def _step(self, tool: str, *words: str, folder: Path, made: str) -> None:
        """One tool, which must leave a file. What only the graph compiler refuses, the device cannot have."""
        outcome = self.tools.run(tool, *words, folder=folder)
        blame: type[CandidateError] = NotDeployable if tool == PREPARE else ConversionFailed
        if outcome.exit_code != 0:
            raise blame(f"{tool}: {complaint(outcome.output)}")
        if not (folder / made).is_file():
            raise blame(f"{tool} left no {made}: {complaint(outcome.output)}")

    def _description(self, source: Path, soc: Soc) -> SnpeNetwork:
        return SnpeNetwork(
            **shapes(source).model_dump(),
            soc=soc.name,
            arch=soc.arch,
            precision=self.settings.precision,
            sdk=self.tools.version,
        )


def _written(image: Image, file: Path) -> str:
    """The name of a file with this image [1, 3, H, W], channels last."""
    np.ascontiguousarray(image.transpose(0, 2, 3, 1), "<f4").tofile(file)
    return file.name


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
