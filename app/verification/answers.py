"""What a database answered, in the form in which a plan writes what it expects."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def found_value(rows: list[list[Any]], expect: Any) -> Any:
    """The rows in the form of the expectation: one value, a list of values, or a list of rows."""
    if isinstance(expect, list):
        wants_rows = any(isinstance(row, list) for row in expect)
        return rows if wants_rows or any(len(row) != 1 for row in rows) else [row[0] for row in rows]
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    return rows


def plain(value: Any) -> Any:
    """A database value as the JSON value that a plan would write."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, UUID | timedelta) else repr(value)
