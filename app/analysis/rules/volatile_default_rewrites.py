"""ADD COLUMN with a default that is computed for every row."""

from collections.abc import Iterator

from app.analysis.advance_tables import column_type
from app.analysis.context import Context
from app.analysis.defaults import KEPT_IN_CATALOG_SINCE, default_kind, volatile_functions
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import volatile_default


def check(context: Context) -> Iterator[Hit]:
    """Hit for each column whose default calls a volatile function (or one that nobody knows)."""
    for table, definition, constraints in context.added_columns():
        for constraint in constraints:
            if constraint.get("contype") != "CONSTR_DEFAULT":
                continue
            kind = default_kind(constraint.get("raw_expr"), context.state)
            if kind == "steady" and context.options.server_version >= KEPT_IN_CATALOG_SINCE:
                continue
            functions = ", ".join(f"{name}()" for name in volatile_functions(constraint.get("raw_expr"), context.state))
            doubt = "is" if kind == "volatile" else "may be"
            cause = f": {functions} {doubt} volatile" if functions else ""
            yield Hit(
                risk=context.level(table, "rewrite"),
                message=f"The default of {definition['colname']} is computed for every row{cause}, so {table.name} is rewritten "
                f"({context.size(table, 'rewrite')}).",
                safer=volatile_default(table, definition["colname"], column_type(definition) or "", functions),
                location=constraint.get("location"),
            )


RULE = Rule(
    id="volatile-default-rewrites",
    title="A volatile default rewrites the table",
    why="PostgreSQL keeps a constant default in the catalog, but a volatile one is computed for every row: the whole table is "
    "written anew under ACCESS EXCLUSIVE, and nobody can read or write it meanwhile.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="high",
    bad="ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    good="ALTER TABLE users ADD COLUMN token uuid;\nALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();",
    check=check,
)
