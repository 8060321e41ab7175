"""What an error of a batch means for the walk: try again smaller, look for the row, read the checkpoint again, or stop."""

from typing import Literal

import psycopg

from app.errors import HeadgateError

Meaning = Literal["again", "row", "lost", "fatal"]

#: lock not available, deadlock, serialization failure, cancelled by statement_timeout
_AGAIN = {"55P03", "40P01", "40001", "57014"}
#: data exceptions, constraint violations, RAISE and friends in a trigger, WITH CHECK OPTION
_ROW_CLASSES = {"22", "23", "P0", "44"}


class PoisonRowError(HeadgateError):
    """A row can't be updated as the backfill says."""

    status = 409
    exit_code = 1


class NotConvergentError(HeadgateError):
    """Rows still match the condition after they were updated: the backfill would never end."""

    status = 409
    exit_code = 1


class BatchFailedError(HeadgateError):
    """A batch failed for a reason that another try would not change."""

    status = 409
    exit_code = 1


def meaning(error: psycopg.Error) -> Meaning:
    """What to do after ``error``."""
    state = error.sqlstate
    if state is None:
        return "lost" if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else "fatal"
    if state in _AGAIN:
        return "again"
    if state[:2] in _ROW_CLASSES:
        return "row"
    if state[:2] == "08" or state.startswith("57P") or state in {"25P03", "25P04"}:
        return "lost"
    return "fatal"


def sentence(error: psycopg.Error) -> str:
    """The database's own words."""
    words = error.diag.message_primary or str(error).strip()
    return f"{words} ({error.diag.message_detail})" if error.diag.message_detail else words
