"""A backfill as it is asked for: the step's spec or the command line's words, checked as far as that goes without a database."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.backfill.expressions import BackfillRefusedError, Expressions, read_expressions

ProfileName = Literal["gentle", "balanced", "fast"]
StrategyWish = Literal["auto", "windows", "keyset"]

MAX_WORKERS = 32
_FIELDS = {"table", "set", "where", "key", "profile", "max_rate", "workers", "strategy", "max_quarantine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillDefinition:
    """Which rows of which table get which values, and how hard we may push."""

    #: as written: ``public.users`` or ``users``
    table: str
    expressions: Expressions
    #: columns to walk by; None lets Headgate choose
    key: tuple[str, ...] | None = None
    profile: ProfileName = "balanced"
    #: rows a second; None means as fast as the profile allows
    max_rate: float | None = None
    workers: int = 1
    strategy: StrategyWish = "auto"
    #: rows that may be set aside before the run stops; 0 stops at the first
    max_quarantine: int = 0

    def as_json(self) -> dict[str, Any]:
        """The spec again, defaults filled in."""
        return {
            "table": self.table,
            "set": self.expressions.set_text,
            "where": self.expressions.where_text,
            "key": None if self.key is None else list(self.key),
            "profile": self.profile,
            "max_rate": self.max_rate,
            "workers": self.workers,
            "strategy": self.strategy,
            "max_quarantine": self.max_quarantine,
        }

    def digest(self) -> str:
        """SHA-256 of what decides about the rows; speed, workers and tolerance may change under way."""
        spec = self.as_json()
        words = {name: spec[name] for name in ("table", "set", "where", "key")}
        return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_definition(spec: Mapping[str, Any]) -> BackfillDefinition:
    """The definition in a step's spec.

    Raises BackfillRefusedError, which names the field.
    """
    unknown = set(spec) - _FIELDS
    if unknown:
        raise BackfillRefusedError(
            f"A backfill has no field {', '.join(sorted(unknown))}.", hint=f"Its fields are {', '.join(sorted(_FIELDS))}."
        )
    return BackfillDefinition(
        table=_text(spec, "table"),
        expressions=read_expressions(_text(spec, "set"), str(spec.get("where") or "true")),
        key=_key(spec.get("key")),
        profile=_one_of(spec, "profile", get_args(ProfileName), "balanced"),
        max_rate=_max_rate(spec.get("max_rate")),
        workers=_whole(spec, "workers", default=1, least=1, most=MAX_WORKERS),
        strategy=_one_of(spec, "strategy", get_args(StrategyWish), "auto"),
        max_quarantine=_whole(spec, "max_quarantine", default=0, least=0, most=1_000_000),
    )


def _text(spec: Mapping[str, Any], name: str) -> str:
    value = spec.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BackfillRefusedError(f"A backfill needs the field `{name}`.")
    return value.strip()


def _key(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) and name for name in names):
        raise BackfillRefusedError("The field `key` is a list of column names.", hint="For example key: [tenant_id, id].")
    return tuple(names)


def _one_of(spec: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str) -> Any:
    value = spec.get(name) or default
    if value not in allowed:
        raise BackfillRefusedError(f"The field `{name}` is one of {', '.join(allowed)}, not {value!r}.")
    return value


def _whole(spec: Mapping[str, Any], name: str, *, default: int, least: int, most: int) -> int:
    value = spec.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BackfillRefusedError(f"The field `{name}` is a whole number from {least} to {most}, not {value!r}.")
    return value


def _max_rate(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BackfillRefusedError(f"The field `max_rate` is a number of rows a second above 0, not {value!r}.")
    return float(value)
