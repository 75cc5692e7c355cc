"""JSON as Postgres takes it."""

import json
import math
from collections.abc import Mapping


def dumps(value: object) -> str:
    """Compact JSON. Postgres has no NaN and no infinity (a class that does not occur has no IoU): they become null."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError):
        return json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
