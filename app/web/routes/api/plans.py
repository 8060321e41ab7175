"""Plans: import, show, analyse, rehearse, review, checklist."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from app.actions import reach
from app.actions.analyse_plan import analyse_plan
from app.actions.approve_plan import approve_plan
from app.actions.comment import comment
from app.actions.drafting import read_draft
from app.actions.import_plan import import_plan
from app.actions.load_readiness import load_readiness
from app.actions.override_gate import override_gate
from app.actions.permissions import Permission
from app.actions.rehearse_plan import rehearse_plan
from app.actions.request_changes import request_changes
from app.actions.request_review import request_review
from app.actions.start_run import start_run
from app.actions.tick_item import tick_item
from app.actions.untick_item import untick_item
from app.actions.work import Work
from app.errors import NotFoundError
from app.plan.document import write_plan
from app.plan.model import Plan as Content
from app.review.policy import EnvironmentPolicy
from app.review.readiness import NotReady
from app.store import plans as plan_rows
from app.store import targets
from app.store.tables import Analysis, Plan, Rehearsal
from app.web.dependencies import SignedIn
from app.web.views.step_limits import step_limits

router = APIRouter(tags=["plans"])


class NewPlan(BaseModel):
    """Exactly one of files (relative name -> text), sql, and plan (YAML)."""

    project_id: int
    target_id: int | None = None
    name: str = ""
    files: dict[str, str] | None = None
    sql: str = ""
    down_sql: str = ""
    plan: str = ""
    tool: str | None = None
    backfills: bool = True
    accept_irreversible: bool = False
    note: str = ""


class Verdict(BaseModel):
    """An approval, or a wish for changes with its reason; bound to the digest that was looked at."""

    digest: str
    note: str = ""
    target_id: int | None = None


class Untick(BaseModel):
    """A tick that is taken back."""

    reason: str = ""
    target_id: int | None = None


class Remark(BaseModel):
    """A comment, on a line of a step where one is named."""

    body: str
    step_id: str | None = None
    line: int | None = None


class Ticked(BaseModel):
    """An item of the checklist."""

    note: str = ""
    target_id: int | None = None


class Overriding(BaseModel):
    """A gate that is opened by name."""

    gate: str
    reason: str
    digest: str
    target_id: int | None = None


class Starting(BaseModel):
    """A wish to start, now or at a time (with its zone); the same token again finds the same run."""

    digest: str
    request_token: str
    target_id: int | None = None
    scheduled_for: datetime | None = None
    profile: str | None = None
    max_rate: int | None = None


@router.post("/plans", status_code=201)
def create(work: SignedIn, body: NewPlan) -> dict[str, Any]:
    """Import a plan."""
    reach.project(work, body.project_id, Permission.WRITE_PLAN)
    read = read_draft(
        work.session,
        target_id=body.target_id,
        name=body.name,
        files={name: text.encode() for name, text in body.files.items()} if body.files else None,
        sql=body.sql,
        down_sql=body.down_sql,
        plan_text=body.plan,
        tool=body.tool,
        backfills=body.backfills,
        accept_irreversible=body.accept_irreversible,
    )
    plan = import_plan(work, project_id=body.project_id, target_id=body.target_id, draft=read, note=body.note)
    return {"id": plan.id, "digest": plan_rows.current(work.session, plan).digest}


@router.get("/plans/{plan_id}")
def show(work: SignedIn, plan_id: int, target_id: int | None = None) -> dict[str, Any]:
    """A plan: state, digest, risk, rehearsal, and what is missing before it may run."""
    plan = reach.plan(work, plan_id, Permission.VIEW)
    revision = plan_rows.current(work.session, plan)
    wanted = target_id or plan.target_id
    about = {} if wanted is None else _about(work, plan, revision.id, wanted)
    return {
        "id": plan.id,
        "name": plan.name,
        "state": plan.state,
        "revision": revision.number,
        "digest": revision.digest,
        "target_id": plan.target_id,
        **about,
        "limits": _limits(work, plan_rows.content(revision), wanted),
    }


def _limits(work: Work, content: Content, target_id: int | None) -> dict[str, Any]:
    """What each step may ask of others, under the target's policy."""
    policy = EnvironmentPolicy() if target_id is None else targets.policy_of(work.session, targets.get(work.session, target_id))
    return {step_id: limits.as_json() for step_id, limits in step_limits(content, policy).items()}


def _about(work: Work, plan: Plan, revision_id: int, target_id: int) -> dict[str, Any]:
    reach.target_of_plan(work, plan, target_id)
    answer = load_readiness(work.session, revision_id=revision_id, target_id=target_id, now=work.now)
    analysis = plan_rows.newest_analysis(work.session, revision_id, target_id)
    missing = answer.missing if isinstance(answer, NotReady) else ()
    return {
        "ready": not missing,
        "missing": [{"gate": gap.gate, "what": gap.what, "why": gap.why, "clears": gap.clears} for gap in missing],
        "checklist": [
            {"id": found.item.id, "text": found.item.text, "ticked": found.is_ticked, "evidence": found.text}
            for found in answer.checklist
        ],
        "analysis": None if analysis is None else {"state": analysis.state, "id": analysis.id},
        "risk": (analysis.report or {}).get("risk", "unknown") if analysis else "unknown",
    }


