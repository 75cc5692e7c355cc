"""The operations of search spaces by name: `conv3x3`, `dwsep5x5`, `mbconv5x5_e6`, `mbconv3x3_e3_se`."""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(r"(?P<kind>[a-z]+)(?P<kernel>\d+)x(?P=kernel)(_e(?P<expansion>\d+))?(?P<squeeze>_se)?")


@dataclass(frozen=True)
class Operation:
    """expansion: of an inverted bottleneck; squeeze: whether it has a squeeze-and-excitation."""

    kind: str
    kernel: int
    expansion: int = 1
    squeeze: bool = False

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """None for what is no name of one."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return cls(found["kind"], int(found["kernel"]), int(found["expansion"] or 1), bool(found["squeeze"]))

    @property
    def name(self) -> str:
        expansion = f"_e{self.expansion}" if self.kind == "mbconv" else ""
        return f"{self.kind}{self.kernel}x{self.kernel}{expansion}{'_se' if self.squeeze else ''}"
