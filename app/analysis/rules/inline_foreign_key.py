"""ADD COLUMN ... REFERENCES."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import constraint as not_valid
from app.analysis.safer import short
from app.sql.names import quote_identifier, quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new column that references a table that others use."""
    for table, definition, constraints in context.added_columns():
        has_default = any(constraint.get("contype") == "CONSTR_DEFAULT" for constraint in constraints)
        for constraint in constraints:
            if "pktable" not in constraint:
                continue
            parent, name = context.state.table_of(constraint["pktable"]), definition["colname"]
            target = ", ".join(quote_identifier(node["String"]["sval"]) for node in constraint.get("pk_attrs", ()))
            reference = f"FOREIGN KEY ({quote_identifier(name)}) REFERENCES {quote_qualified(parent.name)}"
            yield Hit(
                risk=context.level(table, "validate") if has_default else "low",
                message=f"The foreign key of {name} locks {parent.name} against writes"
                + (
                    f" while every row of {table.name} is checked ({context.size(table, 'validate')})."
                    if has_default
                    else ", shortly."
                ),
                safer="-- add the column alone, then:\n"
                + not_valid(table, f"{short(table)}_{name}_fkey", reference + (f" ({target})" if target else "")),
                location=constraint.get("location"),
            )


RULE = Rule(
    id="inline-foreign-key",
    title="REFERENCES on a new column locks both tables",
    why="Adding the key takes ACCESS EXCLUSIVE on the table and SHARE ROW EXCLUSIVE on the referenced one. With a default every "
    "row is checked while both are held; without one nothing is read.",
    source=manual("sql-altertable.html"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN org_id bigint DEFAULT 1 REFERENCES orgs (id);",
    good="ALTER TABLE users ADD COLUMN org_id bigint;",
    check=check,
)
