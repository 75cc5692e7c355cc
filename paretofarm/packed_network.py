"""A compiled network with what no runner tells of it: a zip of `network` and `network.json` (this module)."""

from typing import TypeVar

from pydantic import ValidationError

from paretofarm.errors import ConfigError
from paretofarm.strict import Strict

NETWORK = "network"
DESCRIPTION = "network.json"
Shape = tuple[int, int, int, int]


class PackedNetwork(Strict):
    """Shapes are the float network's, of one inference: (1, C, H, W)."""

    input_shape: Shape
    output_shape: Shape

    @property
    def output_bytes(self) -> int:
        """Of one inference, in float32."""
        _, channels, height, width = self.output_shape
        return channels * height * width * 4

    def to_json(self) -> bytes:
        """The same network gives the same bytes."""
        return self.model_dump_json(indent=1).encode()


Packed = TypeVar("Packed", bound=PackedNetwork)


def parse_description(kind: type[Packed], text: bytes | str, source: str) -> Packed:
    """ConfigError names the source where the text is no description of that kind."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"{source}: {DESCRIPTION} is not readable: {error.errors()[0]['msg']}") from error
