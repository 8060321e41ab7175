"""One revision as its document: what people wrote, and what SQL and catalog say, step by step and table by table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.analysis.api_impact import proposal
from app.analysis.report import Analysis, Finding, Lock, StatementReport
from app.analysis.rule import worst
from app.catalog.encoding import from_json
from app.catalog.records import Statistics
from app.plan.backfills import as_sentence
from app.plan.brief import PlanFacts, TableChange
from app.plan.model import Brief, Step
from app.plan.model import Plan as Content
from app.store.tables import SchemaSnapshot
from app.web.formats import milliseconds, plural
from app.web.views.what_is_done import done_to

_GRADES = ("lossless", "loses-new-writes", "irreversible")
CHANGING = ("sql", "backfill")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step with everything that is known about it."""

    id: str
    kind: str
    title: str
    phase: str
    #: one line for lists
    detail: str
    sql: str | None
    #: the parameters of kinds that have no SQL, as (name, value)
    facts: tuple[tuple[str, str], ...]
    #: by line of the step's SQL
    findings: Mapping[int, list[Finding]]
    #: findings that have no line in it
    loose_findings: tuple[Finding, ...]
    risk: str | None
    locks: tuple[Lock, ...]
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    changes: bool
    grade: str | None
    rollback_sql: str | None
    rollback_reason: str
    rollback_origin: str
    #: the first step after which nothing goes back without loss
    is_no_return: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLines:
    """The steps of one phase."""

    name: str
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One table of the plan document."""

    name: str
    #: changed, new, removed
    change: str
    #: what is done to it, in PostgreSQL's words; empty where the change says it all
    how: str
    risk: str
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """One revision, ready to be read."""

    brief: Mapping[str, str]
    phases: tuple[PhaseLines, ...]
    tables: tuple[TableRow, ...]
    is_analysed: bool
    worst_grade: str | None
    rollback_sentence: str
    #: sections of the written part that SQL and catalog can speak for, where nobody wrote them
    filled: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[StepLine, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)


def plan_document(content: Content, analysis: Analysis | None, statistics: Statistics | None = None) -> PlanDocument:
    """Put together what people wrote and what was found out."""
    by_step: dict[str, list[StatementReport]] = {}
    for statement in analysis.statements if analysis else ():
        by_step.setdefault(statement.step or "", []).append(statement)
    no_return = _point_of_no_return(content)
    phases = tuple(
        PhaseLines(
            name=phase.name,
            steps=tuple(
                _step_line(step, phase.name, by_step.get(step.id, []), is_no_return=step.id == no_return) for step in phase.steps
            ),
        )
        for phase in content.phases
    )
    grades = [step.rollback.grade for step in content.steps() if step.rollback]
    worst_grade = max(grades, key=_GRADES.index, default=None)
    return PlanDocument(
        brief={name: getattr(content.brief, name) for name in Brief.__dataclass_fields__},
        phases=phases,
        tables=_tables(analysis, statistics),
        is_analysed=analysis is not None,
        worst_grade=worst_grade,
        rollback_sentence=_rollback_sentence(content, worst_grade),
        filled={
            "rollback_plan": _rollback_sentence(content, worst_grade),
            "estimated_downtime": _downtime(analysis),
            "api_impact": api_impact(analysis),
            "data_migration": _data_migration(content),
        },
    )


def _point_of_no_return(content: Content) -> str | None:
    return next((step.id for step in content.steps() if step.rollback and step.rollback.grade == "irreversible"), None)


def _rollback_sentence(content: Content, worst_grade: str | None) -> str:
    changing = [step for step in content.steps() if step.kind in CHANGING]
    without = [step.title for step in changing if step.rollback is None or (not step.rollback.sql and not step.rollback.reason)]
    if without:
        return "No rollback yet for: " + ", ".join(without) + "."
    if worst_grade == "irreversible":
        title = next(step.title for step in changing if step.rollback and step.rollback.grade == "irreversible")
        return f"From “{title}” on, going back means restoring a backup."
    if worst_grade == "loses-new-writes":
        return "Everything can be undone; what the application wrote into the new columns or tables since is lost."
    return "Every step can be undone without loss."


def _step_line(step: Step, phase: str, statements: list[StatementReport], *, is_no_return: bool) -> StepLine:
    sql = step.spec.get("sql") if step.kind == "sql" else None
    findings = [finding for statement in statements for finding in statement.findings]
    lines = len(sql.splitlines()) if sql else 0
    by_line: dict[int, list[Finding]] = {}
    for finding in findings:
        if 1 <= finding.line <= lines:
            by_line.setdefault(finding.line, []).append(finding)
    rollback = step.rollback
    return StepLine(
        id=step.id,
        kind=step.kind,
        title=step.title,
        phase=phase,
        detail=step_detail(step),
        sql=sql,
        facts=tuple((name, _shown(value)) for name, value in step.spec.items() if name != "sql"),
        findings=by_line,
        loose_findings=tuple(finding for finding in findings if not 1 <= finding.line <= lines),
        risk=worst([statement.risk for statement in statements]) if statements else None,
        locks=_unique(lock for statement in statements for lock in statement.locks),
        rewrites=_unique(name for statement in statements for name in statement.rewrites),
        scans=_unique(name for statement in statements for name in statement.scans),
        changes=step.kind in CHANGING,
        grade=rollback.grade if rollback else None,
        rollback_sql=rollback.sql if rollback else None,
        rollback_reason=rollback.reason if rollback else "",
        rollback_origin=rollback.origin if rollback else "",
        is_no_return=is_no_return,
    )


def _unique(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def step_detail(step: Step) -> str:
    """What a step does, in one line."""
    spec = step.spec
    if step.kind == "sql":
        return f"{plural(len(str(spec.get('sql', '')).strip().splitlines()), 'line')} of SQL"
    if step.kind == "backfill":
        return as_sentence(spec)
    if step.kind == "wait":
        return f"{spec.get('seconds')} s"
    return str(spec.get("ask") or spec.get("url") or spec.get("query") or spec.get("statement") or spec.get("format") or "")


def _tables(analysis: Analysis | None, statistics: Statistics | None) -> tuple[TableRow, ...]:
    if analysis is None:
        return ()
    rows = []
    for change, names in (
        ("changed", analysis.tables.modified),
        ("new", analysis.tables.new),
        ("removed", analysis.tables.removed),
    ):
        for name in names:
            found = statistics.relations.get(name) if statistics else None
            risks = [statement.risk for statement in analysis.statements if name in statement.relations]
            rows.append(
                TableRow(
                    name=name,
                    change=change,
                    how=done_to(name, analysis) if change == "changed" else "",
                    risk=worst(risks),
                    rows=found.estimated_rows if found else None,
                    bytes=found.total_bytes if found else None,
                )
            )
    return tuple(rows)


def api_impact(analysis: Analysis | None) -> str:
    """What clients see, as a proposal in Markdown; empty where nothing is known."""
    return proposal(analysis.changes) if analysis else ""


def _data_migration(content: Content) -> str:
    """The rows that backfills change, as a Markdown list; empty where there is none."""
    steps = [step for step in content.steps() if step.kind == "backfill"]
    return "\n".join(f"- {step.title}: {step_detail(step)}" for step in steps)


def _downtime(analysis: Analysis | None) -> str:
    """How long others wait at worst, in a sentence; empty where nothing is known."""
    if analysis and analysis.worst_moment:
        return f"None; at the worst moment {analysis.worst_moment.sentence}."
    waits = [statement.blocked_ms for statement in (analysis.statements if analysis else ()) if statement.blocked_ms]
    if not waits:
        return ""
    low, high = max(waits, key=lambda wait: wait[1])
    span = "less than 1 ms" if high < 1 else f"{milliseconds(low)} to {milliseconds(high)}"
    return f"None; at the worst moment others wait {span}."


def plan_facts(content: Content, analysis: Analysis | None) -> PlanFacts:
    """What the exported document says beside what people wrote."""
    rows = _tables(analysis, None)
    return PlanFacts(
        modified=tuple(
            TableChange(table=row.name, change=row.how or row.change, risk=row.risk) for row in rows if row.change == "changed"
        ),
        new={row.name: "" for row in rows if row.change == "new"},
        removed=analysis.tables.removed if analysis else (),
        grades={step.id: step.rollback.grade for step in content.steps() if step.rollback},
        estimated_downtime=_downtime(analysis),
    )


def statistics_of(session: Session, target_id: int | None) -> Statistics | None:
    """Sizes of the target's tables as last read."""
    if target_id is None:
        return None
    # only the sizes: the schema and the known statements beside them may be megabytes
    content = session.scalar(
        select(SchemaSnapshot.statistics["relations"])
        .where(SchemaSnapshot.target_id == target_id)
        .order_by(SchemaSnapshot.taken_at.desc(), SchemaSnapshot.id.desc())
        .limit(1)
    )
    return from_json(Statistics, {"relations": content}) if content else None
