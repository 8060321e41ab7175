"""Headgate's own database from a terminal: one unit of work as Headgate itself, committed at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from app.actions.work import Work, headgate
from app.clock import SystemClock
from app.embedded.folder import kept_address
from app.errors import HeadgateError
from app.settings import Settings, get_settings
from app.store.sessions import make_engine, make_sessions

#: the embedded server's database and role of Headgate itself
EMBEDDED = "headgate"


class MetadataUnreachableError(HeadgateError):
    """Headgate's own database does not answer."""

    status = 503
    exit_code = 3


def settings_at_home() -> Settings:
    """The settings; where none names the database, that of the embedded stack in the data directory."""
    settings = get_settings()
    address = None if "database_url" in settings.model_fields_set else kept_address(settings.data_dir, database=EMBEDDED)
    if address is None:
        return settings
    found: dict[str, Any] = {"database_url": SecretStr(address)}
    if settings.secret_keys is None and settings.secret_key_file is None:
        found["secret_key_file"] = settings.data_dir / "secret.keys"
    return settings.model_copy(update=found)


@contextmanager
def work_at_home(settings: Settings | None = None) -> Iterator[Work]:
    """A unit of work with every right: whoever may read the database's address may do all of this anyway.

    Bells are not rung: the workers' sweep finds what was queued within seconds.
    Raises MetadataUnreachableError.
    """
    settings = settings or settings_at_home()
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
        hint="`headgate up` starts an embedded one in HEADGATE_DATA_DIR; HEADGATE_DATABASE_URL names another.",
    )
