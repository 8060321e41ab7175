"""Gathers from rows what readiness is judged by; pages, start_run and the worker before the first change ask the same."""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from app.plan.checklist import DEFAULT_CHECKLIST, ChecklistItem
from app.plan.model import Plan as Content
from app.review.evidence import Evidence, rehearsal_digest
from app.review.facts import BackupTaken, EarlierRun, Facts, OpenRun, Overridden, TickedByHand
from app.review.policy import RISKS, EnvironmentPolicy, Risk
from app.review.readiness import NotReady, Ready, readiness
from app.store import backups, findings, plans, reviews, runs, targets
from app.store.findings import AnalysisFound, RehearsalFound
from app.store.tables.plans import PlanRevision
from app.store.tables.targets import Environment, Target
from app.store.words import PlanState

_CHANGING = ("sql", "backfill")


def load_readiness(
    session: Session, *, revision_id: int, target_id: int, now: datetime, run_id: int | None = None
) -> Ready | NotReady:
    """Whether a revision may run on a target now; the run of ``run_id`` itself is not in the way."""
    return readiness(load_facts(session, revision_id=revision_id, target_id=target_id, now=now, run_id=run_id))


def load_facts(
    session: Session,
    *,
    revision_id: int,
    target_id: int,
    now: datetime,
    run_id: int | None = None,
    known: findings.Known | None = None,
) -> Facts:
    """Everything that is known about a revision that is to run on a target.

    Raises NotFoundError.
    """
    revision, target = plans.revision(session, revision_id), targets.get(session, target_id)
    plan = plans.get(session, revision.plan_id)
    content = plans.content(revision)
    environment = targets.environment(session, target.environment_id)
    policy = EnvironmentPolicy.from_json(environment.policy)
    analysis = _under(policy, environment.name, findings.analysis_of(session, revision.id, target.id, known))
    rehearsal = findings.rehearsal_of(session, revision.id, target.id, known)
    earlier = targets.environments_before(session, environment)
    return Facts(
        now=now,
        plan_id=plan.id,
        revision_id=revision.id,
        revision_number=revision.number,
        is_current=plan.current_revision_id == revision.id,
        is_archived=plan.state is PlanState.ARCHIVED,
        target_id=target.id,
        target=target.name,
        environment=environment.name,
        is_own_target=plan.target_id == target.id,
        policy=policy,
        checklist=checklist_of(policy),
        authors=frozenset({plan.author_id, *plans.writers(session, plan.id)}),
        risk=_risk(analysis.risk),
        analysis_id=analysis.id,
        analysis_error=analysis.error,
        analysis_is_old=_is_old(analysis.schema, target),
        rehearsal_is_old=_is_old(rehearsal.schema, target),
        rehearsal_error=rehearsal.error,
        evidence=_evidence(revision, target, analysis, rehearsal),
        decisions=reviews.standing_decisions(session, revision.id, target.id, plan.project_id),
        backup=_backup(session, target.id),
        backup_step=backup_step(content),
        earlier_environments=tuple(name for name, _ in earlier),
        earlier_target_id=earlier[-1][1] if earlier else None,
        earlier_run=_earlier_run(session, environment, revision.digest),
        figures_at=targets.figures_read_at(session, target.id),
        rehearsal_restored=_restored(rehearsal),
        has_statements=(target.capabilities or {}).get("has_statements"),
        target_error=_target_error(target),
        target_retired=target.retired_at is not None,
        without_rollback=tuple(step.title for step in content.steps() if step.kind in _CHANGING and step.rollback is None),
        irreversible=_irreversible(content),
        ticks=_ticks(session, plan.id, target.id),
        overrides={found.gate: found for found in _overrides(session, revision.id, target.id)},
        open_run=_open_run(session, target.id, run_id),
    )


def _under(policy: EnvironmentPolicy, environment: str, found: AnalysisFound) -> AnalysisFound:
    """The analysis where it was judged by the levels that the policy gives now; another one does not count."""
    if found.id is None or (found.rules_version or "").partition("-")[2] == policy.severities_digest:
        return found
    return AnalysisFound(error=f"The levels of rules in the policy of {environment} changed since: analyse it again.")


