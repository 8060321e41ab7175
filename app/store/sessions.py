"""Engine and sessions for Headgate's own database."""

from typing import Any

import psycopg
from psycopg import conninfo
from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.store import audit

#: A network that is cut says nothing: after so long a connection counts as lost, not after the two hours that systems allow.
#: What the address says itself comes before.
_ALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def libpq_url(url: str) -> str:
    """The address as libpq reads it: a driver name that SQLAlchemy uses (``postgresql+psycopg://``) is left out."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}" if separator else url


def make_engine(
    url: str, *, pool_size: int = 5, overflow: int = 10, application_name: str = "headgate", idle_seconds: float = 0
) -> Engine:
    """An engine for any libpq address or keyword string; connections are checked before they are used.

    ``idle_seconds``: the server ends a session that is silent for longer inside a transaction, so that a process which was
    stopped there does not hold its rows for ever; 0 for no limit.
    """
    settings: dict[str, Any] = {**_ALIVE, **conninfo.conninfo_to_dict(libpq_url(url)), "application_name": application_name}
    if idle_seconds:
        limit = f"-c idle_in_transaction_session_timeout={round(idle_seconds * 1000)}"
        settings["options"] = f"{settings.get('options', '')} {limit}".strip()
    dsn = conninfo.make_conninfo(**settings)

    def connect() -> psycopg.Connection:
        return psycopg.connect(dsn)

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=10,
        hide_parameters=True,  # errors and logs carry the statement, never its values
    )
    event.listen(engine, "handle_error", _count_as_away)
    return engine


def _count_as_away(context: ExceptionContext) -> None:
    """A session that the server ended for its silence is a lost connection, though psycopg files it under internal errors."""
    error = context.original_exception
    if isinstance(error, psycopg.errors.IdleInTransactionSessionTimeout):
        context.is_disconnect = True
        raise OperationalError(context.statement, None, error, hide_parameters=True, connection_invalidated=True)


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """A maker of sessions whose rows stay readable after the commit and whose audit lines are chained in it."""
    sessions = sessionmaker(engine, expire_on_commit=False)
    event.listen(sessions, "before_commit", audit.chain)
    return sessions
