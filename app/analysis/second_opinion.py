"""What squawk, an independent linter, says about the same statements: beside the analysis, never a part of its risk.

squawk sees the text alone, no catalog. Its answer is text from another program: read with limits and shown as it is.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.analysis.report import Analysis
from app.catalog.encoding import from_json, to_json

MOST_REMARKS, MOST_CHARACTERS = 300, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark of squawk about one statement."""

    rule: str
    #: squawk's own word: Warning, Error
    level: str
    message: str
    #: what it proposes, or ""
    help: str = ""
    #: number of the statement in the analysis
    statement: int = 0
    #: what Headgate's rules found in the same statement
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """What squawk said, or why it said nothing."""

    tool: str = "squawk"
    version: str = ""
    remarks: tuple[Remark, ...] = ()
    #: remarks beyond MOST_REMARKS
    left_out: int = 0
    #: why there is no opinion; empty where there is one
    missing: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the ``analyze`` document has it."""
        return to_json(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "SecondOpinion":
        """What ``as_json`` wrote."""
        return from_json(cls, content)


def text_for(analysis: Analysis) -> str:
    """The statements of the analysis as one script."""
    return "".join(f"{statement.sql};\n" for statement in analysis.statements)


def read_answer(answer: str, analysis: Analysis, *, version: str) -> SecondOpinion:
    """The remarks in squawk's JSON, each with the statement that it is about and what our rules found there.

    Raises ValueError where the answer is not what squawk writes.
    """
    found = json.loads(answer or "[]")
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError("no list of remarks")
    starts = _starts(analysis)
    remarks = [_remark(entry, analysis, starts) for entry in found[:MOST_REMARKS]]
    return SecondOpinion(version=version, remarks=tuple(remarks), left_out=max(len(found) - MOST_REMARKS, 0))


def _starts(analysis: Analysis) -> list[int]:
    """The line of text_for() on which each statement begins, from 0."""
    starts, line = [], 0
    for statement in analysis.statements:
        starts.append(line)
        line += statement.sql.count("\n") + 1
    return starts


def _remark(entry: Mapping[str, Any], analysis: Analysis, starts: Sequence[int]) -> Remark:
    line = entry.get("line")
    place = bisect_right(starts, line) - 1 if isinstance(line, int) and starts else -1
    statement = analysis.statements[place] if place >= 0 else None
    return Remark(
        rule=_short(entry.get("rule_name")),
        level=_short(entry.get("level")),
        message=_short(entry.get("message")),
        help=_short(entry.get("help")),
        statement=statement.index if statement else 0,
        ours=tuple(dict.fromkeys(finding.rule for finding in statement.findings)) if statement else (),
    )


def _short(value: Any) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str) else ""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
