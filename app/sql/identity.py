"""Which statements of pg_stat_statements are one and the same, and which tables they touch.

PostgreSQL's own ``queryid`` is no identity over a migration: ADD COLUMN changes that of ``SELECT *``, ALTER TYPE that of
everything that uses the column. The parser's fingerprint of the text is; it ignores constants, comments and formatting.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.errors import HeadgateError
from app.sql.classify import classify
from app.sql.names import from_range_var
from app.sql.parser import fingerprint
from app.sql.relations import references
from app.sql.split import Statement, split
from app.sql.tree import find, strings, walk

#: pg_stat_statements writes ``interval $1`` for ``interval '1 day'``, which the grammar does not take.
_TYPED_PARAMETER = re.compile(r"\b(interval|timestamptz|timestamp|date|time|numeric)\s+(\$\d+)", re.IGNORECASE)
_OWN = "/* headgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a statement's text says."""

    #: equal for equal statements
    key: str
    #: as written, without the names of common table expressions
    relations: frozenset[str]
    #: SELECT, INSERT, UPDATE, DELETE, MERGE; not DDL, not COPY, not SET
    is_query: bool
    #: of the relations, those whose rows it changes
    writes: frozenset[str] = frozenset()
    #: every column that it names, whichever relation it belongs to
    columns: frozenset[str] = frozenset()
    #: it reads whole rows: ``SELECT *``, ``RETURNING *``, or an INSERT that names no columns
    has_star: bool = False
    #: False where the text does not parse: the key is then a hash of the text, and the tables are guessed
    is_parsed: bool = True


def readable(text: str) -> str:
    """The text of an entry of pg_stat_statements as PostgreSQL's own grammar takes it: ``interval $1`` is ``$1::interval``."""
    return _TYPED_PARAMETER.sub(r"\2::\1", text)


@lru_cache(maxsize=20_000)
def identify(text: str) -> Identity:
    """The identity of a statement by its text."""
    known = readable(text)
    try:
        statement = split(known)[0]
        effect = classify(statement)
        return Identity(
            key=fingerprint(known),
            relations=references(statement),
            is_query=(effect.is_query or effect.is_dml) and not effect.is_ddl,
            writes=frozenset(_written(statement)),
            columns=frozenset(_columns(statement)),
            has_star=_has_star(statement),
        )
    except (HeadgateError, IndexError):
        flat = re.sub(r"'[^']*'|\$?\b\d+\b", "?", " ".join(text.lower().split()))
        names = frozenset(re.findall(r"(?:from|join|into|update)\s+([a-z_][\w$.]*)", flat))
        is_query = flat.startswith(("select", "insert", "update", "delete", "with", "merge"))
        return Identity(key=hashlib.sha256(flat.encode()).hexdigest()[:16], relations=names, is_query=is_query, is_parsed=False)


def _written(statement: Statement) -> Iterator[str]:
    for body in find(statement.node, "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
        yield from_range_var(body["relation"])
    if statement.kind == "CopyStmt" and statement.body.get("is_from") and "relation" in statement.body:
        yield from_range_var(statement.body["relation"])


def _columns(statement: Statement) -> Iterator[str]:
    for kind, body in walk(statement.node):
        if kind == "ColumnRef":
            yield from strings(body.get("fields"))[-1:]
        elif kind in {"InsertStmt", "UpdateStmt"}:
            targets = body.get("cols") or body.get("targetList") or ()
            yield from (str(entry["ResTarget"].get("name")) for entry in targets if "ResTarget" in entry)


def _has_star(statement: Statement) -> bool:
    for kind, body in walk(statement.node):
        if kind == "ColumnRef" and any("A_Star" in field for field in body.get("fields", ())):
            return True
        if kind == "InsertStmt" and not body.get("cols"):
            return True
    return False


def is_our_own(text: str, identity: Identity) -> bool:
    """True for what Headgate itself asked or did: its marked questions, and whatever touches its ledger."""
    return _OWN in text or any(name.startswith("headgate.") for name in identity.relations)


def touches(identity: Identity, relations: Collection[str]) -> bool:
    """True where the statement names one of the relations (qualified), be it without its schema."""
    bare = {name.rpartition(".")[2] for name in relations}
    return any(name in relations if "." in name else name in bare for name in identity.relations)


def is_of_an_application(text: str) -> bool:
    """False for Headgate's own statements, and for whatever reads nothing but the catalog, as monitors and drivers do."""
    identity = identify(text)
    reads_only_catalog = bool(identity.relations) and not any(map(_is_somebodys, identity.relations))
    return not (is_our_own(text, identity) or reads_only_catalog)


def is_about_data(identity: Identity) -> bool:
    """True for a query on somebody's tables, not only on the catalog or on nothing."""
    return identity.is_query and any(map(_is_somebodys, identity.relations))


def _is_somebodys(relation: str) -> bool:
    return not relation.startswith(("pg_", "information_schema."))
