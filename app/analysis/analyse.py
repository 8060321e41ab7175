"""The judgement of an input: a script, several files, or a plan, with or without a target's catalog."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from app.analysis.accepted import Directive, directives
from app.analysis.basis import Basis
from app.analysis.calibration import measured_classes
from app.analysis.duration import Duration
from app.analysis.impact import Placed, with_impacts, worst_moment
from app.analysis.judge import Judge, overall
from app.analysis.outlook import settled_names
from app.analysis.report import Analysis, Estimates, StatementReport, TableChanges
from app.analysis.state import State
from app.analysis.traffic import Traffic
from app.catalog.records import Schema, Statistics
from app.plan.model import Plan, Rollback, Step
from app.sql.classify import classify
from app.sql.inverse import Deriver
from app.sql.split import Statement, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One file of the input; ``whole`` says who wraps it in a transaction: "Prisma does", or None."""

    text: str
    file: str | None = None
    whole: str | None = None


def analyse_script(
    text: str,
    *,
    file: str | None = None,
    schema: Schema | None = None,
    statistics: Statistics | None = None,
    server_version: int | None = None,
    assume_large: bool = False,
    single_transaction: bool = False,
) -> Analysis:
    """The analysis of one SQL script.

    Raises SqlSyntaxError, MetaCommandError, SqlTooLargeError.
    """
    basis = Basis(schema=schema, statistics=statistics, server_version=server_version, assume_large=assume_large)
    return analyse_scripts([Script(text=text, file=file)], basis=basis, single_transaction=single_transaction)


def analyse_scripts(scripts: Sequence[Script], *, basis: Basis, single_transaction: bool = False) -> Analysis:
    """The analysis of several files in their order: what one makes is free for the next."""
    judge = _judge(basis)
    read = [(script, split(script.text, file=script.file), directives(script.text)) for script in scripts]
    if single_transaction:
        statements = [statement for _, found, _ in read for statement in found]
        everywhere = [directive for _, _, found in read for directive in found]
        judge.script(statements, allowed=everywhere, whole="the whole input is one transaction")
    else:
        beyond = _settled_beyond([statements for _, statements, _ in read])
        for (script, statements, allowed), settled in zip(read, beyond, strict=True):
            judge.settled_beyond = settled
            judge.script(statements, allowed=allowed, whole=script.whole)
    return _analysis(judge, basis)


