"""Values of settings as the input writes them."""

import re

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}


def milliseconds(value: str | None) -> float | None:
    """``2s``, ``500ms``, ``1500``: in milliseconds, which is what a number without unit means; None where it is no time."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*", value or "")
    return float(found[1]) * _UNITS[found[2] or "ms"] if found else None
