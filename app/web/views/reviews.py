"""The review on one screen: what changes, the worst moment, what breaks, how it goes back, the proof, what is new; the SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.actions.permissions import Permission
from app.actions.work import Work
from app.analysis.report import Analysis
from app.review.approvals import Tally
from app.store import reviews
from app.store.tables import Decision, PlanRevision, Run
from app.web.formats import milliseconds, plural
from app.web.views.plan_document import PlanDocument
from app.web.views.revisions import changes_between, content_of
from app.web.views.standing import Standing
from app.web.views.what_is_done import done_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One comment of a thread."""

    id: int
    author: str
    author_id: int
    body: str
    at: datetime
    revision_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A first comment with its answers."""

    step_id: str | None
    line: int | None
    remarks: tuple[Remark, ...]
    is_resolved: bool

    @property
    def id(self) -> int:
        """The first comment's id."""
        return self.remarks[0].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What the one who looks has decided about this revision for this target already."""

    is_approval: bool
    at: datetime
    reason: str
    #: why the approval no longer counts; empty where it does
    not_counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """Everything a reviewer decides by."""

    #: (title, sentence) of each step
    changes: tuple[tuple[str, str], ...]
    worst_moment: str
    breaks: tuple[str, ...]
    #: findings that somebody takes knowingly: (rule, where, reason), and those whose level the environment's policy changed
    taken: tuple[tuple[str, str, str], ...]
    proof: tuple[tuple[str, str], ...]
    #: what changed since the reviewer's last decision, and on which revision that was; None where there was none
    since: tuple[int, tuple[str, ...]] | None
    threads: tuple[Thread, ...]
    tally: Tally | None
    may_comment: bool
    #: why the one who looks can't decide; empty where they can
    cannot_decide: str
    #: why they can ask for changes, but not approve; empty where they can
    cannot_approve: str
    own: Own | None
    #: the run that did it, where it is done
    done: Run | None

    def at(self, step_id: str) -> dict[int, list[Thread]]:
        """The threads of a step's lines."""
        found: dict[int, list[Thread]] = {}
        for thread in self.threads:
            if thread.step_id == step_id and thread.line is not None:
                found.setdefault(thread.line, []).append(thread)
        return found

    def loose(self, step_id: str | None) -> tuple[Thread, ...]:
        """The threads of a step, or of the whole plan, that stand at no line."""
        return tuple(thread for thread in self.threads if thread.step_id == step_id and thread.line is None)


def review_page(work: Work, now: Standing, document: PlanDocument, report: Analysis | None) -> ReviewPage:
    """Put the review together for the one who looks."""
    tally = now.readiness.approvals if now.readiness else None
    return ReviewPage(
        changes=tuple((step.title, _sentence(step.kind, step.detail, report, step.id)) for step in document.steps),
        worst_moment=_worst_moment(report),
        breaks=tuple(_breaks(now, report)),
        taken=tuple(_taken(now, report)),
        proof=tuple(_proof(now)),
        since=_since(work, now),
        threads=threads_of(work, now.plan.id),
        tally=tally,
        may_comment=work.actor.may(now.plan.project_id, Permission.COMMENT),
        cannot_decide=_cannot_decide(work, now),
        cannot_approve=_cannot_approve(now),
        own=_own(tally, work.actor.person_id) if tally else None,
        done=now.done,
    )


def threads_of(work: Work, plan_id: int) -> tuple[Thread, ...]:
    """Every thread of the plan, the oldest first."""
    rows = reviews.comments(work.session, plan_id)
    answers: dict[int, list[Remark]] = {}
    for row, name in rows:
        remark = Remark(
            id=row.id, author=name, author_id=row.author_id, body=row.body, at=row.created_at, revision_id=row.revision_id
        )
        answers.setdefault(row.parent_id or row.id, []).append(remark)
    return tuple(
        Thread(step_id=row.step_id, line=row.line, remarks=tuple(answers[row.id]), is_resolved=row.resolved_at is not None)
        for row, _ in rows
        if row.parent_id is None
    )


def _sentence(kind: str, detail: str, report: Analysis | None, step_id: str) -> str:
    if kind != "sql" or report is None:
        return {"gate": f"A person confirms: {detail}", "check": f"Must hold: {detail}", "backup": "Takes a backup"}.get(
            kind, detail
        )
    statements = [statement for statement in report.statements if statement.step == step_id]
    words = dict.fromkeys(done_by(statement, report.tables.new) for statement in statements)
    return "; ".join(words) or detail


def _worst_moment(report: Analysis | None) -> str:
    if report is None:
        return "Not known: the plan is not analysed."
    worst = report.worst_moment
    if worst is None:
        return "Not known: an older version analysed it; analyse it again."
    sentence = worst.sentence[:1].upper() + worst.sentence[1:]
    statement = next((each for each in report.statements if each.index == worst.statement), None)
    if worst.impact is None or statement is None:
        return f"{sentence}."
    where = f"step {statement.step}, line {statement.line}" if statement.step else f"line {statement.line}"
    return f"{sentence}: {statement.command} on {worst.impact.relation} ({where}). {worst.impact.basis}."


