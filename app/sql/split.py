"""A script -> its statements with their places, by PostgreSQL's own parser, so that BEGIN ATOMIC bodies stay whole."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import HeadgateError
from app.sql.long_lists import shortened
from app.sql.parser import SqlSyntaxError, SqlTooDeepError, SqlTooLargeError, parse_json, position_of, split_bytes
from app.sql.psql import without_psql
from app.sql.scanner import MAX_CHAIN, first_token, longest_chain, masked, spans

#: More than this is not a migration that a person reviews.
MAX_STATEMENTS = 15_000

_PSQL_VARIABLE = re.compile(r"(?<!:):(?!:)['\"]?[A-Za-z_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a script, from its first token to before its semicolon."""

    #: from 1, in the script
    index: int
    text: str
    #: of its first token, from 1, in characters
    line: int
    column: int
    file: str | None = None
    #: libpg_query's tree, ``{"AlterTableStmt": {...}}``; empty where it is nested too deeply to be read
    node: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: byte offset of the text in the script: what the locations in ``node`` count from
    offset: int = 0

    @property
    def kind(self) -> str:
        """The name of the tree's root, ``AlterTableStmt``, or "" where there is no tree."""
        return next(iter(self.node), "")

    @property
    def body(self) -> Mapping[str, Any]:
        """What the root holds."""
        found: Mapping[str, Any] = next(iter(self.node.values()), {})
        return found

    def place(self, location: int | None) -> tuple[int, int]:
        """Line and column in the script of a ``location`` of the tree; the first token's where it is None or outside."""
        if location is None or not self.offset < location <= self.offset + len(self.text) * 4:
            return self.line, self.column
        before = self.text.encode()[: location - self.offset].decode(errors="ignore")
        line, column = position_of(before, len(before))
        return self.line + line - 1, column if line > 1 else self.column + column - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment of a script, without its marks."""

    line: int
    text: str


def split(script: str, *, file: str | None = None) -> list[Statement]:
    """The statements of a script in order.

    Raises SqlSyntaxError (line, column, hint), MetaCommandError, CopyDataError, SqlTooLargeError.
    """
    text = without_psql(script.removeprefix("\ufeff"), file=file)
    try:
        roots = list(_roots(text))
    except HeadgateError as error:
        error.file = error.file or file
        if isinstance(error, SqlSyntaxError) and error.line is not None:
            error.hint = error.hint or _hint(text, error)
        raise
    if len(roots) > MAX_STATEMENTS:
        raise SqlTooLargeError(
            f"The script holds {len(roots)} statements; Headgate reads up to {MAX_STATEMENTS} in one piece.",
            hint="Split it into several files.",
            file=file,
        )
    return list(_statements(text, roots, file))


def _roots(text: str) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Byte offset, byte length (0: to the end) and tree of each statement."""
    short = shortened(text)
    # what is left out is read by the parser all the same
    if short is not text and not _is_same(short, split_bytes(text)):
        short = text
    if _is_too_deep(short):
        yield from _roots_one_by_one(short)
        return
    try:
        for row in parse_json(short).get("stmts", ()):
            yield row.get("stmt_location", 0), row.get("stmt_len", 0), row["stmt"]
    except SqlTooDeepError:
        yield from _roots_one_by_one(short)


def _is_same(short: str, rows: list[tuple[int, int]]) -> bool:
    """True where a shortened text has its statements where the whole one has them."""
    try:
        return split_bytes(short) == rows
    except SqlSyntaxError:
        return False


def _is_too_deep(text: str) -> bool:
    return len(text) > 2 * MAX_CHAIN and longest_chain(text) > MAX_CHAIN


def _roots_one_by_one(text: str) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """As _roots, where one statement is nested too deeply: it gets an empty tree, the others their own."""
    encoded = text.encode()
    try:
        rows = split_bytes(text)
    except SqlTooDeepError:
        rows = split_bytes(text, by_scanner=True)
    for location, length in rows:
        piece = encoded[location : location + length if length else None].decode()
        try:
            # blanks keep the locations of the tree counting from the start of the script
            found = [] if _is_too_deep(piece) else parse_json(" " * location + piece)["stmts"]
        except SqlTooDeepError:
            found = []
        yield location, length, found[0]["stmt"] if found else {}


def _statements(text: str, roots: list[tuple[int, int, Mapping[str, Any]]], file: str | None) -> Iterator[Statement]:
    encoded = text.encode()
    line_starts = [0, *(match.end() for match in re.finditer(rb"\n", encoded))]
    for index, (location, length, node) in enumerate(roots, start=1):
        end = location + length if length else len(encoded)
        piece = encoded[location:end].decode()
        start = first_token(piece, 0, len(piece))
        offset = location + len(piece[:start].encode())
        line = bisect_right(line_starts, offset)
        column = len(encoded[line_starts[line - 1] : offset].decode()) + 1
        yield Statement(
            index=index,
            text=piece[start:].rstrip(),
            line=line,
            column=column,
            file=file,
            node=node,
            offset=offset,
        )


def _hint(text: str, error: SqlSyntaxError) -> str:
    """Which statement it is in, and the likely reason where there is one."""
    lines = text.split("\n")
    line = lines[(error.line or 1) - 1] if lines else ""
    if _PSQL_VARIABLE.match(line, (error.column or 1) - 1):
        return "A colon and a name is a variable of psql: write the value itself."
    if error.message.startswith("Unterminated"):
        return "What begins here is never closed."
    at = sum(len(before) + 1 for before in lines[: (error.line or 1) - 1]) + (error.column or 1) - 1
    bare = masked(text)
    start = bare.rfind(";", 0, at) + 1
    end = bare.find(";", at)
    number = sum(1 for piece in bare[:start].split(";") if piece.strip()) + 1
    start = first_token(text, start, len(text))
    beginning = " ".join(text[start : start + 60 if end < 0 else min(end, start + 60)].split())
    return f"It is in statement {number}, which begins in line {position_of(text, start)[0]}: {beginning}"


def comments(script: str) -> list[Comment]:
    """Every comment of a script with the line that it begins in."""
    return [
        Comment(line=script.count("\n", 0, span.start) + 1, text=script[span.start : span.end].strip("-/* \t\r\n"))
        for span in spans(script)
        if span.kind == "comment"
    ]


def has_statements(script: str) -> bool:
    """True where a script holds anything but blanks, comments and semicolons."""
    return bool(masked(script).replace(";", "").strip()) or any(span.kind == "quoted" for span in spans(script))
