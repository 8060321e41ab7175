"""The plan that PostgreSQL chooses for a known statement, whatever its parameters are: its cost and its shape. Nothing runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from app.errors import HeadgateError
from app.sql.identity import readable
from app.sql.split import split

#: EXPLAIN (GENERIC_PLAN) takes a text with $1 in it from this version on
_GENERIC_SINCE = 160000
_NAME = "headgate_known"
_PLANNABLE = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
#: costs that are nearer are the same: they move with the pages of a file
_SAME_COST = 2.0


class NotPlannableError(HeadgateError):
    """A text is no single statement that PostgreSQL plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPlan:
    """One plan."""

    cost: float
    rows: float
    #: a line for each node, indented: ``Index Scan using users_pkey on users``
    lines: tuple[str, ...]

    def differs_from(self, other: "QueryPlan", *, costs_count: bool) -> bool:
        """True where the nodes are others, or (where costs can be compared) one costs twice the other."""
        if self.lines != other.lines:
            return True
        low, high = sorted((self.cost, other.cost))
        return costs_count and high >= _SAME_COST * max(low, 1.0)

    def text(self) -> str:
        """The plan for people."""
        return "\n".join(self.lines)


def plan_of(connection: psycopg.Connection, query: str) -> QueryPlan:
    """The plan of one statement of pg_stat_statements; ``connection`` is in autocommit mode.

    Raises NotPlannableError before anything is sent, psycopg.Error where PostgreSQL does not plan it.
    """
    # A foreign text is put behind EXPLAIN or PREPARE as it is, by the simple protocol, which would take several statements: $1
    # has to stay open, and the extended protocol wants a value for it. It is safe, because
    # - what is sent is the text that PostgreSQL's own parser read as one query: no second statement, no ANALYZE, no DDL;
    # - neither EXPLAIN nor PREPARE executes it;
    # - what the planner itself calls, functions that say they are IMMUTABLE or STABLE, finds a transaction that is read-only and
    #   rolled back, in a shadow that has no rows. What they do outside of the database, the rights of the shadow's role bound.
    text = _one_query(readable(query))
    if connection.info.server_version >= _GENERIC_SINCE:
        with _nothing_stays(connection):
            # never prepared by name: on its sixth time psycopg would bind the $1 that is to stay open
            rows = connection.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}".encode(), prepare=False).fetchall()
    else:
        rows = _prepared(connection, text)
    root: Mapping[str, Any] = rows[0][0][0]["Plan"]
    return QueryPlan(cost=float(root["Total Cost"]), rows=float(root["Plan Rows"]), lines=tuple(_lines(root, 0)))


def _one_query(text: str) -> str:
    """The text of the query as the parser saw it: nothing else is sent."""
    try:
        statements = split(text)
    except Exception as error:  # noqa: BLE001 - whatever the parser says of a foreign text is the reason that is shown
        raise NotPlannableError(f"it does not parse: {error}") from None
    if len(statements) != 1 or statements[0].kind not in _PLANNABLE:
        raise NotPlannableError("it is not a query that PostgreSQL plans")
    return statements[0].text


@contextmanager
def _nothing_stays(connection: psycopg.Connection) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        # a string ends for the server where it ended for our parser
        connection.execute("SET LOCAL standard_conforming_strings = on")
        yield


def _prepared(connection: psycopg.Connection, text: str) -> list[Any]:
    """The generic plan by PREPARE, on servers that EXPLAIN no text with parameters."""
    with _nothing_stays(connection):
        connection.execute(f"PREPARE {_NAME} AS {text}".encode(), prepare=False)
    try:
        with _nothing_stays(connection):
            found = connection.execute(
                "SELECT cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = %(name)s",
                {"name": _NAME},
            ).fetchone()
            arguments = ", ".join(["NULL"] * int(found[0] if found else 0))
            connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            call = f"EXECUTE {_NAME}({arguments})" if arguments else f"EXECUTE {_NAME}"
            return connection.execute(f"EXPLAIN (FORMAT JSON) {call}".encode(), prepare=False).fetchall()
    finally:
        # a prepared statement outlives the transaction
        connection.execute(f"DEALLOCATE {_NAME}".encode())


def _lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    words = [str(node["Node Type"])]
    if "Index Name" in node:
        words.append(f"using {node['Index Name']}")
    if "Relation Name" in node:
        words.append(f"on {node['Relation Name']}")
    operation = f"{node['Operation']} " if node["Node Type"] == "ModifyTable" and "Operation" in node else ""
    yield "  " * depth + operation + " ".join(words)
    for child in node.get("Plans", ()):
        yield from _lines(child, depth + 1)
