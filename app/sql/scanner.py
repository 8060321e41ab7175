"""What is text and what is quoted in a script: the little that must be known before PostgreSQL's own parser can read it.

psql's commands, COPY data and comments are not part of the grammar, so they are found here, by quotes, dollar quotes and nested
comments only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

#: More levels than this in one statement could overflow the C stack of the parser's output functions.
MAX_CHAIN = 5_000

_OPAQUE = re.compile(
    r"""
      (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escape>(?<![\w$])[eE]'[^'\\]*(?:(?:''|\\.)[^'\\]*)*')
    | (?P<string>'[^']*(?:''[^']*)*')
    | (?P<identifier>"[^"]*(?:""[^"]*)*")
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_CHAIN = re.compile(
    r"[-+*/<>=~!@\#%^&|?]+|::|[(),;\[\]]|\b(?:join|union|intersect|except|collate|at|is|isnull|notnull|not|like|ilike|case|and|or|operator)\b",
    re.IGNORECASE,
)
_NOT_NEWLINE = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A comment or a quoted piece, by character offsets."""

    kind: Literal["comment", "quoted"]
    start: int
    end: int


def spans(text: str) -> Iterator[Span]:
    """Every comment and quoted piece in order; an unterminated one is left to the parser to refuse."""
    position = 0
    while match := _OPAQUE.search(text, position):
        position = match.end()
        if match.lastgroup == "block":
            position = _block_end(text, match.start())
        kind: Literal["comment", "quoted"] = "comment" if match["line"] is not None or match["block"] is not None else "quoted"
        yield Span(kind=kind, start=match.start(), end=position)


def _block_end(text: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def masked(text: str) -> str:
    """The text with comments and quoted pieces blanked; offsets and lines stay."""
    pieces: list[str] = []
    position = 0
    for span in spans(text):
        pieces.append(text[position : span.start])
        pieces.append(_NOT_NEWLINE.sub(" ", text[span.start : span.end]))
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)


def first_token(text: str, start: int, end: int) -> int:
    """The offset of the first character from ``start`` that is neither blank nor comment."""
    while start < end:
        if text[start].isspace():
            start += 1
        elif text.startswith("--", start):
            line_end = text.find("\n", start, end)
            start = end if line_end < 0 else line_end + 1
        elif text.startswith("/*", start):
            start = _block_end(text, start)
        else:
            return start
    return end


def longest_chain(text: str) -> int:
    """An upper bound of how deeply one expression of the text nests: operators since the last comma, level by level."""
    deepest = 0
    levels = [0]
    total = 0
    for match in _CHAIN.finditer(masked(text)):
        mark = match[0]
        if mark in "([":
            levels.append(0)
        elif mark in ")]":
            if len(levels) > 1:
                total -= levels.pop()
        elif mark == ";":
            levels, total = [0], 0
        elif mark == ",":
            total -= levels[-1]
            levels[-1] = 0
        else:
            levels[-1] += 1
            total += 1
            deepest = max(deepest, total + len(levels))
    return deepest
