"""Whether this process lives, and whether it can serve."""

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.store.migrate import newest

router = APIRouter(include_in_schema=False)
UNAVAILABLE = 503


@router.get("/healthz")
def healthz() -> JSONResponse:
    """This process answers."""
    return JSONResponse({"ok": True})


@router.get("/readyz")
def readyz(request: Request) -> JSONResponse:
    """Headgate's own database answers and has the schema that this version needs."""
    sessions: sessionmaker[Session] = request.app.state.sessions
    wanted = newest()
    try:
        with sessions() as session:
            found = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        return JSONResponse({"ok": False, "database": f"does not answer or is empty ({type(error).__name__})"}, UNAVAILABLE)
    if found != wanted:
        return JSONResponse(
            {"ok": False, "database": f"is at {found}, this version needs {wanted}: run headgate migrate"}, UNAVAILABLE
        )
    return JSONResponse({"ok": True, "database": "answers", "schema": found})