def _breaks(now: Standing, report: Analysis | None) -> list[str]:
    result: Mapping[str, Any] = (now.rehearsal.result or {}) if now.rehearsal else {}
    queries = result.get("queries") or {}
    found = [_broken(query) for query in queries.get("broken") or ()]
    found += [
        finding.message
        for finding in (report.findings() if report else ())
        if finding.rule == "data-does-not-fit" and finding.risk != "low"
    ]
    found += [f"{name} is removed: whatever still reads it fails." for name in (report.tables.removed if report else ())]
    return found


def _broken(query: Mapping[str, Any]) -> str:
    phase = (query.get("broken_by") or {}).get("phase", "unknown")
    return f"A query with {query.get('calls', 0):,} calls fails after phase {phase}: {str(query.get('query', ''))[:160]}"


def _taken(now: Standing, report: Analysis | None) -> Iterator[tuple[str, str, str]]:
    """What no longer raises the level, or raises it differently, and by whose word."""
    seen = set()
    for finding in report.findings() if report else ():
        where = f"step {finding.step}" if finding.step else f"line {finding.line}"
        if finding.accepted is not None:
            seen.add(finding.rule)
            yield finding.rule, where, f"accepted: {finding.accepted}"
        elif finding.judged is not None:
            yield finding.rule, where, f"judged {finding.judged}, {finding.risk} by this environment's policy"
    for risk in now.content.accepted:
        if risk.rule not in seen:
            yield (
                risk.rule,
                f"step {risk.step}" if risk.step else "every step",
                f"accepted, though nothing finds it now: {risk.reason}",
            )


def _proof(now: Standing) -> list[tuple[str, str]]:
    row = now.rehearsal
    if row is None or row.result is None:
        failed = (row.error or {}).get("message", "") if row and row.error else ""
        return [("is-warn", f"The rehearsal failed: {failed}" if failed else "It was not rehearsed for this target yet.")]
    result, lines = row.result, []
    statements = result.get("statements") or []
    total = sum(float(statement.get("duration_ms") or 0) for statement in statements)
    lines.append(
        (
            "is-ok" if row.ok else "is-bad",
            (
                f"{'Ran' if row.ok else 'Did not run'} to its end on a shadow: "
                f"{len(statements)} statements in {milliseconds(total)}."
            ),
        )
    )
    rollback = result.get("rollback") or {}
    if rollback.get("ran"):
        restored = bool(rollback.get("schema_restored"))
        lines.append(
            (
                "is-ok" if restored else "is-bad",
                "The rollback restores the schema exactly." if restored else "The rollback does not restore the schema.",
            )
        )
    queries = result.get("queries") or {}
    if queries.get("known"):
        broken, changed = len(queries.get("broken") or ()), len(queries.get("changed") or ())
        told = f"and {_how_many(changed, 'change')} {'its' if changed <= 1 else 'their'} plan"
        lines.append(
            (
                "is-bad" if broken else "is-ok",
                f"Of {plural(queries['known'], 'known query', 'known queries')}, {_how_many(broken, 'break')} {told}.",
            )
        )
    return lines


def _how_many(number: int, verb: str) -> str:
    return f"{number or 'none'} {verb}{'s' if number <= 1 else ''}"


def _own(tally: Tally, person_id: int) -> Own | None:
    for judged in tally.approvals:
        if judged.decision.person_id == person_id:
            decision = judged.decision
            return Own(is_approval=True, at=decision.at, reason=decision.reason, not_counted=judged.not_counted)
    for objection in tally.objections:
        if objection.person_id == person_id:
            return Own(is_approval=False, at=objection.at, reason=objection.reason)
    return None


def _cannot_approve(now: Standing) -> str:
    if now.facts is None or now.facts.analysis_id is not None:
        return ""
    return f"It can't be approved before it is analysed for {now.facts.target}: nobody could know what they approve."


def _since(work: Work, now: Standing) -> tuple[int, tuple[str, ...]] | None:
    """What changed since the revision that the actor decided on last."""
    number = work.session.scalar(
        select(PlanRevision.number)
        .join(Decision, Decision.revision_id == PlanRevision.id)
        .where(PlanRevision.plan_id == now.plan.id, Decision.person_id == work.actor.person_id)
        .order_by(PlanRevision.number.desc())
        .limit(1)
    )
    if number is None or number == now.revision.number:
        return None
    old = content_of(work.session, now.plan.id, number)
    return (number, tuple(changes_between(old, now.content))) if old else None


def _cannot_decide(work: Work, now: Standing) -> str:
    if now.facts is None:
        return "The plan has no target yet: its author chooses one."
    if now.done is not None:
        return f"Run {now.done.id} did exactly this on {now.facts.target}: there is nothing left to decide."
    if now.plan.state.value in ("draft", "archived"):
        return "Nobody asked for a review of this revision yet." if now.plan.state.value == "draft" else "The plan is archived."
    if work.actor.person_id in now.facts.authors:
        return "You wrote it: an author's own decision does not count."
    role = work.actor.role_in(now.plan.project_id)
    if role is None or not role.includes(now.facts.policy.approver_role):
        return f"Deciding takes the role {now.facts.policy.approver_role.value}; an admin of the project can give it to you."
    return ""
