"""Findings that a person takes knowingly: in the plan, or by a comment ``-- headgate: allow RULE reason`` before a statement."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.analysis.report import Finding
from app.plan.model import AcceptedRisk
from app.sql.split import comments

_DIRECTIVE = re.compile(r"headgate:\s*allow\s+(?P<rule>[a-z0-9-]+)(?P<reason>.*)\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """An allowance in a comment; without a reason it does not count."""

    rule: str
    reason: str
    line: int


def directives(script: str) -> tuple[Directive, ...]:
    """Every allowance in the comments of a script."""
    if "headgate:" not in script.lower():
        return ()
    found = ((comment.line, _DIRECTIVE.search(comment.text)) for comment in comments(script))
    return tuple(
        Directive(rule=match["rule"].lower(), reason=" ".join(match["reason"].split()), line=line)
        for line, match in found
        if match
    )


def accept(
    findings: Iterable[Finding], allowed: Iterable[Directive], risks: Iterable[AcceptedRisk], *, lines: tuple[int, int]
) -> tuple[Finding, ...]:
    """The findings, marked where somebody accepted them.

    ``lines``: the line after the previous statement's end, and the statement's own last line; comments between them count.
    """
    known = tuple(risks)
    here = {entry.rule: entry.reason for entry in allowed if lines[0] <= entry.line <= lines[1] and entry.reason}
    return tuple(_accepted(finding, here, known) for finding in findings)


def _accepted(finding: Finding, here: dict[str, str], risks: Iterable[AcceptedRisk]) -> Finding:
    if finding.rule in here:
        return replace(finding, accepted=here[finding.rule])
    for risk in risks:
        if risk.rule == finding.rule and risk.step in {None, finding.step}:
            return replace(finding, accepted=risk.reason)
    return finding
