"""The plan document of F3 as Markdown: what Headgate knows filled in, what people wrote in between, and the whole plan below.

The headings are those that teams already use for a migration plan, so that a document written by hand imports as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.plan.document import read_plan, write_plan
from app.plan.errors import PlanError, did_you_mean
from app.plan.harmless import code, harmless, in_block, one_line
from app.plan.model import Brief, Grade, Plan

_TITLE = "Migration Plan: "
#: heading of a written section -> the field of Brief that it fills
_SECTIONS: Mapping[str, str] = {
    "Summary": "summary",
    "Data Migration": "data_migration",
    "API Impact": "api_impact",
    "Rollback Plan": "rollback_plan",
    "Estimated Downtime": "estimated_downtime",
}
#: headings that Headgate fills from the SQL and the catalog; their text is not read back
_FILLED = ("Schema Changes", "Tables Modified", "New Tables", "Removed Tables", "Steps", "Plan")
_EMPTY = "_Not written yet._"
#: separates what a person wrote from what Headgate adds below it
_FACTS = "<!-- from Headgate: not read back -->"
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<text>.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<language>[^`\n]*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """One row of "Tables Modified"."""

    #: qualified
    table: str
    change: str
    #: "low", "medium", "high" or "unknown"
    risk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What the SQL and the catalog say about a plan; the caller fills it from an analysis."""

    modified: tuple[TableChange, ...] = ()
    #: qualified table -> what it is for, or ""
    new: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    #: step id -> grade of its rollback
    grades: Mapping[str, Grade] = field(default_factory=dict)
    estimated_downtime: str = ""


def write_markdown(plan: Plan, facts: PlanFacts | None = None) -> str:
    """The plan document; the plan itself stands in a fenced block at its end, so that ``read_document`` brings it back."""
    known = facts or PlanFacts()
    brief = plan.brief
    parts = [
        f"## {_TITLE}{one_line(plan.name)}",
        _section("Summary", brief.summary),
        "### Schema Changes",
        _modified(known),
        _list("New Tables", [f"{code(name)}{f' - {one_line(why)}' if why else ''}" for name, why in known.new.items()]),
        _list("Removed Tables", [code(name) for name in known.removed]),
        _section("Data Migration", brief.data_migration),
        _section("API Impact", brief.api_impact),
        _section("Rollback Plan", brief.rollback_plan, _grades(plan, known)),
        _section("Estimated Downtime", brief.estimated_downtime, known.estimated_downtime),
        "### Plan",
        in_block(write_plan(plan), "yaml"),
    ]
    return "\n\n".join(parts) + "\n"


def _section(heading: str, written: str, filled: str = "") -> str:
    parts = [f"### {heading}", _shown(written) or _EMPTY]
    if filled:
        parts += [_FACTS, filled]
    return "\n\n".join(parts)


def _shown(written: str) -> str:
    """A written section as it stands in the document; the same for what was read back, so that it is known again."""
    return harmless(_sunk(written.strip()))


def _sunk(text: str) -> str:
    """The text with headings that would end its section set below it, and a block of code that stays open closed."""
    lines = []
    pairs, fence = _lines(text.replace(_FACTS, ""))
    for line, is_code in pairs:
        heading = None if is_code else _HEADING.match(line)
        lines.append(f"#### {heading['text']}" if heading and len(heading["marks"]) <= len("###") else line)
    return "\n".join([*lines, fence] if fence else lines)


def _modified(facts: PlanFacts) -> str:
    rows = [f"| {one_line(row.table)} | {one_line(row.change)} | {row.risk.capitalize()} |" for row in facts.modified]
    header = ["| Table | Change | Risk Level |", "| --- | --- | --- |"]
    return "\n".join(["#### Tables Modified", "", *(header + rows if rows else ["- None"])])


def _list(heading: str, items: list[str]) -> str:
    return "\n".join([f"#### {heading}", "", *(f"- {item}" for item in items or ["None"])])


def _grades(plan: Plan, facts: PlanFacts) -> str:
    rows = []
    for number, step in enumerate(plan.steps(), start=1):
        grade = facts.grades.get(step.id) or (step.rollback.grade if step.rollback is not None else None)
        if grade is not None:
            reason = step.rollback.reason if step.rollback is not None else ""
            rows.append(f"| {number} | {one_line(step.title)} | {grade} | {one_line(reason)} |")
    return "\n".join(["| Step | What | Way back | Why |", "| --- | --- | --- | --- |", *rows]) if rows else ""