def analyse_plan(
    plan: Plan,
    *,
    basis: Basis | None = None,
    schema: Schema | None = None,
    statistics: Statistics | None = None,
    server_version: int | None = None,
    assume_large: bool = False,
    single_transaction: bool = False,
) -> Analysis:
    """The analysis of a plan: the statements of its ``sql`` steps, each step as the engine runs it.

    ``basis`` says all that the other arguments say, and more.
    """
    given = basis or Basis(schema=schema, statistics=statistics, server_version=server_version, assume_large=assume_large)
    basis = replace(given, runs_here=True)
    judge = _judge(basis, plan=plan)
    parts = [
        (part, phase.name)
        for phase in plan.phases
        for step in phase.steps
        for part in _parts(step, single_transaction=single_transaction)
    ]
    beyond = _settled_beyond([part.statements for part, _ in parts])
    for (part, phase_name), settled in zip(parts, beyond, strict=True):
        if part.step.kind == "backfill":
            judge.changed[judge.state.qualify(str(part.step.spec.get("table")))] = f"the backfill {part.step.id}"
        judge.settled_beyond = settled
        whole = f"the step {part.step.id}" if len(part.statements) > 1 else None
        judge.script(
            part.statements,
            allowed=part.allowed,
            whole=whole,
            step=part.step.id,
            phase=phase_name,
            rollback=part.step.rollback,
        )
    return _analysis(judge, basis)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Statements of a step that commit together."""

    step: Step
    statements: Sequence[Statement]
    allowed: Sequence[Directive]


def _parts(step: Step, *, single_transaction: bool) -> list[_Part]:
    if step.kind != "sql":
        return [_Part(step=step, statements=(), allowed=())] if step.kind == "backfill" else []
    text = str(step.spec.get("sql", ""))
    statements = split(text, file=step.source_file)
    together = single_transaction or step.spec.get("transaction", True)
    groups = _groups(statements) if together else [[statement] for statement in statements]
    return [_Part(step=step, statements=group, allowed=directives(text)) for group in groups]


def _settled_beyond(scripts: Sequence[Sequence[Statement]]) -> list[frozenset[str]]:
    """For each script the constraints that a later one validates or drops."""
    beyond: list[frozenset[str]] = []
    settled: frozenset[str] = frozenset()
    for statements in reversed(scripts):
        beyond.append(settled)
        settled |= settled_names(statements)
    return beyond[::-1]


def _groups(statements: Sequence[Statement]) -> list[list[Statement]]:
    """Runs of transactional statements share a transaction; every other statement stands alone, as in the engine."""
    groups: list[list[Statement]] = []
    is_open = False
    for statement in statements:
        transactional = classify(statement).is_transactional
        if transactional and is_open:
            groups[-1].append(statement)
        else:
            groups.append([statement])
        is_open = transactional
    return groups


def _judge(basis: Basis, plan: Plan | None = None) -> Judge:
    state = State(schema=basis.schema, statistics=basis.statistics)
    return Judge(state, basis.options(), accepted=plan.accepted if plan else (), inverse=_inverse(basis.schema))


def _inverse(schema: Schema | None) -> Callable[[Statement], Rollback | None]:
    """The way back of each statement, by the catalog as the statements before it have left it."""
    deriver = Deriver(schema)
    return lambda statement: deriver.rollback([statement])


def _analysis(judge: Judge, basis: Basis) -> Analysis:
    reports = _with_impacts(judge, basis)
    return Analysis(
        risk=overall(reports),
        assumptions=tuple(_assumptions(basis, judge)),
        tables=_tables(judge, basis),
        statements=reports,
        worst_moment=worst_moment(reports),
        estimates=_estimates(basis),
        changes=tuple(judge.changes),
        probes=tuple(judge.probes),
    )


def _estimates(basis: Basis) -> Estimates | None:
    if basis.estimates is None:
        return None
    return Estimates(
        count=basis.estimates.count,
        median_error=basis.estimates.median_error,
        sentence=basis.estimates.sentence(),
        measured=measured_classes(basis.rates),
    )


def _with_impacts(judge: Judge, basis: Basis) -> tuple[StatementReport, ...]:
    """The reports with who waits for each lock, as long as its transaction holds it."""
    locked = {lock.relation for report in judge.reports for lock in report.locks if lock.blocks}
    # where tables are taken as large, what is known of them says nothing
    traffic = Traffic(locked, schema=basis.schema, statistics=None if basis.assume_large else basis.statistics)
    placed = [
        Placed(report=report, duration=_duration(report, basis), transaction=transaction)
        for report, transaction in zip(judge.reports, judge.transactions, strict=True)
    ]
    found = with_impacts(placed, traffic, lock_timeout_ms=basis.lock_timeout_ms)
    return tuple(replace(report, impact=impact) for report, impact in zip(judge.reports, found, strict=True))


def _duration(report: StatementReport, basis: Basis) -> Duration | None:
    if report.work and (report.duration_ms is None or basis.assume_large):
        return None
    low, expected, high = report.duration_ms or (0.0, 0.0, 0.0)
    return Duration(low_ms=low, expected_ms=expected, high_ms=high)


def _assumptions(basis: Basis, judge: Judge) -> Iterable[str]:
    if basis.assume_large:
        yield "every table that exists is taken as large and busy"
    elif basis.statistics is None:
        yield "table size unknown: taken as large and busy"
    if basis.schema is None:
        yield "the target's schema is unknown: types, indexes and dependents are judged from the input alone"
    if basis.server_version is None and basis.schema is None:
        yield f"the server's version is unknown: taken as PostgreSQL {judge.options.server_version}"


def _tables(judge: Judge, basis: Basis) -> TableChanges:
    """Which relations the input changes, makes and removes, by what the state has learned."""
    state = judge.state
    new = {name for name, table in state.tables.items() if table.is_new and table.kind in {"table", "partitioned table"}}
    before = set(basis.schema.relations) if basis.schema else set[str]()
    removed = {name for name in state.removed & _dropped(judge) if not before or name in before}
    modified = {
        report.relations[0]
        for report in judge.reports
        if report.relations and report.command not in {"SELECT", "EXPLAIN", "SHOW", "LOCK TABLE", "ANALYZE", "VACUUM"}
    }
    return TableChanges(
        modified=tuple(sorted(modified - new - removed)), new=tuple(sorted(new)), removed=tuple(sorted(removed - new))
    )


def _dropped(judge: Judge) -> set[str]:
    return {name for report in judge.reports for name in report.relations if report.command == "DROP TABLE"}
