"""One statement after another: facts, findings, level; then the state moves on."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.analysis.accepted import Directive, accept
from app.analysis.advance import advance, hold
from app.analysis.blocks import Block, read_block
from app.analysis.context import Context, Options, altered_table
from app.analysis.footprint import Footprint, footprint
from app.analysis.outlook import Ahead, Outlook
from app.analysis.predicates import touches_few_rows
from app.analysis.probes.generate import probes_of
from app.analysis.probes.probe import Probe
from app.analysis.registry import RULES
from app.analysis.report import Finding, Lock, SchemaChange, StatementReport, WorkDone
from app.analysis.rule import Hit, Risk, Rule, worst
from app.analysis.schema_changes import changes_of
from app.analysis.state import State, Transaction
from app.analysis.work import duration_of, works_of
from app.errors import HeadgateError
from app.plan.model import AcceptedRisk, Rollback
from app.sql.classify import classify
from app.sql.lock_levels import MODES
from app.sql.split import Statement, split
from app.sql.tree import Node, commands, option

Inverse = Callable[[Statement], Rollback | None]


class Judge:
    """Goes through an input in order, remembering what the statements before have done."""

    def __init__(
        self, state: State, options: Options, *, accepted: Iterable[AcceptedRisk] = (), inverse: Inverse | None = None
    ) -> None:
        """``inverse`` derives the rollback of a statement; ``accepted`` are the plan's own allowances."""
        self.state = state
        self.options = options
        self.accepted = tuple(accepted)
        self.inverse = inverse
        self.reports: list[StatementReport] = []
        #: for each report the transaction that it ran in; None for one of its own
        self.transactions: list[Transaction | None] = []
        #: what the target's rows are to be asked
        self.probes: list[Probe] = []
        #: what clients of the database see
        self.changes: list[SchemaChange] = []
        #: relation -> what changes its rows so far
        self.changed: dict[str, str] = {}
        #: constraints that a script after the present one validates or drops
        self.settled_beyond: frozenset[str] = frozenset()

    def script(
        self,
        statements: Sequence[Statement],
        *,
        allowed: Sequence[Directive] = (),
        whole: str | None = None,
        step: str | None = None,
        phase: str | None = None,
        rollback: Rollback | None = None,
    ) -> None:
        """Judge the statements of one script; ``whole`` names the transaction that holds all of it, if one does."""
        if whole is not None:
            self.state.transaction = self.state.transaction or Transaction(began=whole)
        last_line = 0
        outlook = Outlook(statements)
        for position, statement in enumerate(statements):
            end = statement.line + statement.text.count("\n")
            report = self._statement(statement, outlook.after(position), step=step, phase=phase)
            findings = accept(report.findings, allowed, self.accepted, lines=(last_line, end))
            last_line = end + 1
            self.reports.append(
                replace(
                    report,
                    findings=findings,
                    risk=worst(finding.risk for finding in findings if finding.accepted is None),
                    rollback=rollback or report.rollback,
                )
            )
        if whole is not None:
            self.state.transaction = None
            self.state.local_settings.clear()

    def _statement(self, statement: Statement, ahead: Ahead, *, step: str | None, phase: str | None) -> StatementReport:
        block = read_block(statement.text, statement.body) if statement.kind == "DoStmt" else None
        context = self._context(statement, ahead, block)
        findings = [self._finding(rule, hit, context, step) for rule in RULES.values() for hit in rule.check(context)]
        rollback = self.inverse(statement) if self.inverse else None
        effect, facts, state = context.effect, context.footprint, self.state
        relations = tuple(dict.fromkeys(state.qualify(name) for name in (*effect.relations, *_homes(context))))
        work = works_of(context)
        self.probes += probes_of(context, statement=len(self.reports) + 1, step=step, changed_by=self._changed_by(context))
        self.changes += changes_of(context)
        inner = self._inside(statement, block) if block else self._analyzed(statement)
        work = (*work, *(done for report in inner for done in report.work))
        self.transactions.append(state.transaction)
        self._move_on(context, ahead)
        return StatementReport(
            index=len(self.reports) + 1,
            file=statement.file,
            line=statement.line,
            sql=statement.text,
            command=effect.command,
            relations=tuple(dict.fromkeys((*relations, *(name for report in inner for name in report.relations)))),
            risk="low",
            locks=tuple(_strongest(lock for report in inner for lock in report.locks) if inner else facts.locks),
            rewrites=tuple(dict.fromkeys((*facts.rewrites, *(name for report in inner for name in report.rewrites)))),
            scans=tuple(dict.fromkeys((*facts.scans, *(name for report in inner for name in report.scans)))),
            transactional=effect.is_transactional,
            findings=(
                *sorted(findings, key=lambda finding: (finding.line, finding.column, finding.rule)),
                *(
                    replace(finding, line=statement.line, column=statement.column)
                    for report in inner
                    for finding in report.findings
                ),
            ),
            rollback=rollback,
            step=step,
            phase=phase,
            work=work,
            **self._times(work, is_ddl=effect.is_ddl, blocks=any(lock.blocks for lock in facts.locks) or bool(inner)),
        )

    def _times(self, work: Sequence[WorkDone], *, is_ddl: bool, blocks: bool) -> dict[str, Any]:
        """How long the statement takes, and how long others wait for the rows that it works on."""
        taken = duration_of(work, self.options.rates, changes_catalog=is_ddl)
        waited = duration_of(work if blocks else (), self.options.rates, changes_catalog=False)
        says = taken is not None and (is_ddl or bool(work))
        return {
            "duration_ms": (taken.low_ms, taken.expected_ms, taken.high_ms) if taken and says else None,
            "blocked_ms": waited.span if waited else None,
        }

    def _context(self, statement: Statement, ahead: Ahead, block: Block | None) -> Context:
        facts = (
            footprint(
                statement.kind,
                statement.body,
                self.state,
                server_version=self.options.server_version,
                is_utc=self.options.is_utc,
                number=len(self.reports) + 1,
            )
            if statement.kind
            else Footprint()
        )
        return Context(
            statement=statement,
            effect=classify(statement),
            state=self.state,
            footprint=facts,
            options=self.options,
            kind=statement.kind,
            body=statement.body,
            table=altered_table(self.state, statement.kind, statement.body),
            subtypes=frozenset(str(command.get("subtype")) for command in commands(statement.body)),
            later=ahead.statements,
            settled_later=ahead.settled | self.settled_beyond,
            ends_later=ahead.ends,
            is_dynamic=block is not None and block.is_dynamic,
            answers=self.options.answers.get(len(self.reports) + 1, ()),
        )

    def _finding(self, rule: Rule, hit: Hit, context: Context, step: str | None) -> Finding:
        line, column = context.statement.place(hit.location)
        level = self.options.severities.get(rule.id, hit.risk)
        return Finding(
            rule=rule.id,
            risk=level,
            judged=hit.risk if level != hit.risk else None,
            line=line,
            column=column,
            message=hit.message,
            why=hit.why or rule.why,
            safer=hit.safer,
            source=rule.source,
            step=step,
        )

    def _inside(self, statement: Statement, block: Block) -> list[StatementReport]:
        """The reports of the statements in a block, which share one transaction."""
        inner = Judge(self.state, self.options, accepted=self.accepted)
        opened = self.state.transaction is None
        self.state.transaction = self.state.transaction or Transaction(began="the DO block")
        for source in block.statements:
            with suppress(HeadgateError):
                inner.script(split(source, file=statement.file))
        if opened:
            self.state.transaction = None
        self.changes += inner.changes
        return inner.reports

    def _analyzed(self, statement: Statement) -> list[StatementReport]:
        """The report of the statement that EXPLAIN ANALYZE runs; a query is harmless either way."""
        query = statement.body.get("query", {})
        if statement.kind != "ExplainStmt" or "SelectStmt" in query or not option(statement.body.get("options"), "analyze"):
            return []
        inner = Judge(self.state, self.options, accepted=self.accepted)
        inner.script([replace(statement, node=query)])
        return inner.reports

    def _changed_by(self, context: Context) -> str:
        """What changes the rows of the statement's table before it."""
        table = context.table.name if context.table else next(iter(context.effect.relations), "")
        return self.changed.get(self.state.qualify(table), "") if table else ""

    def _move_on(self, context: Context, ahead: Ahead) -> None:
        state, statement = self.state, context.statement
        if context.effect.is_dml and "relation" in context.body:
            written = state.table_of(context.body["relation"]).name
            self.changed[written] = f"{context.effect.command} in statement {len(self.reports) + 1}"
        transaction = state.transaction
        if (
            transaction is not None
            and context.kind in {"UpdateStmt", "DeleteStmt", "MergeStmt"}
            and not touches_few_rows(context)
        ):
            transaction.written.add(state.table_of(context.body["relation"]).name)
        state.is_uncertain = state.is_uncertain or context.is_dynamic or context.kind in {"CallStmt", "ExecuteStmt", ""}
        if ahead.undoes and statement.kind == "TransactionStmt":
            self._save(statement.body)
        hold(state, context.footprint.held)
        advance(state, statement.kind, statement.body)

    def _save(self, body: Node) -> None:
        """Keep what holds, where a ROLLBACK that follows will bring it back."""
        if body.get("kind") in {"TRANS_STMT_BEGIN", "TRANS_STMT_START"} and "" not in self.state.saved:
            self.state.save("")
        elif body.get("kind") == "TRANS_STMT_SAVEPOINT":
            self.state.save(str(body.get("savepoint_name")))


def _strongest(locks: Iterable[Lock]) -> list[Lock]:
    """One lock for each relation, the strongest of several."""
    found: dict[str, Lock] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or MODES.index(lock.mode) > MODES.index(known.mode):
            found[lock.relation] = lock
    return list(found.values())


def _homes(context: Context) -> list[str]:
    """The tables of the indexes that a statement names, where they are known."""
    found = (context.state.index(name)[0] for name in context.effect.indexes)
    return [table.name for table in found if table is not None]


def overall(reports: Iterable[StatementReport]) -> Risk:
    """The level of the whole input."""
    return worst(report.risk for report in reports)