@router.get("/plans/{plan_id}/document")
def document(work: SignedIn, plan_id: int) -> dict[str, Any]:
    """The newest revision as a plan file."""
    plan = reach.plan(work, plan_id, Permission.VIEW)
    revision = plan_rows.current(work.session, plan)
    return {"digest": revision.digest, "plan": write_plan(plan_rows.content(revision))}


@router.post("/plans/{plan_id}/analyse", status_code=202)
def analyse(work: SignedIn, plan_id: int, target_id: int | None = None) -> dict[str, Any]:
    """Queue an analysis, for the plan's own target or another."""
    return {"analysis": analyse_plan(work, plan_id=plan_id, target_id=target_id).id}


@router.get("/analyses/{analysis_id}")
def show_analysis(work: SignedIn, analysis_id: int) -> dict[str, Any]:
    """An analysis, with the contract's analyze document as its report."""
    row = work.session.get(Analysis, analysis_id)
    if row is None:
        raise NotFoundError("There is no such analysis.")
    reach.plan(work, plan_rows.revision(work.session, row.revision_id).plan_id, Permission.VIEW)
    return {"id": row.id, "state": row.state, "report": row.report, "details": row.details, "error": row.error}


@router.post("/plans/{plan_id}/rehearse", status_code=202)
def rehearse(work: SignedIn, plan_id: int, target_id: int | None = None, crash_test: bool = False) -> dict[str, Any]:
    """Queue a rehearsal; with ``crash_test`` its worker is also killed at every safe point, on copies of the shadow."""
    return {"rehearsal": rehearse_plan(work, plan_id=plan_id, target_id=target_id, crash_test=crash_test).id}


@router.get("/rehearsals/{rehearsal_id}")
def show_rehearsal(work: SignedIn, rehearsal_id: int) -> dict[str, Any]:
    """A rehearsal, with the contract's rehearse document as its result."""
    row = work.session.get(Rehearsal, rehearsal_id)
    if row is None:
        raise NotFoundError("There is no such rehearsal.")
    reach.plan(work, plan_rows.revision(work.session, row.revision_id).plan_id, Permission.VIEW)
    result = {name: value for name, value in (row.result or {}).items() if name != "schema_after"}
    return {"id": row.id, "state": row.state, "ok": row.ok, "result": result or None, "error": row.error}


@router.post("/plans/{plan_id}/submit")
def submit(work: SignedIn, plan_id: int) -> dict[str, Any]:
    """Ask for a review."""
    return {"state": request_review(work, plan_id=plan_id).state}


@router.post("/plans/{plan_id}/approve")
def approve(work: SignedIn, plan_id: int, body: Verdict) -> dict[str, Any]:
    """Approve the revision of that digest."""
    return {"decision": approve_plan(work, plan_id=plan_id, digest=body.digest, note=body.note, target_id=body.target_id).id}


@router.post("/plans/{plan_id}/request-changes")
def refuse(work: SignedIn, plan_id: int, body: Verdict) -> dict[str, Any]:
    """Ask for changes; the note is the reason."""
    made = request_changes(work, plan_id=plan_id, digest=body.digest, reason=body.note, target_id=body.target_id)
    return {"decision": made.id}


@router.post("/plans/{plan_id}/comments", status_code=201)
def remark(work: SignedIn, plan_id: int, body: Remark) -> dict[str, Any]:
    """Comment."""
    return {"comment": comment(work, plan_id=plan_id, body=body.body, step_id=body.step_id, line=body.line).id}


@router.post("/plans/{plan_id}/checklist/{item_id}/tick")
def tick(work: SignedIn, plan_id: int, item_id: str, body: Ticked) -> dict[str, Any]:
    """Tick an item that only a person can vouch for."""
    return {"tick": tick_item(work, plan_id=plan_id, item_id=item_id, note=body.note, target_id=body.target_id).id}


@router.post("/plans/{plan_id}/checklist/{item_id}/untick")
def untick(work: SignedIn, plan_id: int, item_id: str, body: Untick) -> dict[str, Any]:
    """Take a tick back."""
    withdrawn = untick_item(work, plan_id=plan_id, item_id=item_id, reason=body.reason, target_id=body.target_id)
    return {"withdrawn": withdrawn}


@router.post("/plans/{plan_id}/override")
def override(work: SignedIn, plan_id: int, body: Overriding) -> dict[str, Any]:
    """Open a gate by name and reason."""
    made = override_gate(work, plan_id=plan_id, gate=body.gate, reason=body.reason, digest=body.digest, target_id=body.target_id)
    return {"override": made.id if made else None}


@router.post("/plans/{plan_id}/run", status_code=201)
def run(work: SignedIn, plan_id: int, body: Starting) -> dict[str, Any]:
    """Start the revision of that digest."""
    started = start_run(
        work,
        plan_id=plan_id,
        digest=body.digest,
        request_token=body.request_token,
        target_id=body.target_id,
        scheduled_for=body.scheduled_for,
        options={"profile": body.profile, "max_rate": body.max_rate},
    )
    return {"run": started.id, "key": str(started.key)}
