"""Does a row that was changed stop matching the condition? By the syntax where that is certain, else by trying and rolling back.

Page windows need a yes: their sweep looks for matching rows until there are none, which would never end otherwise.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from app.backfill.change import Copy
from app.backfill.expressions import Expressions, Node
from app.backfill.statements import literal_sql, relation_sql
from app.backfill.table import Table
from app.sql.tree import strings

#: never NULL whatever their arguments: what they give ends an IS NULL
_NEVER_NULL = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "gen_random_uuid", "uuidv4", "uuidv7"}
_NEVER_NULL |= {"random", "nextval", "concat", "uuid_generate_v4", "timeofday"}
#: types in which two constants that are written differently are different values
_EXACT_TYPES = {"text", "character varying", "integer", "bigint", "smallint", "boolean"}
SAMPLE_ROWS = 20
# RETURNING sees the new row, whatever triggers made of it
TRIAL = """
WITH headgate_sample AS MATERIALIZED (
    SELECT {alias}.ctid AS place FROM ONLY {relation} AS {alias}
     WHERE (
{where}
) LIMIT {rows})
UPDATE ONLY {relation} AS {alias} SET {assignments}
 WHERE {alias}.ctid = ANY (ARRAY(SELECT place FROM headgate_sample))
RETURNING (
{where}
) AS still
"""
TRIAL_TIMEOUT = "2s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """The verdict and what it rests on; ``ends`` is None where nothing could be shown."""

    ends: bool | None
    because: str


def of_delete(table: Table) -> Convergence:
    """The verdict for rows that are deleted: a trigger that keeps them shows itself when the walk looks for what is left."""
    kept = " (unless a BEFORE DELETE trigger keeps it)" if table.has_before_trigger("delete") else ""
    return Convergence(ends=True, because=f"a row that is deleted is gone{kept}")


def of_copy(copy: Copy) -> Convergence:
    """The verdict for rows that are copied: known by a key that is unique on both sides."""
    if not copy.match:
        return Convergence(ends=False, because="nothing tells a row that was copied from one that was not")
    names = ", ".join(there for there, _ in copy.match)
    return Convergence(ends=True, because=f"a row that was copied is known by {names} of {copy.qualified}")


def by_syntax(expressions: Expressions, table: Table) -> Convergence:
    """The verdict for an update, as far as texts and column types carry it."""
    if not set(expressions.assigned) & expressions.condition_columns and not expressions.where_reads_other_rows:
        return Convergence(ends=False, because="the condition does not read a column that is set")
    if table.has_before_trigger("update"):
        return Convergence(ends=None, because="a BEFORE UPDATE trigger may change what is set")
    for part in expressions.conjuncts():
        reason = _is_ended(part, expressions, table)
        if reason:
            return Convergence(ends=True, because=reason)
    return Convergence(ends=None, because="the texts alone do not show it")


def _is_ended(part: Node, expressions: Expressions, table: Table) -> str | None:
    """Why this part of the condition is false after the update, or None."""
    if "NullTest" in part:
        test = part["NullTest"]
        name = _plain_column(test["arg"])
        value = expressions.values.get(name) if name else None
        if value is None:
            return None
        if test["nulltesttype"] == "IS_NULL" and is_never_null(value, expressions, table):
            return f"{name} is set to a value that is never NULL"
        if test["nulltesttype"] == "IS_NOT_NULL" and "isnull" in value.get("A_Const", {}):
            return f"{name} is set to NULL"
    if "A_Expr" in part:
        return _is_ended_comparison(part["A_Expr"], expressions, table)
    return None


def _is_ended_comparison(comparison: Node, expressions: Expressions, table: Table) -> str | None:
    """``status = 'old'`` ends with another constant, ``status <> 'new'`` with the same one."""
    name, constant = _plain_column(comparison.get("lexpr", {})), _constant(comparison.get("rexpr", {}))
    column = table.column(name) if name else None
    value = _constant(expressions.values.get(name, {})) if name else None
    if column is None or constant is None or value is None or column.fuzzy:
        return None
    if column.type.split("(")[0] not in _EXACT_TYPES or value[0] != constant[0]:
        return None
    kind, operator = comparison.get("kind"), "".join(strings(comparison.get("name")))
    differs = value[1] != constant[1]
    if kind == "AEXPR_OP" and operator == "=" and differs:
        return f"{name} is set to another value than the condition asks for"
    if not differs and (kind == "AEXPR_DISTINCT" or (kind == "AEXPR_OP" and operator == "<>")):
        return f"{name} is set to the value that the condition excludes"
    return None


def is_never_null(value: Node, expressions: Expressions, table: Table) -> bool:
    """True where the expression can't give NULL."""
    if "A_Const" in value:
        return not value["A_Const"].get("isnull", False)
    if "TypeCast" in value:
        return is_never_null(value["TypeCast"]["arg"], expressions, table)
    if "SQLValueFunction" in value:
        return "SCHEMA" not in value["SQLValueFunction"].get("op", "")
    if "FuncCall" in value:
        return strings(value["FuncCall"]["funcname"])[-1] in _NEVER_NULL
    if "CoalesceExpr" in value:
        return any(is_never_null(argument, expressions, table) for argument in value["CoalesceExpr"]["args"])
    name = _plain_column(value)
    column = table.column(name) if name else None
    return column is not None and column.not_null


def _plain_column(node: Node) -> str | None:
    fields = node.get("ColumnRef", {}).get("fields")
    return strings(fields)[-1] if fields and strings(fields) else None


def _constant(node: Node) -> tuple[str, Any] | None:
    """Kind and value of a constant that is not NULL; casts are looked through, since both sides go into the same column."""
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    body = node.get("A_Const")
    if body is None or body.get("isnull"):
        return None
    for kind in ("sval", "ival", "boolval"):
        if kind in body:
            return kind, body[kind].get(kind, 0 if kind == "ival" else False if kind == "boolval" else "")
    return None


def by_trial(connection: psycopg.Connection[Any], expressions: Expressions, table: Table, alias: str) -> Convergence:
    """The verdict after updating a few matching rows in a transaction that is rolled back."""
    statement = sql.SQL(TRIAL).format(
        relation=relation_sql(table.schema, table.name),
        where=literal_sql(expressions.where_text),
        assignments=literal_sql(expressions.set_text),
        alias=sql.Identifier(alias),
        rows=sql.Literal(SAMPLE_ROWS),
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', '250ms', true)", (TRIAL_TIMEOUT,)
            )
            tried = connection.execute(statement, {}).fetchall()
    except psycopg.errors.QueryCanceled:
        return Convergence(ends=None, because=f"no matching row was found within {TRIAL_TIMEOUT}")
    except (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.RaiseException) as error:
        return Convergence(ends=None, because=f"the trial failed: {error.diag.message_primary}")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return Convergence(ends=None, because="the rows of the trial were locked by others")
    still = sum(1 for row in tried if row[0])
    if not tried:
        return Convergence(ends=None, because="no row matches now, so it could not be tried")
    if still:
        return Convergence(ends=False, because=f"{still} of {len(tried)} rows still matched after they were updated on trial")
    return Convergence(ends=True, because=f"tried on {len(tried)} rows in a rolled-back transaction, none matched any more")
