"""PostgreSQL's own grammar: the libpg_query that the package postgast carries, through its JSON entry point.

The JSON form is used because the protobuf form refuses expressions that are nested more than about fifty deep. Locations in the
tree count bytes of the UTF-8 text; positions of syntax errors count characters.
"""

import ctypes
import importlib.util
import json
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from app.errors import HeadgateError

#: Larger scripts are refused: nobody reviews them, and their trees take a hundred times the memory of the text.
MAX_SCRIPT_BYTES = 5 * 1024 * 1024

_T = TypeVar("_T")

_LIBRARY_NAMES = {"Linux": "libpg_query.so", "Darwin": "libpg_query.dylib", "Windows": "pg_query.dll"}


class SqlSyntaxError(HeadgateError):
    """The SQL does not parse."""

    status = 422


class SqlTooLargeError(HeadgateError):
    """The SQL is larger than Headgate reads in one piece."""

    status = 413


class SqlTooDeepError(HeadgateError):
    """The SQL is nested too deeply to be judged."""

    status = 422


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _ParseResult(ctypes.Structure):
    _fields_ = (("text", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _TextResult(ctypes.Structure):
    _fields_ = (("text", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _FingerprintResult(ctypes.Structure):
    _fields_ = (
        ("number", ctypes.c_uint64),
        ("text", ctypes.c_char_p),
        ("stderr", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _SplitStatement(ctypes.Structure):
    _fields_ = (("location", ctypes.c_int), ("length", ctypes.c_int))


class _SplitResult(ctypes.Structure):
    _fields_ = (
        ("statements", ctypes.POINTER(ctypes.POINTER(_SplitStatement))),
        ("count", ctypes.c_int),
        ("stderr", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


#: entry point -> (type of its result, the function that frees it)
_ENTRY_POINTS: dict[str, tuple[type[ctypes.Structure], str]] = {
    "pg_query_parse": (_ParseResult, "pg_query_free_parse_result"),
    "pg_query_parse_plpgsql": (_TextResult, "pg_query_free_plpgsql_parse_result"),
    "pg_query_fingerprint": (_FingerprintResult, "pg_query_free_fingerprint_result"),
    "pg_query_split_with_parser": (_SplitResult, "pg_query_free_split_result"),
    "pg_query_split_with_scanner": (_SplitResult, "pg_query_free_split_result"),
}


@cache
def _library() -> ctypes.CDLL:
    """The shared library, loaded once; importing postgast itself would load protobuf too."""
    package = importlib.util.find_spec("postgast")
    if package is None or package.origin is None:
        raise SqlSyntaxError("The SQL parser is not installed.", hint="Install the package postgast 0.2.0.")
    library = ctypes.CDLL(str(Path(package.origin).parent / _LIBRARY_NAMES[platform.system()]))
    for name, (result, free) in _ENTRY_POINTS.items():
        getattr(library, name).argtypes = [ctypes.c_char_p]
        getattr(library, name).restype = result
        getattr(library, free).argtypes = [result]
        getattr(library, free).restype = None
    return library


def _call(name: str, text: str, read: Callable[[Any], _T]) -> _T:
    """What ``read`` makes of the result of an entry point; the result's memory is freed in any case.

    Raises SqlSyntaxError, SqlTooLargeError, SqlTooDeepError.
    """
    encoded = _encoded(text)
    library = _library()
    result = getattr(library, name)(encoded)
    try:
        if result.error:
            raise _syntax_error(result.error.contents, text)
        return read(result)
    finally:
        getattr(library, _ENTRY_POINTS[name][1])(result)


def _encoded(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        line, column = position_of(text, error.start)
        raise SqlSyntaxError("The SQL holds a character that is not valid Unicode.", line=line, column=column) from None
    if len(encoded) > MAX_SCRIPT_BYTES:
        size, limit = len(encoded) / 1024**2, MAX_SCRIPT_BYTES // 1024**2
        raise SqlTooLargeError(
            f"The SQL has {size:.1f} MiB; Headgate reads up to {limit} MiB in one piece.",
            hint="Split it into several files, and load rows by a backfill step instead of INSERT statements.",
        )
    if b"\0" in encoded:
        line, column = position_of(text, text.index("\0"))
        raise SqlSyntaxError("The SQL holds a NUL character.", line=line, column=column, sqlstate="42601", hint="Remove it.")
    return encoded


def _syntax_error(error: Any, text: str) -> HeadgateError:
    message = (error.message or b"syntax error").decode(errors="replace")
    if "stack depth limit" in message or "memory exhausted" in message:
        return SqlTooDeepError(hint="Split the statement, or turn the long expression into a list.")
    line, column = position_of(text, max(error.cursorpos - 1, 0))
    return SqlSyntaxError(message[:1].upper() + message[1:], line=line, column=column, sqlstate="42601")


def position_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character by its offset."""
    offset = min(offset, len(text))
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _loaded(raw: bytes | None) -> Any:
    try:
        return json.loads(raw or b"{}")
    except RecursionError:
        raise SqlTooDeepError(hint="Split the statement, or turn the long expression into a list.") from None


def parse_json(text: str) -> dict[str, Any]:
    """The syntax tree of a script, as libpg_query's JSON: ``{"version": 180004, "stmts": [{"stmt": {...}}]}``.

    Raises SqlSyntaxError with line and column, SqlTooLargeError, SqlTooDeepError.
    """
    tree: dict[str, Any] = _call("pg_query_parse", text, lambda result: _loaded(result.text))
    return tree


def parse_plpgsql(text: str) -> list[dict[str, Any]]:
    """The trees of the PL/pgSQL bodies in a CREATE FUNCTION or DO statement.

    Raises SqlSyntaxError where a body does not parse.
    """
    functions: list[dict[str, Any]] = _call("pg_query_parse_plpgsql", text, lambda result: _loaded(result.text))
    return functions


def fingerprint(text: str) -> str:
    """A hash that is equal for queries that differ in constants, comments and formatting only."""
    return _call("pg_query_fingerprint", text, lambda result: str((result.text or b"").decode()))


def split_bytes(text: str, *, by_scanner: bool = False) -> list[tuple[int, int]]:
    """Byte offset and length of each statement; the scanner also splits what does not parse, but cuts BEGIN ATOMIC bodies."""
    entry = "pg_query_split_with_scanner" if by_scanner else "pg_query_split_with_parser"
    return _call(entry, text, _split_rows)


def _split_rows(result: Any) -> list[tuple[int, int]]:
    rows = (result.statements[position].contents for position in range(result.count))
    return [(row.location, row.length) for row in rows]
