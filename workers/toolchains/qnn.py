"""Networks for the Hexagon tensor processor (HTP) of Snapdragon chips: QDQ quantization and an HTP context binary.

Compiled by the wheel `onnxruntime-qnn`, or by Qualcomm's SDK where QNN_SDK_ROOT names one. What comes out is one file
(`paretofarm.qnn_network`), and the reference network in the same form.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnxruntime

from paretofarm.calibration import CalibrationResult, methods
from paretofarm.errors import ConfigError
from paretofarm.qnn_network import CONTEXT, INTERFACE, QnnInterface, parse_interface
from paretofarm.runtimes.qnn import HtpCompilation
from paretofarm.soc import SOCS, named
from workers.reference import reference_images, reference_onnx
from workers.toolchains.held_out import HeldOut
from workers.toolchains.htp_compiler import HtpTarget
from workers.toolchains.port import CompiledNetwork, Image, Images
from workers.toolchains.qnn_cache import CompileCache, content_key
from workers.toolchains.qnn_calibration import CalibrationFiles, spool
from workers.toolchains.qnn_makers import ContextMaker, Made, WheelMaker
from workers.toolchains.qnn_package import read_member, write_package
from workers.toolchains.qnn_quantization import compare_for_htp
from workers.toolchains.qnn_sdk import SdkMaker
from workers.toolchains.qnn_wheel import qnn_wheel
from workers.toolchains.ranges import Ranges

REVISION = 2
"""Raised whenever the same network comes out in other bytes for reasons that the cache's key does not hold."""
SDK_VARIABLE = "QNN_SDK_ROOT"


@dataclass(frozen=True)
class QnnToolchain:
    """Also for `qnn-sim`, which always takes the wheel: its simulator runs the very binary that a phone gets."""

    settings: HtpCompilation
    environment: Mapping[str, str]
    cache: Path

    def compile(
        self, onnx: Path, calibration: Images, device: str, out: Path, held_out: HeldOut | None = None
    ) -> CompiledNetwork:
        target = self._target(device)
        ranges, result = (None, None) if held_out is None else self._compared(onnx, calibration, held_out)
        interface = self._package(onnx, calibration, target, out, ranges)
        reference = out.with_name(f"{out.name}.reference")
        self._package(reference_onnx(), reference_images(), target, reference)
        return CompiledNetwork(
            out,
            {"network_bytes": float(len(read_member(out, CONTEXT)))},
            _notes(interface),
            reference,
            result,
        )

    def _compared(
        self, onnx: Path, images: Images, held_out: HeldOut
    ) -> tuple[Ranges, CalibrationResult] | tuple[None, None]:
        """The ranges of the best calibration. The SDK, which quantizes by itself, takes the extremes."""
        calibration, precision = self.settings.calibration, self.settings.precision
        if self._maker().takes_ranges:
            layers = self.settings.layer_sensitivity
            return compare_for_htp(onnx, images, precision, methods(calibration), held_out, layers=layers)
        if calibration in ("best", "minmax"):
            return None, None
        raise ConfigError(
            f"measurement.calibration is {calibration}: the quantizer of {SDK_VARIABLE} knows minmax only"
        )

    def _target(self, device: str) -> HtpTarget:
        soc = self.settings.soc(device)
        if soc is None:
            raise ConfigError(f"device class {device} is no known SoC; known are {named(SOCS)}")
        return HtpTarget(soc, stamped=self.settings.target == "soc")

    def _package(
        self, source: Path, images: Iterable[Image], target: HtpTarget, out: Path, ranges: Ranges | None = None
    ) -> QnnInterface:
        maker, cache = self._maker(), CompileCache(self.cache / "qnn")
        with TemporaryDirectory(prefix="qnn-") as folder:
            calibration = spool(images, Path(folder, "calibration"))
            key = self._key(source, calibration, target, maker, ranges)
            if not cache.fetch(key, out):
                made = maker.make(source, calibration, self.settings.precision, target, Path(folder), ranges)
                contents = {name: path.read_bytes() for name, path in made.members.items()}
                contents[INTERFACE] = self._interface(made, target, maker).to_json()
                write_package(out, contents)
                cache.keep(key, out)
        return parse_interface(read_member(out, INTERFACE), str(out))

    def _maker(self) -> ContextMaker:
        root = self.environment.get(SDK_VARIABLE)
        if root and not self.settings.simulated:
            return SdkMaker(Path(root), self.environment)
        return WheelMaker(qnn_wheel(), onnxruntime.__version__, self.environment)

    def _key(
        self,
        source: Path,
        calibration: CalibrationFiles,
        target: HtpTarget,
        maker: ContextMaker,
        ranges: Ranges | None,
    ) -> str:
        chosen = {} if ranges is None else {"ranges": {name: asdict(each) for name, each in ranges.items()}}
        return content_key(
            {
                **chosen,
                "revision": REVISION,
                "network": hashlib.sha256(source.read_bytes()).hexdigest(),
                "calibration": calibration.digest,
                "precision": self.settings.precision,
                "soc": target.soc.name,
                "options": target.options,
                "maker": maker.identity,
                "qnn": maker.qnn_version,
            }
        )

    def _interface(self, made: Made, target: HtpTarget, maker: ContextMaker) -> QnnInterface:
        return QnnInterface(
            input=made.input,
            output=made.output,
            soc=target.soc.name,
            arch=target.soc.arch,
            stamped=target.stamped,
            precision=self.settings.precision,
            qnn_version=maker.qnn_version,
            agreement=made.agreement,
        )


def _notes(interface: QnnInterface) -> dict[str, float | str]:
    known = {} if interface.agreement is None else {"int8_agreement": interface.agreement}
    return {"precision": interface.precision, "soc": interface.soc, "qnn": interface.qnn_version, **known}
