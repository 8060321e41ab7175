"""What a worker's verbs are handed, and the two things they all do: open a target's connection string and keep an error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.clock import Clock
from app.errors import NotFoundError
from app.settings import Settings
from app.store.tables.targets import Target
from app.store.targets import open_dsn
from app.target.secrets import load_keys

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A worker process's place: its database, its settings, its clock, and its name in leases."""

    engine: Engine
    sessions: sessionmaker[Session]
    settings: Settings
    clock: Clock
    #: host and process, as leases and events name it
    owner: str


def target_dsn(session: Session, settings: Settings, target_id: int) -> str:
    """The connection string of a target, opened; never log it.

    Raises NotFoundError, SecretKeyError.
    """
    target = session.get(Target, target_id)
    if target is None:
        raise NotFoundError("There is no such target.")
    return open_dsn(load_keys(settings), target)
