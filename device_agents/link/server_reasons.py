"""What an adb server's refusals mean. Pure."""

from paretofarm.errors import ConfigError, ParetofarmError, PhoneOffline, PhoneUnauthorized

WHAT_TO_TAP = "unlock the phone and tap “Always allow from this computer”, then “Allow”"
RULE = 'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", MODE="0660", GROUP="plugdev", TAG+="uaccess"'
RULES_FILE = "/etc/udev/rules.d/51-android.rules"
ANY_VENDOR = "18d1"


def refusal(device: str, reason: str) -> ParetofarmError:
    """The error for the text of a FAIL. Anything unknown is a phone that does not answer."""
    text = reason.strip().splitlines()[0] if reason.strip() else "no reason given"
    if "unauthorized" in text or "still authorizing" in text:
        return PhoneUnauthorized(f"{device} has not accepted the adb server's key: {WHAT_TO_TAP}")
    if "more than one device" in text:
        return ConfigError(
            f"{device}: several phones have this serial number: name the port, server:usb:BUS-PORT (`adb devices -l`)"
        )
    if "no permissions" in text or "insufficient permissions" in text:
        return PhoneOffline(f"{device}: the adb server may not open it: {missing_rule()}")
    return PhoneOffline(f"{device} does not answer: {text}")


def is_absent(reason: str) -> bool:
    """Whether the server does not have the phone at all."""
    return "not found" in reason or "no devices" in reason


def is_offline(reason: str) -> bool:
    """Whether the server has lost its connection to the phone."""
    return "device offline" in reason


def missing_rule(vendor: str = ANY_VENDOR) -> str:
    """What to do where a USB device may not be opened. vendor: idVendor, four hexadecimal digits."""
    rule = RULE.format(vendor=vendor)
    return (
        f"no permission: put the line {rule} into {RULES_FILE}, run `udevadm control --reload`, then plug it in again"
    )
