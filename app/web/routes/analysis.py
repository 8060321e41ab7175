"""What the rules found, statement by statement."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.analysis.report import Analysis
from app.web.dependencies import Page, SignedIn
from app.web.routes.plans import TargetQuery, report_of
from app.web.views.analysis import rows_said, running_now, second_opinion, uses
from app.web.views.plan_head import plan_head
from app.web.views.recipes import offers_by_statement
from app.web.views.standing import standing

router = APIRouter(include_in_schema=False)


def verdict_of(report: Analysis) -> str:
    """The analysis in one sentence."""
    findings = [finding for finding in report.findings() if not finding.accepted]
    must = sum(finding.risk == "high" for finding in findings)
    know = sum(finding.risk in ("medium", "unknown") for finding in findings)
    if not must and not know:
        return "Nothing here needs a second look"
    parts = [f"{must} to fix or to accept by name"] if must else []
    parts += [f"{know} to know"] if know else []
    return ", ".join(parts)


@router.get("/plans/{plan_id}/analysis")
def show(work: SignedIn, page: Page, plan_id: int, target: TargetQuery = None) -> HTMLResponse:
    """The analysis of the newest revision."""
    now = standing(work, plan_id, target)
    report = report_of(now)
    head = plan_head(work, now)
    # beside the report, and loaded by this page alone
    details = now.analysis.details if now.analysis else None
    risks = [finding.risk for finding in report.findings()] if report else []
    return page.show(
        "analysis/show.html",
        head=head,
        tab="analysis",
        report=report,
        row=now.analysis,
        verdict=verdict_of(report) if report else "",
        running=running_now(report, details) if report else None,
        said=rows_said(details),
        uses=uses(details),
        second=second_opinion(details),
        levels=[(level, risks.count(level)) for level in ("high", "medium", "low")],
        offers=offers_by_statement(work, now) if head.may_write else {},
        refresh_seconds=2 if head.is_moving else None,
    )
