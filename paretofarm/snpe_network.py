"""A network as compiled by Qualcomm's SNPE: a zip of `network.dlc` and `network.json` (this module)."""

from typing import Literal

from pydantic import Field, ValidationError

from paretofarm.errors import ConfigError
from paretofarm.strict import Strict

DLC = "network.dlc"
DESCRIPTION = "network.json"


class SnpeNetwork(Strict):
    """What a DLC takes and gives, which no tool on a phone tells. Shapes are the float network's: (1, C, H, W)."""

    input_shape: tuple[int, int, int, int]
    output_shape: tuple[int, int, int, int]
    soc: str
    arch: int = Field(ge=66)
    precision: Literal["int8", "a16w8"]
    sdk: str

    @property
    def output_bytes(self) -> int:
        """Of one inference: `snpe-net-run` hands out float32."""
        _, channels, height, width = self.output_shape
        return channels * height * width * 4

    def to_json(self) -> bytes:
        """The same network gives the same bytes."""
        return self.model_dump_json(indent=1).encode()


def parse_description(text: bytes | str, source: str) -> SnpeNetwork:
    """ConfigError names the source where the text is no description."""
    try:
        return SnpeNetwork.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"{source}: {DESCRIPTION} is not readable: {error.errors()[0]['msg']}") from error
