"""Syntax that the server does not have yet."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule
from app.sql.tree import Node, find, option


def check(context: Context) -> Iterator[Hit]:
    """Hit for what an older server refuses."""
    version = context.options.server_version
    for since, what in _needs(context):
        if version < since:
            yield Hit(
                risk="high",
                message=f"{what} needs PostgreSQL {since}; the server is version {version}: the statement fails.",
            )


def _needs(context: Context) -> Iterator[tuple[int, str]]:
    if context.kind in {"AlterTableStmt", "CreateStmt", "CreateForeignTableStmt", "CreateSchemaStmt"}:
        for constraint in find(context.statement.node, "Constraint"):
            yield from _of_constraint(constraint)
    yield from _of_commands(context)
    if context.kind == "IndexStmt" and context.body.get("nulls_not_distinct"):
        yield 15, "NULLS NOT DISTINCT"
    if context.kind == "MergeStmt":
        yield (17, "MERGE ... RETURNING") if "returningClause" in context.body else (15, "MERGE")
    if context.kind == "ReindexStmt" and option(context.body.get("params"), "concurrently"):
        yield 12, "REINDEX CONCURRENTLY"


def _of_constraint(constraint: Node) -> Iterator[tuple[int, str]]:
    contype = constraint.get("contype")
    if contype == "CONSTR_NOTNULL" and ("keys" in constraint or constraint.get("skip_validation")):
        yield 18, "NOT NULL as a table constraint"
    elif contype == "CONSTR_GENERATED" and constraint.get("generated_kind") == "v":
        yield 18, "A virtual generated column"
    elif contype in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and "is_enforced" not in constraint:
        yield 18, "NOT ENFORCED"
    if constraint.get("nulls_not_distinct"):
        yield 15, "NULLS NOT DISTINCT"


def _of_commands(context: Context) -> Iterator[tuple[int, str]]:
    for _ in context.commands("AT_SetExpression"):
        yield 17, "SET EXPRESSION"
    for _, command in context.commands("AT_AlterConstraint"):
        if command["def"]["ATAlterConstraint"].get("alterEnforceability"):
            yield 18, "ALTER CONSTRAINT ... ENFORCED"
    for _, command in context.commands("AT_DetachPartition"):
        if command["def"]["PartitionCmd"].get("concurrent"):
            yield 14, "DETACH PARTITION ... CONCURRENTLY"
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        is_pending_key = constraint.get("contype") == "CONSTR_FOREIGN" and constraint.get("skip_validation")
        if is_pending_key and table.is_partitioned:
            yield 18, "A NOT VALID foreign key on a partitioned table"


RULE = Rule(
    id="not-in-this-version",
    title="The server does not know this syntax yet",
    why="Headgate reads SQL with the grammar of PostgreSQL 18; an older server refuses what came later (42601).",
    source="https://www.postgresql.org/docs/18/release.html",
    level="high",
    bad="ALTER TABLE users ADD CONSTRAINT nn NOT NULL nickname NOT VALID;  -- on PostgreSQL 17",
    good="ALTER TABLE users ADD CONSTRAINT nn CHECK (nickname IS NOT NULL) NOT VALID;",
    check=check,
)
