"""A foreign key whose own columns have no index."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_identifier, quote_qualified
from app.sql.tree import strings


def check(context: Context) -> Iterator[Hit]:
    """Hit where the target's indexes are known and none leads with the referencing columns."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        columns = strings(constraint.get("fk_attrs"))
        if constraint.get("contype") != "CONSTR_FOREIGN" or not table.is_known or table.index_with_prefix(columns):
            continue
        listed = ", ".join(map(quote_identifier, columns))
        parent = context.state.table_of(constraint["pktable"])
        yield Hit(
            risk="low",
            message=f"{table.name} ({listed}) has no index: every DELETE on {parent.name} reads the whole table.",
            safer=f"CREATE INDEX CONCURRENTLY ON {quote_qualified(table.name)} ({listed});",
            location=constraint.get("location"),
        )


RULE = Rule(
    id="foreign-key-without-index",
    title="The referencing columns have no index",
    why="PostgreSQL does not index the referencing side by itself. Deleting or updating a referenced row then scans the "
    "referencing table, and holds its locks while it does.",
    source=manual("ddl-constraints.html#DDL-CONSTRAINTS-FK"),
    level="low",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_org_fkey FOREIGN KEY (org_id) REFERENCES orgs (id) NOT VALID;",
    good="CREATE INDEX CONCURRENTLY orders_org_idx ON orders (org_id);\n"
    "ALTER TABLE orders ADD CONSTRAINT orders_org_fkey FOREIGN KEY (org_id) REFERENCES orgs (id) NOT VALID;",
    check=check,
)