def read_markdown(text: str, *, file: str = "plan.md") -> Brief:
    """The written sections of a plan document.

    Raises PlanError for a heading that is not known, a section that is there twice, and a text without any section.
    """
    found: dict[str, str] = {}
    current: str | None = None
    collected: dict[str, list[str]] = {}
    for number, (line, is_code) in enumerate(_lines(text)[0], start=1):
        heading = None if is_code else _HEADING.match(line)
        if heading is None or (len(heading["marks"]) > len("###") and not _is_filled(heading["text"])):
            if current is not None:
                collected[current].append(line)
            continue
        current = _section_of(heading["text"], number, file)
        if current is not None:
            if current in collected:
                raise _refused(f'The section "{heading["text"]}" is there twice.', "Join the two.", file, number)
            collected[current] = []
    found = {_SECTIONS[name]: _written(lines) for name, lines in collected.items()}
    if not found:
        raise _refused(
            "There is no section of a plan document in this text.",
            f"Write headings such as: {', '.join(f'### {name}' for name in _SECTIONS)}.",
            file,
            1,
        )
    return Brief(**found)


def _is_filled(heading: str) -> bool:
    return any(heading.casefold() == name.casefold() for name in _FILLED)


def _section_of(heading: str, line: int, file: str) -> str | None:
    """The written section of that heading; None for headings that Headgate fills and for the title."""
    if heading.startswith(_TITLE.strip()) or _is_filled(heading):
        return None
    name = next((name for name in _SECTIONS if name.casefold() == heading.casefold()), None)
    if name is None:
        raise _refused(
            f'The heading "{heading}" is not part of a plan document.', did_you_mean(heading.title(), _SECTIONS), file, line
        )
    return name


def _written(lines: list[str]) -> str:
    text = "\n".join(lines).partition(_FACTS)[0].strip()
    return "" if text == _EMPTY else text


def _refused(message: str, hint: str, file: str, line: int) -> PlanError:
    return PlanError(message, hint=hint, file=file, line=line, column=1)


def _lines(text: str) -> tuple[list[tuple[str, bool]], str]:
    """Each line with whether it is part of a fenced block of code; and the fence that is still open at the end, or ""."""
    lines: list[tuple[str, bool]] = []
    fence = ""
    for line in _split(text):
        match = _FENCE.match(line.strip())
        if fence:
            lines.append((line, True))
            if match and match["fence"].startswith(fence) and not match["language"].strip():
                fence = ""
            continue
        fence = match["fence"] if match else ""
        lines.append((line, bool(match)))
    return lines, fence


def _split(text: str) -> list[str]:
    """Lines as editors number them: other separators of Unicode are characters of the text."""
    return text.replace("\r\n", "\n").split("\n")


def read_document(text: str, *, file: str = "plan.md") -> Plan:
    """The whole plan of an exported document: the fenced block under "Plan", with the written sections as they stand now.

    Raises PlanError where there is no such block; places in it are lines of the document.
    """
    lines = _split(text)
    start = next((index for index, line in enumerate(lines) if _starts_plan(line, lines[index + 1 : index + 2])), None)
    if start is None:
        raise _refused(
            "There is no plan in this document.",
            "Export it from Headgate, or add the plan in a block that begins with ```yaml and `headgate: 1`.",
            file,
            1,
        )
    fence = lines[start].strip().removesuffix("yaml").strip()
    end = next((index for index in range(start + 1, len(lines)) if lines[index].strip() == fence), len(lines))
    # empty lines keep the places of refusals those of the document
    plan = read_plan("\n" * (start + 1) + "\n".join(lines[start + 1 : end]) + "\n", file=file)
    return _with_brief(plan, read_markdown("\n".join(lines[:start]), file=file))


def _starts_plan(line: str, following: list[str]) -> bool:
    match = _FENCE.match(line.strip())
    return bool(match) and match is not None and match["language"].strip() == "yaml" and following[:1] == ["headgate: 1"]


def _with_brief(plan: Plan, brief: Brief) -> Plan:
    """The plan with the sections as they were edited in the document; untouched ones keep their exact text."""
    sections = {}
    for name in _SECTIONS.values():
        before, now = getattr(plan.brief, name), getattr(brief, name)
        sections[name] = before if _shown(before) == now else now
    return Plan(name=plan.name, phases=plan.phases, brief=Brief(**sections), accepted=plan.accepted, tool=plan.tool)
