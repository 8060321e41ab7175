"""An analysis as text for a terminal, as GitHub's annotations, and as SARIF 2.1.0 for code scanning."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.analysis.registry import RULES
from app.analysis.report import Analysis, Finding, StatementReport
from app.analysis.rule import Risk
from app.analysis.second_opinion import SecondOpinion
from app.unseen import spelled

_LEVELS: dict[Risk, str] = {"high": "error", "unknown": "warning", "medium": "warning", "low": "note"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(analysis: Analysis) -> str:
    """Findings by statement, each with its place, its reason and the safe way."""
    lines = [line for statement in analysis.statements for line in _statement_lines(statement)]
    count = len(analysis.statements)
    lines.append(f"{count} statement{'' if count == 1 else 's'}, risk: {analysis.risk}")
    if analysis.worst_moment:
        lines.append(f"Worst moment: {analysis.worst_moment.sentence}.")
    lines += [f"Assumed: {assumption}." for assumption in analysis.assumptions]
    return "\n".join(lines)


def details_as_text(details: Mapping[str, Any]) -> Iterator[str]:
    """What the target's rows and another linter said, for a terminal; nothing where they were not asked."""
    for answer in details.get("preflight", ()):
        mark = {"fails": "DATA   ", "fits": "ok     "}.get(answer["state"], "unknown")
        yield f"{mark} statement {answer['statement']}: {answer['sentence']}."
        for row in answer["sample"]:
            yield "          " + ", ".join(f"{name} = {value}" for name, value in zip(answer["columns"], row, strict=True))
    if "second_opinion" in details:
        yield from _opinion_as_text(details["second_opinion"])


def _opinion_as_text(content: Mapping[str, Any]) -> Iterator[str]:
    second = SecondOpinion.from_json(content)
    if not second.missing:
        yield f"Second opinion, of {second.tool} {second.version}: {len(second.remarks)} remarks, which change no risk"
    for remark in second.remarks:
        # another program's text: no character of it may steer the terminal
        yield spelled(f"        statement {remark.statement}: {remark.level.lower()} {remark.rule}: {remark.message}")


def _statement_lines(statement: StatementReport) -> Iterator[str]:
    place = f"{statement.file}:{statement.line}" if statement.file else f"line {statement.line}"
    yield f"{statement.risk.upper():7} {place}  {' '.join(statement.sql.split())[:100]}"
    for lock in statement.locks:
        if lock.blocks:
            yield f"        locks {lock.relation}: {lock.mode}, blocks {' and '.join(lock.blocks)}"
    yield from (f"        who waits on {impact.relation}: {impact.basis}" for impact in statement.impact)
    for finding in statement.findings:
        taken = f" (accepted: {finding.accepted})" if finding.accepted is not None else ""
        yield f"        {finding.line}:{finding.column} {finding.risk} {finding.rule}: {finding.message}{taken}"
        if finding.risk != "low":
            yield f"          why: {finding.why}"
            if finding.safer:
                yield "          safer:\n" + "\n".join(f"            {line}" for line in finding.safer.splitlines())


def as_github(analysis: Analysis, *, path_of: Callable[[str], str]) -> str:
    """One workflow command for each finding; ``path_of`` makes a file's name relative to the repository."""
    words = {"error": "error", "warning": "warning", "note": "notice"}
    lines = []
    for statement in analysis.statements:
        for finding in statement.findings:
            if finding.accepted is None:
                place = f"file={_property(path_of(statement.file))}," if statement.file else ""
                title = _property(f"{finding.rule} ({finding.risk})")
                command = f"{words[_LEVELS[finding.risk]]} {place}line={finding.line},col={finding.column},title={title}"
                lines.append(f"::{command}::{_data(finding.message)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(analysis: Analysis, *, path_of: Callable[[str], str], version: str) -> dict[str, Any]:
    """A SARIF log with one run; rules carry their help, accepted findings are suppressed with their reason."""
    used = sorted({finding.rule for finding in analysis.findings()})
    results = [
        _sarif_result(finding, statement, used, path_of) for statement in analysis.statements for finding in statement.findings
    ]
    driver = {
        "name": "Headgate",
        "version": version,
        "informationUri": "https://www.postgresql.org/docs/18/explicit-locking.html",
        "rules": [_sarif_rule(rule_id) for rule_id in used],
    }
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _sarif_rule(rule_id: str) -> dict[str, Any]:
    rule = RULES[rule_id]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _sarif_result(finding: Finding, statement: StatementReport, used: list[str], path_of: Callable[[str], str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": used.index(finding.rule),
        "level": _LEVELS[finding.risk],
        "message": {"text": finding.message},
        "properties": {"risk": finding.risk, "safer": finding.safer},
    }
    if statement.file:
        region = {"startLine": finding.line, "startColumn": finding.column}
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": path_of(statement.file)}, "region": region}}]
    if finding.accepted is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.accepted}]
    return result
