"""A foreign key between columns of different types."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import strings


def check(context: Context) -> Iterator[Hit]:
    """Hit where both types are known and differ."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") != "CONSTR_FOREIGN":
            continue
        parent = context.state.table_of(constraint["pktable"])
        for own, other in zip(strings(constraint.get("fk_attrs")), strings(constraint.get("pk_attrs")), strict=False):
            first, second = table.columns.get(own), parent.columns.get(other)
            if first and second and first.type and second.type and first.type != second.type:
                yield Hit(
                    risk="low",
                    message=f"{table.name}.{own} is {first.type}, {parent.name}.{other} is {second.type}: the smaller one "
                    f"ends first.",
                    location=constraint.get("location"),
                )


RULE = Rule(
    id="foreign-key-types-differ",
    title="A foreign key between different types",
    why="An integer column that references a bigint key can't follow it beyond 2,147,483,647, and comparing different types can "
    "keep an index from being used.",
    source=manual("ddl-constraints.html#DDL-CONSTRAINTS-FK"),
    level="low",
    bad="ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (qty) REFERENCES users (id) NOT VALID;",
    good="ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (org_id) REFERENCES orgs (id) NOT VALID;",
    check=check,
)
