"""ADD PRIMARY KEY without USING INDEX."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import short, unique
from app.sql.tree import strings


def check(context: Context) -> Iterator[Hit]:
    """Hit for each PRIMARY KEY that is added without USING INDEX."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") != "CONSTR_PRIMARY" or constraint.get("indexname") or not context.footprint.builds:
            continue
        columns = strings(constraint.get("keys"))
        name = str(constraint.get("conname") or "_".join((short(table), "pkey")))
        yield Hit(
            risk=context.level(table, "build"),
            message=f"PRIMARY KEY ({', '.join(columns)}) builds its index under ACCESS EXCLUSIVE on {table.name} "
            f"({context.size(table, 'build')}).",
            safer=unique(table, columns, name, "PRIMARY KEY"),
            location=constraint.get("location"),
        )


RULE = Rule(
    id="primary-key-builds-index",
    title="PRIMARY KEY builds its index while everybody waits",
    why="The index is built inside the ALTER TABLE under ACCESS EXCLUSIVE. An index that was built CONCURRENTLY before can be "
    "taken over in milliseconds by USING INDEX.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX"),
    level="high",
    bad="ALTER TABLE log ADD PRIMARY KEY (id);",
    good="CREATE UNIQUE INDEX CONCURRENTLY log_pkey ON log (id);\nALTER TABLE log ADD CONSTRAINT log_pkey PRIMARY KEY USING "
    "INDEX log_pkey;",
    check=check,
)
