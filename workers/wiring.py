"""Settings -> engine -> sessions -> desk: where a worker process gets what the core is handed."""

import os
import socket
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.actions.worker.desk import Desk
from app.settings import get_settings
from app.store.clock import StoreClock
from app.store.sessions import make_engine, make_sessions

#: what a busy machine may take between two statements of one transaction, however short the lease is
LEAST_IDLE_SECONDS = 5.0


@lru_cache
def engine() -> Engine:
    """This process's engine on Headgate's own database; stopped inside a transaction, it lets its rows go with its lease."""
    settings = get_settings()
    idle = max(settings.lease_seconds, LEAST_IDLE_SECONDS)
    return make_engine(settings.database_url.get_secret_value(), idle_seconds=idle)


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


def desk() -> Desk:
    """What this process's verbs are handed."""
    return Desk(engine=engine(), sessions=sessions(), settings=get_settings(), clock=StoreClock(engine()), owner=owner())


def owner() -> str:
    """This process's name in leases and events."""
    return f"{socket.gethostname()}:{os.getpid()}"
