"""A phone that was found, and what it needs before it can be measured."""

from dataclasses import dataclass
from enum import StrEnum

from device_agents.link.server_reasons import WHAT_TO_TAP, missing_rule


class Readiness(StrEnum):
    """How far a found phone is from being used."""

    READY = "ready"
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    NO_PERMISSION = "no permission"
    NOT_ANDROID = "not in Android"


CURES = {
    Readiness.READY: "",
    Readiness.UNAUTHORIZED: WHAT_TO_TAP,
    Readiness.OFFLINE: "unplug it and plug it in again, or switch USB debugging off and on",
    Readiness.NO_PERMISSION: missing_rule(),
    Readiness.NOT_ANDROID: "it is in its boot loader or recovery: start Android",
}


@dataclass(frozen=True)
class FoundPhone:
    """address: for `open_link`; serial: what it gave as its serial number, which may be none or another's too."""

    address: str
    serial: str
    readiness: Readiness

    @property
    def advice(self) -> str:
        """What somebody has to do; empty for a phone that is ready."""
        return CURES[self.readiness]
