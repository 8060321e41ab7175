"""Rows that exist once while they are open: whoever asks second finds the first one's row."""

from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import Session

from app.errors import MovedMeanwhileError

_Row = TypeVar("_Row")
#: between an insert that found a row there and looking at that row, its work may have ended: then the next insert succeeds
_TRIES = 20


def insert_or_find(session: Session, insert: Insert, find: Select[_Row]) -> _Row:
    """The row that ``find`` selects, made by ``insert`` where there was none.

    Raises MovedMeanwhileError where it kept coming and going.
    """
    for _ in range(_TRIES):
        session.execute(insert.on_conflict_do_nothing())
        row = session.scalars(find).one_or_none()
        if row is not None:
            return row
    raise MovedMeanwhileError("Others ask for the same at this very moment.", hint="Try again.")
