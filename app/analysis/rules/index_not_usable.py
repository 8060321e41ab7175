"""USING INDEX with an index that can't carry the constraint."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_identifier


def check(context: Context) -> Iterator[Hit]:
    """Hit where the index is known and is not unique, not valid, partial or over an expression."""
    for _, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        _, index = context.state.index(str(constraint.get("indexname", "")))
        if index is None:
            continue
        faults = [
            word
            for word, is_fault in (
                ("not unique", not index.is_unique),
                ("not valid", not index.is_valid),
                ("partial", index.has_predicate),
                ("over an expression", None in index.columns),
            )
            if is_fault
        ]
        if faults:
            yield Hit(
                risk="high",
                message=f"The statement fails: {index.name} is {' and '.join(faults)}.",
                safer=f"-- DROP INDEX CONCURRENTLY {quote_identifier(str(constraint['indexname']))}, and build it again, UNIQUE",
                location=constraint.get("location"),
            )


RULE = Rule(
    id="index-not-usable",
    title="USING INDEX needs a valid, unique, plain index",
    why="PostgreSQL refuses an index that is not unique or not valid (55000, 42809), or that has a predicate or an expression.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX"),
    level="high",
    bad="ALTER TABLE users ADD CONSTRAINT one_name UNIQUE USING INDEX users_unused_idx;",
    good="CREATE UNIQUE INDEX CONCURRENTLY users_name_key ON users (name);\n"
    "ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE USING INDEX users_name_key;",
    check=check,
)
