"""Connection strings: read with clear refusals, shown without their password."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.target.errors import TargetUnreachableError

_LOWEST_PORT, _HIGHEST_PORT = 1, 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """A connection string that was read; its repr holds no secret."""

    #: libpq keywords and values, secrets among them
    values: Mapping[str, str] = field(repr=False)

    @property
    def summary(self) -> str:
        """What people see: ``localhost:5432/shop as app``."""
        host = self.values.get("host") or self.values.get("hostaddr") or "local socket"
        port = self.values.get("port") or "5432"
        place = "local socket" if host.startswith("/") else f"{host}:{port}"
        user = self.values.get("user")
        database = self.values.get("dbname") or user or "the default database"
        return f"{place}/{database}" + (f" as {user}" if user else "")

    @property
    def database(self) -> str | None:
        """The database's name where the string says one."""
        return self.values.get("dbname")

    def conninfo(self, **changes: str | int | None) -> str:
        """The whole string in keyword form, password and all: for a connect call, never for a log."""
        return make_conninfo("", **{**self.values, **changes})


def parse_dsn(text: str) -> Dsn:
    """The connection string, a libpq URI or keywords.

    Raises TargetUnreachableError (kind "malformed") that names what is wrong and never repeats the string.
    """
    text = text.strip()
    if not text:
        raise _malformed("The connection string is empty.")
    if "\n" in text or "\x00" in text:
        raise _malformed("The connection string has a line break or a zero byte in it.")
    try:
        found = conninfo_to_dict(text)
    except psycopg.Error as error:
        raise _malformed(_what_is_wrong(text, str(error))) from None
    values = {key: str(value) for key, value in found.items() if value is not None}
    for port in filter(None, values.get("port", "").split(",")):
        if not port.isdigit() or not _LOWEST_PORT <= int(port) <= _HIGHEST_PORT:
            raise _malformed("The port of the connection string is not a number from 1 to 65535.")
    return Dsn(values=values)


def _what_is_wrong(text: str, told: str) -> str:
    if "://" in text and not text.startswith(("postgres://", "postgresql://")):
        return "The connection string begins with another scheme than postgresql://."
    if "invalid percent-encoded token" in told or "%" in told:
        return "The connection string has a % that does not begin a code of two hex digits; a % itself is written %25."
    if "invalid connection option" in told or "invalid URI query parameter" in told:
        return "The connection string has an option that PostgreSQL does not know."
    return "The connection string can't be read."


def _malformed(message: str) -> TargetUnreachableError:
    return TargetUnreachableError(
        message,
        kind="malformed",
        hint="Write postgresql://user:password@host:5432/database (special characters percent-encoded), "
        "or host=... dbname=... user=... password=...",
    )
