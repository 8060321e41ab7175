"""Settings -> sessions -> a unit of work: where a worker process gets what the core is handed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.actions.work import Actor, Work
from app.clock import SystemClock
from app.settings import Settings, get_settings
from app.store.sessions import make_engine, make_sessions
from workers.doorbell import ring

logger = logging.getLogger("headgate.worker")


@lru_cache
def engine() -> Engine:
    """This process's engine on Headgate's own database."""
    return make_engine(get_settings().database_url.get_secret_value())


@lru_cache
def sessions() -> sessionmaker[Session]:
    """This process's session factory."""
    return make_sessions(engine())


def reset() -> None:
    """Forget connections that were opened before a fork, without closing the parent's sockets."""
    if engine.cache_info().currsize:
        engine().dispose(close=False)
    engine.cache_clear()
    sessions.cache_clear()


def settings() -> Settings:
    """This process's settings."""
    return get_settings()


@contextmanager
def unit_of_work(actor: Actor) -> Iterator[Work]:
    """A transaction on Headgate's own database; its wakes are rung after the commit, never before."""
    with sessions()() as session:
        work = Work(session=session, actor=actor, clock=SystemClock(), settings=get_settings(), wakes=[])
        yield work
        session.commit()
    for wake in work.wakes:
        ring(wake)
