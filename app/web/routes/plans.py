"""Plans: the list, one plan's document, its steps, its revisions."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from app.actions.analyse_plan import analyse_plan
from app.actions.archive_plan import archive_plan
from app.actions.choose_target import choose_target
from app.actions.rehearse_plan import rehearse_plan
from app.analysis.report import Analysis
from app.plan.brief import write_markdown
from app.plan.writing import write_plan
from app.store.tables import Run
from app.store.words import PlanState
from app.web.dependencies import Page, SignedIn, go_to
from app.web.forms import SentForm
from app.web.views import plan_document as documents
from app.web.views import plans as view
from app.web.views import revisions
from app.web.views.paging import query_of
from app.web.views.plan_head import plan_head
from app.web.views.run_lines import run_lines
from app.web.views.standing import Standing, standing
from app.web.views.step_limits import step_limits
from app.web.views.targets import projects as project_boxes

router = APIRouter(prefix="/plans", include_in_schema=False)
TargetQuery = Annotated[int | None, Query(alias="target")]


def report_of(now: Standing) -> Analysis | None:
    """The newest finished analysis as a record."""
    report = now.analysis.report if now.analysis else None
    return Analysis.from_json(report) if report and "statements" in report else None


@router.get("")
def index(
    work: SignedIn,
    page: Page,
    *,
    q: str = "",
    state: str = "",
    project: str = "",
    number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    """All plans, those changed last first."""
    wanted = view.PlanFilter(q=q.strip(), state=state, project=project)
    lines, paging = view.plan_lines(work, wanted, number)
    return page.show(
        "plans/index.html",
        plans=lines,
        page=paging,
        filters=wanted,
        states=[(word.value, word.value.replace("_", " ").replace("rejected", "changes requested")) for word in PlanState],
        projects=[(box.id, box.name) for box in project_boxes(work)],
        base=query_of("/plans", {"q": wanted.q, "state": state, "project": project}),
    )


@router.get("/{plan_id}")
def show(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """The plan documents."""
    now = standing(work, plan_id, target)
    document = _document(work, now)
    head = plan_head(work, now)
    return page.show("plans/show.html", head=head, tab="plan", document=document, refresh_seconds=2 if head.is_moving else None)


@router.get("/{plan_id}/rail")
def rail(work: SignedIn, page: Page, plan_id: int, tab: str = "plan", target: TargetQuery = None) -> HTMLResponse:
    """The seven stops alone, for a page that is open."""
    return page.part("plans/_rail.html", tab=tab, head=plan_head(work, standing(work, plan_id, target)))


@router.get("/{plan_id}/steps")
def steps(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """Every step with its SQL, its findings and its way back."""
    now = standing(work, plan_id, target)
    limits = step_limits(now.content, now.policy)
    return page.show("plans/steps.html", head=plan_head(work, now), tab="steps", document=_document(work, now), limits=limits)


@router.get("/{plan_id}/revisions")
def show_revisions(
    work: SignedIn, page: Page, *, plan_id: int, left: int | None = None, right: int | None = None, target: TargetQuery = None
) -> HTMLResponse:
    """The revisions, and what differs between two of them."""
    now = standing(work, plan_id, target)
    newest = now.revision.number
    right_number = min(max(right or newest, 1), newest)
    left_number = min(max(left or right_number - 1, 1), newest)
    old = revisions.content_of(work.session, plan_id, left_number) or now.content
    new = revisions.content_of(work.session, plan_id, right_number) or now.content
    lines = revisions.revision_lines(work.session, plan_id)
    return page.show(
        "plans/revisions.html",
        head=plan_head(work, now),
        tab="revisions",
        revisions=lines,
        numbers=[(line.number, f"Revision {line.number}") for line in lines],
        left=left_number,
        right=right_number,
        changes=revisions.changes_between(old, new) if left_number != right_number else [],
        diff=revisions.diff_between(old, new) if left_number != right_number else [],
    )


@router.get("/{plan_id}/runs")
def show_runs(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """Every run of the plan, wherever it ran."""
    now = standing(work, plan_id, target)
    lines = run_lines(work.session, Run.plan_id == now.plan.id, limit=100)
    return page.show("plans/runs.html", head=plan_head(work, now), tab="runs", runs=lines)


@router.get("/{plan_id}/export.yaml")
def export_yaml(work: SignedIn, plan_id: int) -> Response:
    """The plan file."""
    now = standing(work, plan_id)
    return _download(write_plan(now.content), "application/yaml", f"plan-{plan_id}-revision-{now.revision.number}.yaml")


@router.get("/{plan_id}/export.md")
def export_markdown(work: SignedIn, plan_id: int) -> Response:
    """The plan document as Markdown."""
    now = standing(work, plan_id)
    return _download(
        write_markdown(now.content, documents.plan_facts(now.content, report_of(now))),
        "text/markdown",
        f"plan-{plan_id}-revision-{now.revision.number}.md",
    )


@router.post("/{plan_id}/target")
def set_target(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Say where the plan is meant to run."""
    target_id = form.number("target_id")
    form.check()
    choose_target(work, plan_id=plan_id, target_id=target_id)
    return go_to(f"/plans/{plan_id}", "saved")


@router.post("/{plan_id}/analyse")
def analyse(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Have it analysed again."""
    target_id = form.optional_number("target_id")
    analyse_plan(work, plan_id=plan_id, target_id=target_id)
    return go_to(f"/plans/{plan_id}/analysis" + (f"?target={target_id}" if target_id else ""))


@router.post("/{plan_id}/rehearse")
def rehearse(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Have it rehearsed."""
    target_id = form.optional_number("target_id")
    rehearse_plan(work, plan_id=plan_id, target_id=target_id, crash_test=form.flag("crash_test"))
    return go_to(f"/plans/{plan_id}/rehearsal" + (f"?target={target_id}" if target_id else ""))


@router.post("/{plan_id}/archive")
def archive(work: SignedIn, plan_id: int, form: SentForm) -> Response:
    """Put the plan away, or take it out again."""
    archive_plan(work, plan_id=plan_id, away=not form.flag("back"))
    return go_to(f"/plans/{plan_id}", "archived" if not form.flag("back") else "saved")


def _document(work: SignedIn, now: Standing) -> documents.PlanDocument:
    statistics = documents.statistics_of(work.session, now.target.id if now.target else None)
    return documents.plan_document(now.content, report_of(now), statistics)


def _download(text: str, media_type: str, name: str) -> Response:
    return Response(
        text, media_type=f"{media_type}; charset=utf-8", headers={"content-disposition": f'attachment; filename="{name}"'}
    )
