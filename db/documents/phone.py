"""A phone as JSON: what `phones --json` prints."""

from typing import Any

from db.phones import Phone


def phone_document(phone: Phone) -> dict[str, Any]:
    facts = phone.facts
    return {
        "id": phone.id,
        "serial": facts.serial,
        "device": facts.device,
        "address": facts.address,
        "manufacturer": facts.manufacturer,
        "model": facts.model,
        "soc": facts.soc,
        "os_version": facts.os_version,
        "build_fingerprint": facts.build_fingerprint,
        "simulated": facts.simulated,
        "state": phone.state.value,
        "state_reason": phone.state_reason,
        "state_since": phone.state_since and phone.state_since.isoformat(),
        "quarantined_at": phone.quarantined_at and phone.quarantined_at.isoformat(),
        "temperature_celsius": temperature(phone),
        "conditions": dict(phone.conditions),
        "agent": phone.agent,
        "last_seen_at": phone.last_seen_at.isoformat(),
    }


def temperature(phone: Phone) -> float | None:
    """Of the battery, which every phone tells; of the hottest sensor where it does not."""
    battery = phone.conditions.get("battery_temperature")
    sensors = phone.conditions.get("temperatures") or {}
    return battery if battery is not None else max(sensors.values(), default=None)
