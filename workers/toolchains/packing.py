"""Packs a compiled network together with its description (`paretofarm.packed_network`)."""

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import onnx

from paretofarm.errors import ConversionFailed
from paretofarm.packed_network import DESCRIPTION, NETWORK, PackedNetwork, Shape

LONG_AGO = (1980, 1, 1, 0, 0, 0)


def pack(out: Path, network: Path, description: PackedNetwork) -> None:
    """The same contents give the same bytes."""
    with ZipFile(out, "w", ZIP_STORED) as archive:
        archive.writestr(ZipInfo(DESCRIPTION, LONG_AGO), description.to_json())
        archive.writestr(ZipInfo(NETWORK, LONG_AGO), network.read_bytes())


def packed_bytes(archive: Path) -> float:
    """Size of the network in an archive."""
    with ZipFile(archive) as opened:
        return float(opened.getinfo(NETWORK).file_size)


def shapes(source: Path) -> PackedNetwork:
    """Of an ONNX network with one input and one output, both of fixed shape; else `ConversionFailed`."""
    graph = onnx.load(source, load_external_data=False).graph
    if len(graph.input) != 1 or len(graph.output) != 1:
        raise ConversionFailed("the network must have one input and one output")
    return PackedNetwork(input_shape=_shape(graph.input[0]), output_shape=_shape(graph.output[0]))


def _shape(value: "onnx.ValueInfoProto") -> Shape:
    shape = tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
    if len(shape) != 4 or shape[0] != 1 or not all(shape):
        raise ConversionFailed(f"{value.name} has the shape {shape}, needed is a fixed one, (1, C, H, W)")
    batch, channels, height, width = shape
    return batch, channels, height, width
