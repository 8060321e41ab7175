"""The ``rollback`` field of a step: SQL with its grade, nothing to do, or a stated reason why it can't be undone."""

from typing import Any, get_args

from app.plan.fields import Unfit, kind_of
from app.plan.model import Grade, Rollback

#: the way out of a missing or wrong rollback, shown with the refusal
ROLLBACK_WAYS = (
    "Write `rollback: |` and the SQL that undoes it, or `rollback: {sql: ..., grade: lossless, reason: ...}`, "
    'or `rollback: {nothing: "why nothing has to be done"}`, or `rollback: {irreversible: "why it can\'t be undone"}`.'
)
#: of SQL whose author states no grade: what was written since is taken as lost
ASSUMED_GRADE: Grade = "loses-new-writes"

_GRADES: tuple[Grade, ...] = get_args(Grade)
_SHORT: dict[str, Grade] = {"nothing": "lossless", "irreversible": "irreversible"}


def read_rollback(value: Any) -> Rollback:
    """The rollback that a document's ``rollback`` field states (JSON values).

    Raises Unfit with the sentence that says why not.
    """
    if isinstance(value, str):
        return Rollback(grade=ASSUMED_GRADE, sql=_sql(value))
    if not isinstance(value, dict):
        raise Unfit(f"must be SQL or a mapping, not {kind_of(value)}")
    if len(short := _SHORT.keys() & value.keys()) == 1:
        return _read_short(short.pop(), value)
    return _read_long(value)


def _read_short(way: str, value: dict[str, Any]) -> Rollback:
    if extra := value.keys() - {way, "origin"}:
        raise Unfit(f"says {way} and so can't have {', '.join(sorted(extra))}")
    reason = value[way]
    if not isinstance(reason, str) or not reason.strip():
        raise Unfit(f"needs the reason as text after {way}:")
    return Rollback(grade=_SHORT[way], reason=reason, origin=_origin(value))


def _read_long(value: dict[str, Any]) -> Rollback:
    if unknown := value.keys() - {"sql", "grade", "reason", "origin"}:
        raise Unfit(f"has the unknown field {min(unknown)}")
    grade = value.get("grade", ASSUMED_GRADE)
    if grade not in _GRADES:
        raise Unfit(f"has the grade {grade!r}; the grades are {', '.join(_GRADES)}")
    reason = value.get("reason") or ""
    if not isinstance(reason, str):
        raise Unfit(f"must give its reason as text, not {kind_of(reason)}")
    sql = value.get("sql")
    if sql is None and (grade != "irreversible" or not reason.strip()):
        raise Unfit("has no sql, and no reason why there is none")
    return Rollback(grade=grade, sql=None if sql is None else _sql(sql), reason=reason, origin=_origin(value))


def _sql(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"must be SQL as text, not {kind_of(value)}")
    if not value.strip():
        raise Unfit("must not be empty")
    return value


def _origin(value: dict[str, Any]) -> Any:
    origin = value.get("origin", "written")
    if origin not in ("written", "derived"):
        raise Unfit("has an origin that is neither written nor derived")
    return origin


def rollback_value(rollback: Rollback) -> Any:
    """The JSON value that ``read_rollback`` reads back as the same rollback."""
    origin = {} if rollback.origin == "written" else {"origin": rollback.origin}
    if rollback.sql is None and rollback.reason.strip() and rollback.grade != "loses-new-writes":
        way = next(way for way, grade in _SHORT.items() if grade == rollback.grade)
        return {way: rollback.reason, **origin}
    if rollback.grade == ASSUMED_GRADE and not rollback.reason and not origin:
        return rollback.sql
    reason = {"reason": rollback.reason} if rollback.reason else {}
    return {"grade": rollback.grade, **reason, **origin, "sql": rollback.sql}
