"""Who did what, when, from where; with the state of the chain."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.contract import CONTRACT
from app.store import audit
from app.web.dependencies import Page, SignedIn
from app.web.views import audit as view
from app.web.views.paging import query_of
from app.web.views.people import project_people

router = APIRouter(prefix="/audit", include_in_schema=False)


@router.get("")
def index(
    work: SignedIn,
    page: Page,
    *,
    project: str = "",
    person: str = "",
    act: str = "",
    before: int | None = None,
    verify: bool = False,
) -> HTMLResponse:
    """The lines that the actor may see; ``verify`` checks the whole chain."""
    wanted = view.AuditFilter(project=project, person=person, act=act, before=before)
    lines, next_id = view.audit_rows(work.session, work.actor, wanted)
    chosen = {"project": project, "person": person, "act": act}
    return page.show(
        "audit/index.html",
        lines=lines,
        next_id=next_id,
        chain=audit.verify_all(work.session) if verify and work.actor.is_admin else None,
        may_verify=work.actor.is_admin,
        filters=wanted,
        projects=[(found.id, found.name) for found in project_people(work)],
        people=view.actors(work.session, work.actor),
        acts=[(word, word.replace("_", " ")) for word in view.acts(work.session, work.actor)],
        base=query_of("/audit", chosen),
        export=urlencode({name: value for name, value in chosen.items() if value}),
    )


@router.get("/export.csv")
def export_csv(work: SignedIn, project: str = "", person: str = "", act: str = "") -> Response:
    """Every matching line, for a spreadsheet."""
    wanted = view.AuditFilter(project=project, person=person, act=act)
    text = "".join(view.as_csv(view.exported(work.session, work.actor, wanted)))
    return Response(
        text, media_type="text/csv; charset=utf-8", headers={"content-disposition": 'attachment; filename="audit.csv"'}
    )


@router.get("/export.json")
def export_json(work: SignedIn, project: str = "", person: str = "", act: str = "") -> Response:
    """Every matching line, for a program: hashes included, so that the chain can be checked elsewhere."""
    wanted = view.AuditFilter(project=project, person=person, act=act)
    lines = view.exported(work.session, work.actor, wanted)
    return JSONResponse(
        {"contract": CONTRACT, "lines": lines}, headers={"content-disposition": 'attachment; filename="audit.json"'}
    )
