"""ADD FOREIGN KEY that is validated on the spot."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import constraint as not_valid
from app.analysis.safer import short
from app.sql.names import quote_identifier, quote_qualified
from app.sql.tree import strings


def check(context: Context) -> Iterator[Hit]:
    """Hit for each foreign key that is added without NOT VALID."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") != "CONSTR_FOREIGN" or constraint.get("skip_validation"):
            continue
        parent = context.state.table_of(constraint["pktable"])
        columns, target = strings(constraint.get("fk_attrs")), strings(constraint.get("pk_attrs"))
        definition = f"FOREIGN KEY ({', '.join(map(quote_identifier, columns))}) REFERENCES {quote_qualified(parent.name)}"
        definition += f" ({', '.join(map(quote_identifier, target))})" if target else ""
        name = str(constraint.get("conname") or f"{short(table)}_{'_'.join(columns)}_fkey")
        yield Hit(
            risk=context.level(table, "validate", "writes"),
            message=f"Writes to {table.name} and {parent.name} wait while every row of {table.name} is checked "
            f"({context.size(table, 'validate')}).",
            safer=not_valid(table, name, definition),
            location=constraint.get("location"),
        )


RULE = Rule(
    id="foreign-key-validates-now",
    title="A foreign key that is validated on the spot blocks writes on both tables",
    why="SHARE ROW EXCLUSIVE is held on the table and on the referenced one while every row is checked. NOT VALID takes the same "
    "locks for milliseconds only; VALIDATE CONSTRAINT checks later without blocking writes.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="medium",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_org_fkey FOREIGN KEY (org_id) REFERENCES orgs (id);",
    good="ALTER TABLE orders ADD CONSTRAINT orders_org_fkey FOREIGN KEY (org_id) REFERENCES orgs (id) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_org_fkey;",
    check=check,
)
