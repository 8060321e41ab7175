"""Types of the fields of a plan document: each reads a JSON value or says in a sentence why it can't."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h)")
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
_QUALIFIED = re.compile(r'(?:"(?:[^"]|"")+"|[^\s".;()]+)\.(?:"(?:[^"]|"")+"|[^\s".;()]+)')
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
#: 24 days, the largest time limit PostgreSQL takes (a 32-bit number of milliseconds)
MAXIMUM_MS = 2_147_483_647


class Unfit(ValueError):  # noqa: N818 - raised and caught inside app.plan; the reader's sentence is what matters
    """The value does not fit its field; the text is the sentence that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """A type: what documentation calls it, and how a value is read."""

    name: str
    read: Callable[[Any], Any]


def kind_of(value: object) -> str:
    """What a person would call a JSON value: text, a number, a list, ..."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: list[tuple[type | tuple[type, ...], str]] = [
        ((int, float), "a number"),
        (str, "text"),
        ((list, tuple), "a list"),
        (dict, "a mapping"),
    ]
    return next((name for types, name in names if isinstance(value, types)), "something else")


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"must be text, not {kind_of(value)}")
    if not value.strip():
        raise Unfit("must not be empty")
    return value


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"must be true or false, not {kind_of(value)}")
    return value


def _read_duration(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unfit(f'must be a duration such as "2s" or "250ms", not {kind_of(value)}')
    if isinstance(value, int):
        raise Unfit(f'needs a unit: "{value}ms" or "{value}s"')
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise Unfit(f'must be a duration such as "2s", "250ms", "5min" or "1h", not "{value}"')
    return _in_range(round(float(match[1]) * _MILLISECONDS[match[2]]), 0, MAXIMUM_MS, "ms")


def _read_milliseconds(value: Any) -> int:
    return _in_range(_read_integer(value), 0, MAXIMUM_MS, "ms")


def _read_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit(f"must be a whole number, not {kind_of(value)}")
    return value


def _in_range(value: int, minimum: int, maximum: int, unit: str = "") -> int:
    if not minimum <= value <= maximum:
        raise Unfit(f"must be from {minimum} to {maximum}{' ' + unit if unit else ''}, not {value}")
    return value


def _read_relation(value: Any) -> str:
    text = _read_text(value)
    if "." not in text:
        raise Unfit(f"must be qualified by its schema: public.{text}")
    if _QUALIFIED.fullmatch(text) is None:
        raise Unfit(f'must be one table as schema.table, not "{text}"')
    return text


def _read_relations(value: Any) -> list[str]:
    return [_read_relation(item) for item in _read_items(value)]


def _read_names(value: Any) -> list[str]:
    return [_read_text(item) for item in _read_items(value)]


def _read_items(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Unfit(f"must be a list such as [id], not {kind_of(value)}")
    if not value:
        raise Unfit("must not be an empty list")
    return list(value)


def _read_assignments(value: Any) -> str:
    text = _read_condition(value)
    if "=" not in text:
        raise Unfit("must assign columns as in UPDATE ... SET: role = 'user'")
    if re.match(r"(?i)\s*set\s", text):
        raise Unfit("must begin with the first column, without the word SET")
    return text


def _read_condition(value: Any) -> str:
    text = _read_text(value)
    if text.rstrip().endswith(";"):
        raise Unfit("must be an expression, without a semicolon")
    if re.match(r"(?i)\s*where\s", text):
        raise Unfit("must be the condition alone, without the word WHERE")
    return text


def _read_columns(value: Any) -> str:
    text = _read_text(value)
    if text.rstrip().endswith(";"):
        raise Unfit("must be a list of columns, without a semicolon")
    if re.match(r"(?i)\s*select\s", text):
        raise Unfit("must begin with the first column, without the word SELECT")
    return text


def _read_url(value: Any) -> str:
    text = _read_text(value)
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise Unfit(f"must be a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Unfit("must be an http:// or https:// URL with a host")
    if parts.password is not None:
        raise Unfit("must not hold a password: a plan is read by everybody who reviews it")
    return text


def _read_sqlstate(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _read_text(value)
    if _SQLSTATE.fullmatch(text) is None:
        raise Unfit('must be an SQLSTATE of five characters in quotes, such as "23502"')
    return text


def _read_mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"must be a mapping, not {kind_of(value)}")
    return value


def _read_expected(value: Any) -> Any:
    if isinstance(value, dict):
        raise Unfit("must be one value, or a list of rows that are lists of values")
    if isinstance(value, list | tuple) and not all(isinstance(row, list | tuple) for row in value):
        raise Unfit("must be a list of rows, each a list of values: [[1, ann], [2, bob]]")
    return value


TEXT = FieldType(name="text", read=_read_text)
BOOLEAN = FieldType(name="true or false", read=_read_boolean)
DURATION = FieldType(name='duration, "250ms", "2s", "5min", "1h"', read=_read_duration)
MILLISECONDS = FieldType(name="whole number of milliseconds", read=_read_milliseconds)
RELATION = FieldType(name="table, as schema.table", read=_read_relation)
RELATIONS = FieldType(name="list of tables, as schema.table", read=_read_relations)
NAMES = FieldType(name="list of column names", read=_read_names)
ASSIGNMENTS = FieldType(name="SQL, as after SET", read=_read_assignments)
COLUMNS = FieldType(name="SQL, as after SELECT", read=_read_columns)
CONDITION = FieldType(name="SQL, as after WHERE", read=_read_condition)
URL = FieldType(name="http or https URL", read=_read_url)
SQLSTATE = FieldType(name="SQLSTATE in quotes", read=_read_sqlstate)
MAPPING = FieldType(name="mapping", read=_read_mapping)
EXPECTED = FieldType(name="one value, or a list of rows", read=_read_expected)


def whole(minimum: int, maximum: int) -> FieldType:
    """A whole number between two bounds, both included."""
    return FieldType(
        name=f"whole number, {minimum} to {maximum}", read=lambda value: _in_range(_read_integer(value), minimum, maximum)
    )


def one_of(*choices: str) -> FieldType:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise Unfit(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return FieldType(name=", ".join(choices), read=read)


def numbers_of(names: Mapping[str, str]) -> FieldType:
    """A mapping of some of these names to numbers above 0."""

    def read(value: Any) -> dict[str, float]:
        for name, number in _read_mapping(value).items():
            if name not in names:
                raise Unfit(f"must be a mapping of {', '.join(names)}, without {name}")
            if isinstance(number, bool) or not isinstance(number, int | float) or number <= 0:
                raise Unfit(f"must have a number above 0 for {name}, not {number!r}")
        return dict(value)

    return FieldType(name=f"mapping of {', '.join(names)} to numbers", read=read)


def write_duration(milliseconds: int) -> str:
    """The shortest text that reads back as the same duration: 2000 -> "2s"."""
    for unit in ("h", "min", "s"):
        if milliseconds and milliseconds % _MILLISECONDS[unit] == 0:
            return f"{milliseconds // _MILLISECONDS[unit]}{unit}"
    return f"{milliseconds}ms"
