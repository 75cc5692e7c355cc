"""Snapdragon chips that have a Hexagon tensor processor (HTP), and how Qualcomm's tools call them.

Taken from the compiler itself: contexts compiled by onnxruntime-qnn 2.7.0 (QNN 2.51) for each number say in plain text
for which chip, architecture and size of fast memory (VTCM) they are. A wrong architecture beside a right number is
ignored there without a word, and a wrong number is taken for an unknown chip: therefore this table, and a test that
compiles for each row and looks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Soc:
    """One chip.

    arch: of its HTP (73 is V73). soc_model: Qualcomm's number for it. vtcm_mb: fast memory that the compiler plans
    with. aliases: what phones and people call it beside its name, in small letters: the board platform (`lahaina`, all
    that Android 11 tells), the name in shops.
    """

    name: str
    arch: int
    soc_model: int
    vtcm_mb: int
    aliases: tuple[str, ...] = ()

    @property
    def fp16(self) -> bool:
        """Whether its HTP computes in float16 at all."""
        return self.arch > 68

    @property
    def hexagon(self) -> str:
        """As in the names of Qualcomm's libraries: `V73`."""
        return f"V{self.arch}"


SOCS: tuple[Soc, ...] = (
    Soc("SM7325", 68, 35, 2, ("snapdragon-778g", "yupik")),
    Soc("SM7350", 68, 32, 2, ("snapdragon-780g",)),
    Soc("SM7450", 68, 41, 2, ("snapdragon-7-gen-1",)),
    Soc("SM7475", 68, 54, 4, ("snapdragon-7+-gen-2",)),
    Soc("QCS6490", 68, 93, 2),
    Soc("SM8325", 68, 34, 4),
    Soc("SM8350", 68, 30, 4, ("snapdragon-888", "lahaina")),
    Soc("SM8450", 69, 36, 8, ("snapdragon-8-gen-1", "taro")),
    # Its own number, 42, compiles for V68; its HTP is that of the SM8450.
    Soc("SM8475", 69, 36, 8, ("snapdragon-8+-gen-1",)),
    Soc("SM7550", 73, 64, 2, ("snapdragon-7-gen-3",)),
    Soc("SM7635", 73, 73, 2, ("snapdragon-7s-gen-3",)),
    Soc("SM7675", 73, 70, 4, ("snapdragon-7+-gen-3",)),
    Soc("SM8550", 73, 43, 8, ("snapdragon-8-gen-2", "kalama")),
    Soc("QCS8550", 73, 66, 8),
    Soc("SM8635", 73, 68, 4, ("snapdragon-8s-gen-3",)),
    Soc("SM8735", 73, 85, 8, ("snapdragon-8s-gen-4",)),
    Soc("SM8650", 75, 57, 8, ("snapdragon-8-gen-3", "pineapple")),
    Soc("SM8750", 79, 69, 8, ("snapdragon-8-elite", "sun")),
    Soc("SM8845", 81, 97, 8, ("snapdragon-8-gen-5",)),
    Soc("SM8850", 81, 87, 8, ("snapdragon-8-elite-gen-5", "canoe")),
)

_VARIANT = re.compile(r"^([a-z]+\d{4})(?:-?[a-z]{1,2})?$")
"""Phones name speed grades too: `SM8650-AC`, `SM8750P`."""


def find_soc(name: str) -> Soc | None:
    """The chip of that name, alias or speed grade, in any case; None for one that is not known."""
    wanted = re.sub(r"[\s_]+", "-", name.strip().lower())
    variant = _VARIANT.match(wanted)
    names = [wanted, *([variant.group(1)] if variant else [])]
    return next((soc for one in names for soc in SOCS if one in (soc.name.lower(), *soc.aliases)), None)


def named(socs: Iterable[Soc]) -> str:
    """For messages: `SM8350 (V68), SM8550 (V73)`."""
    return ", ".join(f"{soc.name} ({soc.hexagon})" for soc in socs)
