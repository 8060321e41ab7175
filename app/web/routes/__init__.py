"""One module per screen; the order matters only where one path could be taken for another."""

from fastapi import APIRouter

from app.web.routes import (
    analysis,
    api,
    audit,
    backups,
    checklists,
    edits,
    health,
    home,
    imports,
    live,
    monitoring,
    people,
    plans,
    projects,
    rehearsals,
    reviews,
    runs,
    search,
    settings,
    sign_in,
    targets,
    verification,
)

#: imports before plans: /plans/import is no plan's number
ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    sign_in.router,
    home.router,
    search.router,
    imports.router,
    plans.router,
    edits.router,
    analysis.router,
    reviews.router,
    checklists.router,
    projects.router,
    targets.router,
    backups.router,
    people.router,
    audit.router,
    rehearsals.router,
    runs.router,
    verification.router,
    monitoring.router,
    live.router,
    settings.router,
    api.router,
)
