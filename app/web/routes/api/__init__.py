"""REST: the same actions as the pages, as JSON under /api/v1, for scripts (a bearer token, or the sign-in cookie)."""

from fastapi import APIRouter

from app.web.routes.api import backups, control, lists, plans, runs, set_up

router = APIRouter(prefix="/api/v1")
for part in (lists.router, set_up.router, backups.router, plans.router, runs.router, control.router):
    router.include_router(part)