def checklist_of(policy: EnvironmentPolicy) -> tuple[ChecklistItem, ...]:
    """The items that a policy asks for: the default list, or those it names; a text of its own becomes an item for people."""
    if policy.checklist is None:
        return DEFAULT_CHECKLIST
    known = {item.id: item for item in DEFAULT_CHECKLIST}
    return tuple(known.get(entry) or _own_item(entry) for entry in policy.checklist)


def backup_step(content: Content) -> str | None:
    """The title of a step that backs the whole database up before the first change, where the plan has one."""
    for step in content.steps():
        if step.kind == "backup" and not step.spec.get("tables"):
            return step.title
        if step.kind in _CHANGING:
            return None
    return None


def _evidence(revision: PlanRevision, target: Target, analysis: AnalysisFound, rehearsal: RehearsalFound) -> Evidence:
    """What a decision about the revision for the target is bound to at this moment."""
    return Evidence(
        plan_digest=revision.digest,
        target_id=target.id,
        dsn_summary=target.dsn_summary,
        catalog_fingerprint=target.schema_fingerprint,
        rehearsal_id=rehearsal.id,
        rehearsal_ok=rehearsal.ok,
        rehearsal_result=None if rehearsal.outcome is None else rehearsal_digest(rehearsal.outcome),
        rules_version=analysis.rules_version,
    )


def _irreversible(content: Content) -> tuple[str, ...]:
    return tuple(step.title for step in content.steps() if step.rollback is not None and step.rollback.grade == "irreversible")


def _is_old(schema: str | None, target: Target) -> bool:
    """True where something was found out with a schema that the target no longer has."""
    return schema is not None and target.schema_fingerprint is not None and schema != target.schema_fingerprint


def _risk(found: str | None) -> Risk:
    return RISKS[RISKS.index(found)] if found in RISKS else "unknown"


def _restored(rehearsal: RehearsalFound) -> bool | None:
    rollback = (rehearsal.outcome or {}).get("rollback") or {}
    return bool(rollback.get("schema_restored")) if rollback.get("ran") else None


def _own_item(text: str) -> ChecklistItem:
    number = hashlib.sha256(text.encode()).hexdigest()[:12]
    return ChecklistItem(id=f"own-{number}", group="Also here", text=text)


def _backup(session: Session, target_id: int) -> BackupTaken | None:
    found = backups.newest_whole(session, target_id)
    if found is None or found.finished_at is None:
        return None
    return BackupTaken(id=found.id, finished_at=found.finished_at, verified_at=found.verified_at, proven_at=found.proven_at)


def _earlier_run(session: Session, environment: Environment, digest: str) -> EarlierRun | None:
    found = runs.succeeded_before(session, environment.project_id, digest, environment.position)
    if found is None:
        return None
    run, where = found
    return EarlierRun(id=run.id, environment=where.name, finished_at=run.finished_at)


def _target_error(target: Target) -> str | None:
    if target.last_error is not None:
        return str(target.last_error.get("message") or "The last connection test failed.")
    capabilities = target.capabilities or {}
    if capabilities.get("is_sufficient", True):
        return None
    lacks = [str(lack.get("what")) for lack in capabilities.get("missing", ()) if lack.get("is_required")]
    return f"Headgate's role lacks: {', '.join(lacks)}."


def _ticks(session: Session, plan_id: int, target_id: int) -> tuple[TickedByHand, ...]:
    return tuple(
        TickedByHand(item_id=tick.item_id, person=name, note=tick.note, at=tick.ticked_at, lapses_at=tick.lapses_at)
        for tick, name in reviews.standing_ticks(session, plan_id, target_id)
        if tick.person_id is not None
    )


def _overrides(session: Session, revision_id: int, target_id: int) -> list[Overridden]:
    return [
        Overridden(gate=row.gate, person=name, reason=row.reason, at=row.created_at)
        for row, name in reviews.overrides(session, revision_id, target_id)
    ]


def _open_run(session: Session, target_id: int, but_run: int | None) -> OpenRun | None:
    held = runs.holder_of(session, target_id)
    if held is None or held[0].id == but_run:
        return None
    run, plan, person = held
    return OpenRun(id=run.id, plan=plan, started_by=person or "somebody", state=run.state)
