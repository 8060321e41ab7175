"""ADD PRIMARY KEY USING INDEX over columns that may hold NULL."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.footprint_constraints import primary_key_scans
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import not_null


def check(context: Context) -> Iterator[Hit]:
    """Hit for each PRIMARY KEY USING INDEX whose columns are not known to be NOT NULL."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if not constraint.get("indexname") or not primary_key_scans(context.state, table, constraint):
            continue
        _, index = context.state.index(str(constraint["indexname"]))
        missing = [name for name in (index.columns if index else ()) if name and not table.proves_not_null(name)]
        yield Hit(
            risk=context.level(table, "scan"),
            message=f"{', '.join(missing)} may hold NULL: every row of {table.name} is read under ACCESS EXCLUSIVE "
            f"({context.size(table, 'scan')}).",
            safer=not_null(table, missing[0], context.options.server_version),
            location=constraint.get("location"),
        )


RULE = Rule(
    id="primary-key-scans",
    title="PRIMARY KEY USING INDEX on nullable columns scans for NULL",
    why="A primary key makes its columns NOT NULL, so PostgreSQL reads the table under ACCESS EXCLUSIVE to see that none is "
    "NULL, "
    "unless that is proven already.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX"),
    level="medium",
    bad="CREATE UNIQUE INDEX CONCURRENTLY log_pkey ON log (note);\n"
    "ALTER TABLE log ADD CONSTRAINT log_pkey PRIMARY KEY USING INDEX log_pkey;",
    good="CREATE UNIQUE INDEX CONCURRENTLY log_pkey ON log (id);\n"
    "ALTER TABLE log ADD CONSTRAINT log_pkey PRIMARY KEY USING INDEX log_pkey;",
    check=check,
)
