"""Headgate's own database from a terminal: one unit of work as Headgate itself, committed at its end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from app.actions.work import Work, headgate
from app.clock import SystemClock
from app.errors import HeadgateError
from app.settings import Settings, get_settings
from app.store.sessions import make_engine, make_sessions


class MetadataUnreachableError(HeadgateError):
    """Headgate's own database does not answer."""

    status = 503
    exit_code = 3


@contextmanager
def work_at_home(settings: Settings | None = None) -> Iterator[Work]:
    """A unit of work with every right: whoever may read the database's address may do all of this anyway.

    Bells are not rung: the workers' sweep finds what was queued within seconds.
    Raises MetadataUnreachableError.
    """
    settings = settings or get_settings()
    engine = make_engine(settings.database_url.get_secret_value(), application_name="headgate admin")
    try:
        with make_sessions(engine)() as session:
            yield Work(session=session, actor=headgate(), clock=SystemClock(), settings=settings)
            session.commit()
    except OperationalError as error:
        raise unreachable(error) from None
    finally:
        engine.dispose()


def unreachable(error: OperationalError) -> MetadataUnreachableError:
    """What is shown instead of a driver's error; its first line names host and reason, never the password."""
    reason = str(error.orig).strip().splitlines()[0]
    return MetadataUnreachableError(
        f"Headgate's own database does not answer: {reason}",
        hint="HEADGATE_DATABASE_URL names it; `headgate up` starts an embedded one.",
    )
