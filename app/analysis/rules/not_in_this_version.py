"""Syntax that the server does not have yet."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule
from app.sql.tree import find


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
    is_about_tables = context.kind in {"AlterTableStmt", "CreateStmt", "CreateForeignTableStmt", "CreateSchemaStmt"}
    for constraint in find(context.statement.node, "Constraint") if is_about_tables else ():
        contype = constraint.get("contype")
        if contype == "CONSTR_NOTNULL" and ("keys" in constraint or constraint.get("skip_validation")):
            yield 18, "NOT NULL as a table constraint"
        elif contype == "CONSTR_GENERATED" and constraint.get("generated_kind") == "v":
            yield 18, "A virtual generated column"
        elif contype in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and "is_enforced" not in constraint:
            yield 18, "NOT ENFORCED"
        if constraint.get("nulls_not_distinct"):
            yield 15, "NULLS NOT DISTINCT"
    for table, command in context.commands("AT_AddConstraint", "AT_AlterConstraint", "AT_SetExpression"):
        definition = command.get("def", {})
        if definition.get("ATAlterConstraint", {}).get("alterEnforceability"):
            yield 18, "ALTER CONSTRAINT ... ENFORCED"
        if command.get("subtype") == "AT_SetExpression":
            yield 17, "SET EXPRESSION"
        constraint = definition.get("Constraint", {})
        is_key = constraint.get("contype") == "CONSTR_FOREIGN" and constraint.get("skip_validation")
        if is_key and table.is_partitioned:
            yield 18, "A NOT VALID foreign key on a partitioned table"
    if context.kind == "IndexStmt" and context.body.get("nulls_not_distinct"):
        yield 15, "NULLS NOT DISTINCT"
    if context.kind == "MergeStmt":
        yield 15, "MERGE"


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
