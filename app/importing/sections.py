"""Files that hold both ways: ``-- migrate:up`` (dbmate), ``-- +goose Up`` (goose), ``-- Up Migration`` (node-pg-migrate)."""

import re
from dataclasses import dataclass

from app.importing.source import ImportRefusedError, Script

_NAME = r"(?P<way>up|down)"
_MARKERS = {
    "dbmate": re.compile(rf"^--\s*migrate:{_NAME}(?P<options>[^\S\n].*)?$", re.MULTILINE),
    "goose": re.compile(rf"^--[^\S\n]*\+goose[^\S\n]+{_NAME}\b(?P<options>.*)$", re.MULTILINE | re.IGNORECASE),
    "node-pg-migrate": re.compile(rf"^\s*--[\s-]*{_NAME}\s+migration(?P<options>.*)$", re.MULTILINE | re.IGNORECASE),
}
_GOOSE_WITHOUT_TRANSACTION = re.compile(r"^--\s*\+goose\s+no\s+transaction\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """The two halves of one file."""

    #: the tool whose markers they are
    tool: str
    up: Script
    down: Script | None
    #: False where the file says so; None where it says nothing
    transactional: bool | None


def find_sections(text: str, file: str) -> Sections | None:
    """The up and down halves of a file that marks them, or None where it has no marker.

    Raises ImportRefusedError for a file with a way back but no way forward, or with two of either.
    """
    for tool, marker in _MARKERS.items():
        if marks := list(marker.finditer(text)):
            return _cut(tool, text, file, marks)
    return None


def _cut(tool: str, text: str, file: str, marks: list[re.Match[str]]) -> Sections:
    halves: dict[str, Script] = {}
    options = {mark["way"].lower(): mark["options"] or "" for mark in marks}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        way = mark["way"].lower()
        line = text.count("\n", 0, mark.start(0)) + 1
        if way in halves:
            raise ImportRefusedError(
                f"{file} has two sections for {way}, the second in line {line}.",
                hint="Write one migration per file.",
                file=file,
                line=line,
            )
        halves[way] = Script(text=text[mark.start() : end].rstrip() + "\n", file=file, line=line)
    if "up" not in halves:
        raise ImportRefusedError(
            f"{file} marks a way back but no way forward.", hint="Mark the forward SQL too, before the way back.", file=file
        )
    return Sections(tool=tool, up=halves["up"], down=_filled(halves.get("down")), transactional=_transactional(text, options))


def _filled(script: Script | None) -> Script | None:
    """The script, or None where it holds nothing but comments and blanks."""
    if script is None or not re.sub(r"--[^\n]*|/\*.*?\*/", "", script.text, flags=re.DOTALL).strip(" \t\r\n;"):
        return None
    return script


def _transactional(text: str, options: dict[str, str]) -> bool | None:
    if _GOOSE_WITHOUT_TRANSACTION.search(text) or re.search(r"transaction\s*:\s*false", options.get("up", "")):
        return False
    return None
