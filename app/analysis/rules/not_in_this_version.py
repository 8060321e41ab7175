"""What the server's version does not have yet."""

from collections.abc import Callable, Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import from_strings
from app.sql.tree import Node, find, option

#: functions by the version that brought them
_FUNCTIONS = {"uuidv7": 18, "uuidv4": 18, "array_sort": 18, "array_reverse": 18, "casefold": 18, "random_normal": 16}
#: nothing that the parser reads is younger
_NEWEST = 18
_WITH_CONSTRAINTS = frozenset({"AlterTableStmt", "CreateStmt", "CreateForeignTableStmt", "CreateSchemaStmt"})


def check(context: Context) -> Iterator[Hit]:
    """Hit for what an older server refuses."""
    version = context.options.server_version
    if version >= _NEWEST:
        return
    for since, what in dict.fromkeys(_needs(context)):
        if version < since:
            yield Hit(
                risk="high",
                message=f"{what} needs PostgreSQL {since}; the server is version {version}: the statement fails.",
            )


def _needs(context: Context) -> Iterator[tuple[int, str]]:
    node, kind = context.statement.node, context.kind
    if kind in _WITH_CONSTRAINTS:
        for constraint in find(node, "Constraint"):
            yield from _of_constraint(constraint)
        for column in find(node, "ColumnDef"):
            if "storage_name" in column:
                yield 16, "STORAGE in a new column"
    yield from _of_commands(context)
    if kind == "MergeStmt":
        yield from _of_merge(context.body)
    for statement, needs, since, what in _STATEMENTS:
        if kind == statement and needs(context.body):
            yield since, what
    for call in find(node, "FuncCall"):
        name = from_strings(call.get("funcname", ())).removeprefix("pg_catalog.")
        if name in _FUNCTIONS and name not in context.state.functions:
            yield _FUNCTIONS[name], f"{name}()"


_STATEMENTS: tuple[tuple[str, Callable[[Node], bool], int, str], ...] = (
    ("IndexStmt", lambda body: bool(body.get("nulls_not_distinct")), 15, "NULLS NOT DISTINCT"),
    ("ReindexStmt", lambda body: option(body.get("params"), "concurrently"), 12, "REINDEX CONCURRENTLY"),
    ("CreateFunctionStmt", lambda body: "sql_body" in body, 14, "A function body of SQL statements"),
    ("CreateTrigStmt", lambda body: bool(body.get("replace")), 14, "CREATE OR REPLACE TRIGGER"),
    ("CreateStatsStmt", lambda body: not body.get("defnames"), 16, "CREATE STATISTICS without a name"),
)


def _of_merge(body: Node) -> Iterator[tuple[int, str]]:
    yield 15, "MERGE"
    if "returningClause" in body or "returningList" in body:
        yield 17, "MERGE ... RETURNING"
    if any(clause.get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" for clause in find(body, "MergeWhenClause")):
        yield 17, "MERGE ... NOT MATCHED BY SOURCE"


def _of_constraint(constraint: Node) -> Iterator[tuple[int, str]]:
    contype = constraint.get("contype")
    if contype == "CONSTR_NOTNULL" and ("keys" in constraint or constraint.get("skip_validation")):
        yield 18, "NOT NULL as a table constraint"
    elif contype == "CONSTR_GENERATED":
        yield (18, "A virtual generated column") if constraint.get("generated_kind") == "v" else (12, "A generated column")
    elif contype == "CONSTR_ATTR_NOT_ENFORCED" or (
        contype in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and "is_enforced" not in constraint
    ):
        yield 18, "NOT ENFORCED"
    if constraint.get("nulls_not_distinct"):
        yield 15, "NULLS NOT DISTINCT"
    if constraint.get("without_overlaps") or constraint.get("fk_with_period"):
        yield 18, "A temporal constraint"
    if constraint.get("fk_del_set_cols"):
        yield 15, "ON DELETE SET NULL of some columns"


def _of_commands(context: Context) -> Iterator[tuple[int, str]]:
    for _ in context.commands("AT_SetExpression"):
        yield 17, "SET EXPRESSION"
    for _, command in context.commands("AT_AlterConstraint"):
        if command["def"]["ATAlterConstraint"].get("alterEnforceability"):
            yield 18, "ALTER CONSTRAINT ... ENFORCED"
    for _, command in context.commands("AT_DetachPartition"):
        if command["def"]["PartitionCmd"].get("concurrent"):
            yield 14, "DETACH PARTITION ... CONCURRENTLY"
    for _, command in context.commands("AT_SetAccessMethod"):
        yield (15, "SET ACCESS METHOD") if command.get("name") else (17, "SET ACCESS METHOD DEFAULT")
    for _, command in context.commands("AT_SetStatistics"):
        if "def" not in command:
            yield 17, "SET STATISTICS DEFAULT"
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        is_pending_key = constraint.get("contype") == "CONSTR_FOREIGN" and constraint.get("skip_validation")
        if is_pending_key and table.is_partitioned:
            yield 18, "A NOT VALID foreign key on a partitioned table"
        if constraint.get("contype") == "CONSTR_EXCLUSION" and table.is_partitioned:
            yield 17, "An exclusion constraint on a partitioned table"


RULE = Rule(
    id="not-in-this-version",
    title="The server's version does not have this yet",
    why="The statement is refused, and whatever stands before it in the same transaction is undone.",
    source=manual("release.html"),
    level="high",
    bad="ALTER TABLE users ADD CONSTRAINT nn NOT NULL nickname NOT VALID;  -- on PostgreSQL 17",
    good="ALTER TABLE users ADD CONSTRAINT nn CHECK (nickname IS NOT NULL) NOT VALID;",
    check=check,
)
