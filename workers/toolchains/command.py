"""Networks for a runner of the operator's own: our ONNX network, or what the command's conversion makes of it."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paretofarm.command_template import fill
from paretofarm.commands import Command, Conversion
from paretofarm.errors import ConversionFailed
from paretofarm.runtimes import CommandMeasurement, OnnxRuntimeMeasurement
from workers.reference import reference_images, reference_onnx
from workers.toolchains.held_out import HeldOut
from workers.toolchains.host_program import run_program, tail
from workers.toolchains.made_once import made_once
from workers.toolchains.onnxruntime import OnnxRuntimeToolchain
from workers.toolchains.packing import pack, packed_bytes, shapes
from workers.toolchains.port import CompiledNetwork, Image, Images


@dataclass(frozen=True)
class CommandToolchain:
    """environment: this host's. cache: keeps the reference network of each command."""

    settings: CommandMeasurement
    command: Command
    environment: Mapping[str, str]
    cache: Path

    def compile(
        self, onnx: Path, calibration: Images, device: str, out: Path, held_out: HeldOut | None = None
    ) -> CompiledNetwork:
        made = self._build(onnx, calibration, out, held_out)
        size = {"network_bytes": packed_bytes(out)}
        return CompiledNetwork(out, size, made.notes, self._reference(), made.calibration)

    def _reference(self) -> Path:
        """The reference goes the same way. Another conversion makes another one."""
        made_of = [self.settings.precision, _sha256(reference_onnx()), *self._conversion_parts()]
        key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32]
        path = self.cache / "command" / key / "reference"
        return made_once(path, lambda file: self._build_reference(file))

    def _build_reference(self, out: Path) -> None:
        self._build(reference_onnx(), list(reference_images()), out, None)

    def _conversion_parts(self) -> list[str]:
        """What the conversion says, and the files that it names, such as its program."""
        convert = self.command.convert
        if convert is None:
            return []
        named = [Path(word) for word in convert.argv if Path(word).is_absolute() and Path(word).is_file()]
        return [convert.model_dump_json(), *(_sha256(file) for file in named)]

    def _build(self, source: Path, images: Images, out: Path, held_out: HeldOut | None) -> CompiledNetwork:
        """Writes the network's archive. What it returns is what went into it."""
        with tempfile.TemporaryDirectory(prefix="command-") as scratch:
            made = Path(scratch, "made")
            convert = self.command.convert
            if convert is None:
                content = self._network(source, images, made, held_out)
            else:
                content = self._convert(convert, source, images, Path(scratch), made, held_out)
            pack(out, made, shapes(source))
        return content

    def _network(self, source: Path, images: Images, out: Path, held_out: HeldOut | None) -> CompiledNetwork:
        """The ONNX network in the experiment's precision."""
        settings = OnnxRuntimeMeasurement(
            runtime="onnxruntime",
            precision=self.settings.precision,
            calibration=self.settings.calibration,
            layer_sensitivity=self.settings.layer_sensitivity,
        )
        return OnnxRuntimeToolchain(settings).compile(source, images, "any", out, held_out)

    def _convert(
        self, convert: Conversion, source: Path, images: Images, scratch: Path, out: Path, held_out: HeldOut | None
    ) -> CompiledNetwork:
        folder = scratch / "folder"
        folder.mkdir()
        values = {"out": str(out), "folder": str(folder), "precision": self.settings.precision}
        content = CompiledNetwork(out, {}, {"precision": self.settings.precision})
        # Converters name what they write after what they read.
        if "float_onnx" in convert.used:
            values["float_onnx"] = str(shutil.copyfile(source, scratch / "float_network.onnx"))
        if "onnx" in convert.used:
            content = self._network(source, images, scratch / "network.onnx", held_out)
            values["onnx"] = str(content.path)
        if "calibration" in convert.used:
            values["calibration"] = str(_written(images, scratch))
        self._run(convert, values, folder)
        if not out.is_file():
            raise ConversionFailed(f"the conversion of {self.settings.command} left no file")
        return content

    def _run(self, convert: Conversion, values: Mapping[str, str], folder: Path) -> None:
        outcome = run_program(
            [fill(word, values) for word in convert.argv],
            folder=folder,
            environment=self.environment,
            own={name: fill(word, values) for name, word in convert.environment.items()},
            timeout_s=convert.timeout_s,
        )
        if outcome.exit_code != 0:
            name = self.settings.command
            raise ConversionFailed(
                f"the conversion of {name} failed (exit code {outcome.exit_code}): {tail(outcome.output)}"
            )


def _written(images: Iterable[Image], folder: Path) -> Path:
    """A list of files with these images."""
    paths = [folder / f"calibration_{number}.raw" for number, _ in enumerate(images)]
    for path, image in zip(paths, images, strict=True):
        np.ascontiguousarray(image, "<f4").tofile(path)
    listing = folder / "calibration.txt"
    listing.write_text("".join(f"{path}\n" for path in paths))
    return listing


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
