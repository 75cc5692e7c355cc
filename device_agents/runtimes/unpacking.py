"""Reads what a toolchain has packed (`paretofarm.packed_network`)."""

import shutil
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from device_agents.runtimes.port import Images
from paretofarm.errors import ConfigError, NotDeployable
from paretofarm.packed_network import DESCRIPTION, NETWORK, Packed, PackedNetwork, parse_description


def described(kind: type[Packed], archive: Path) -> Packed:
    """ConfigError where the file is no such archive."""
    try:
        with ZipFile(archive) as opened:
            return parse_description(kind, opened.read(DESCRIPTION), archive.name)
    except (BadZipFile, KeyError) as error:
        raise ConfigError(f"{archive.name} is no packed network: {error}") from error


def unpack(archive: Path, to: Path) -> Path:
    """Writes the network in an archive to a file."""
    with ZipFile(archive) as opened, opened.open(NETWORK) as source, to.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    return to


def network_bytes(archive: Path) -> int:
    """Size of the network in an archive."""
    with ZipFile(archive) as opened:
        return opened.getinfo(NETWORK).file_size


def some_input(network: PackedNetwork) -> Images:
    """Images [1, C, H, W] that a network takes, always the same: for its pace only."""
    return np.random.default_rng(0).random(network.input_shape, dtype=np.float32)


def require_fitting(images: Images, network: PackedNetwork) -> None:
    """`NotDeployable` where the network takes images of another size."""
    takes = network.input_shape[1:]
    if images.shape[1:] != takes:
        raise NotDeployable(f"the network takes images {takes}, not {images.shape[1:]}")
