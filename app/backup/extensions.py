"""Extensions of a dump that the role may not make: a restore leaves them out and says so, where nothing else needs them."""

import re
from collections.abc import Collection

from psycopg import sql

from app.target.errors import TargetError
from app.target.session import Target

_INSUFFICIENT_PRIVILEGE = "42501"
#: ``2; 3079 16385 EXTENSION - citext`` and ``3600; 0 0 COMMENT - EXTENSION citext``
_ENTRY = re.compile(r"\d+; \d+ \d+ (?:EXTENSION -|COMMENT - EXTENSION) (\S+)")


def forbidden(target: Target, entries: Collection[str]) -> tuple[str, ...]:
    """Extensions of the dump's entries that the session's role may not make here; each is tried and rolled back.

    A question to the catalog would not do: providers let roles make more than PostgreSQL's own rules say.
    """
    names = sorted({found[1] for entry in entries if (found := _ENTRY.match(entry))})
    return tuple(name for name in names if not _may_make(target, name))


def entries_without(entries: Collection[str], names: Collection[str]) -> list[str]:
    """The entries but those of the named extensions."""
    return [entry for entry in entries if (found := _ENTRY.match(entry)) is None or found[1] not in names]


def told(names: Collection[str], *, stays: bool) -> str:
    """What a person has to know of them; "" where there are none. ``stays``: the new database is to be used."""
    if not names:
        return ""
    words = " ".join(f'CREATE EXTENSION "{name}";' for name in names)
    way_out = f" A superuser makes them in the new database: {words}" if stays else ""
    return f"Extensions that this role may not make: {', '.join(names)}.{way_out}"


def _may_make(target: Target, name: str) -> bool:
    target.execute("BEGIN")
    try:
        target.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(name)))
    except TargetError as error:
        # whatever else is wrong with it, pg_restore says in the words of the server
        return error.sqlstate != _INSUFFICIENT_PRIVILEGE
    finally:
        target.execute("ROLLBACK")
    return True
