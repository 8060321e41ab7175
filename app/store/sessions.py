"""Engine and sessions for Headgate's own database."""

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from app.store import audit


def libpq_url(url: str) -> str:
    """The address as libpq reads it: a driver name that SQLAlchemy uses (``postgresql+psycopg://``) is left out."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}" if separator else url


def make_engine(url: str, *, pool_size: int = 5, overflow: int = 10, application_name: str = "headgate") -> Engine:
    """An engine for any libpq address or keyword string; connections are checked before they are used."""
    dsn = libpq_url(url)

    def connect() -> psycopg.Connection:
        return psycopg.connect(dsn, application_name=application_name, connect_timeout=5)

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=10,
        hide_parameters=True,  # errors and logs carry the statement, never its values
    )


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """A maker of sessions whose rows stay readable after the commit and whose audit lines are chained in it."""
    sessions = sessionmaker(engine, expire_on_commit=False)
    event.listen(sessions, "before_commit", audit.chain)
    return sessions
