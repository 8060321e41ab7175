"""A backfill as it is asked for: the step's spec or the command line's words, checked as far as that goes without a database."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from app.backfill.expressions import BackfillRefusedError, Expressions, read_columns, read_condition, read_expressions
from app.plan.backfills import LIMITS

ProfileName = Literal["gentle", "balanced", "fast"]
StrategyWish = Literal["auto", "windows", "keyset"]
Action = Literal["update", "delete", "copy"]

MAX_WORKERS = 32
_FIELDS = {"table", "set", "delete", "into", "columns", "where", "key"}
_FIELDS |= {"profile", "max_rate", "limits", "workers", "strategy", "max_quarantine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillDefinition:
    """Which rows of which table are changed, deleted or copied, and how hard we may push."""

    #: as written: ``public.users`` or ``users``
    table: str
    #: for a copy without a list of columns the list is empty, until the tables are known
    expressions: Expressions
    action: Action = "update"
    #: the table that rows are copied into, as written
    into: str | None = None
    #: columns to walk by; None lets Headgate choose
    key: tuple[str, ...] | None = None
    profile: ProfileName = "balanced"
    #: rows a second; None means as fast as the profile allows
    max_rate: float | None = None
    #: signals that are bounded by hand, by the names of app.plan.backfills.LIMITS
    limits: Mapping[str, float] = field(default_factory=dict)
    workers: int = 1
    strategy: StrategyWish = "auto"
    #: rows that may be set aside before the run stops; 0 stops at the first
    max_quarantine: int = 0

    def as_json(self) -> dict[str, Any]:
        """The spec again, defaults filled in."""
        return {
            "table": self.table,
            **self._change(),
            "where": self.expressions.where_text,
            "key": None if self.key is None else list(self.key),
            "profile": self.profile,
            "max_rate": self.max_rate,
            "limits": dict(self.limits),
            "workers": self.workers,
            "strategy": self.strategy,
            "max_quarantine": self.max_quarantine,
        }

    def digest(self) -> str:
        """SHA-256 of what decides about the rows; speed, workers and tolerance may change under way."""
        spec = self.as_json()
        words = {name: spec[name] for name in ("table", *self._change(), "where", "key")}
        return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def _change(self) -> dict[str, Any]:
        """The part of the spec that says what is done."""
        if self.action == "delete":
            return {"delete": True}
        if self.action == "copy":
            return {"into": self.into, "columns": self.expressions.set_text}
        return {"set": self.expressions.set_text}


def read_definition(spec: Mapping[str, Any]) -> BackfillDefinition:
    """The definition in a step's spec.

    Raises BackfillRefusedError, which names the field.
    """
    unknown = set(spec) - _FIELDS
    if unknown:
        raise BackfillRefusedError(
            f"A backfill has no field {', '.join(sorted(unknown))}.", hint=f"Its fields are {', '.join(sorted(_FIELDS))}."
        )
    table, action = _text(spec, "table"), _action(spec)
    return BackfillDefinition(
        table=table,
        expressions=_expressions(spec, action),
        action=action,
        into=_text(spec, "into") if action == "copy" else None,
        key=_key(spec.get("key")),
        profile=_one_of(spec, "profile", get_args(ProfileName), "balanced"),
        max_rate=_above_zero("max_rate", spec.get("max_rate")),
        limits=_limits(spec.get("limits")),
        workers=_whole(spec, "workers", default=1, least=1, most=MAX_WORKERS),
        strategy=_one_of(spec, "strategy", get_args(StrategyWish), "auto"),
        max_quarantine=_whole(spec, "max_quarantine", default=0, least=0, most=1_000_000),
    )


def _action(spec: Mapping[str, Any]) -> Action:
    if spec.get("delete") not in {None, True, False}:
        raise BackfillRefusedError(f"The field `delete` is true or false, not {spec['delete']!r}.")
    asked: list[Action] = []
    if spec.get("set"):
        asked.append("update")
    if spec.get("delete"):
        asked.append("delete")
    if spec.get("into"):
        asked.append("copy")
    if len(asked) != 1:
        raise BackfillRefusedError(
            f"A backfill takes one of `set`, `delete` and `into`; there are {len(asked)}.",
            hint="It sets values, deletes rows, or copies them into another table.",
        )
    if spec.get("columns") and asked != ["copy"]:
        raise BackfillRefusedError("The field `columns` is there without `into`.", hint="It says what a copy takes along.")
    return asked[0]


def _expressions(spec: Mapping[str, Any], action: Action) -> Expressions:
    where = str(spec.get("where") or "true")
    if action == "update":
        return read_expressions(_text(spec, "set"), where)
    if action == "delete":
        if not spec.get("where"):
            raise BackfillRefusedError(
                "A backfill that deletes needs a condition.", hint="To empty a table, use TRUNCATE in an SQL step."
            )
        return read_condition(where)
    columns = str(spec.get("columns") or "").strip()
    return read_columns(columns, where) if columns else read_condition(where)


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


def _limits(value: Any) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or set(value) - set(LIMITS):
        raise BackfillRefusedError(f"The field `limits` maps names to numbers; the names are {', '.join(LIMITS)}.")
    return {name: found for name, number in value.items() if (found := _above_zero(f"limits.{name}", number)) is not None}


def _above_zero(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BackfillRefusedError(f"The field `{name}` is a number above 0, not {value!r}.")
    return float(value)
