"""Commands whose whole purpose is to write a table anew."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.tables import Table
from app.sql.names import from_range_var
from app.sql.tree import commands, option

_COMMANDS = ("AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod")


def check(context: Context) -> Iterator[Hit]:
    """Hit for CLUSTER, VACUUM FULL and the ALTER TABLE commands that rewrite."""
    is_full = context.kind == "VacuumStmt" and option(context.body.get("options"), "full")
    if context.kind == "ClusterStmt" or is_full:
        tables = [context.state.table(name) for name in context.footprint.rewrites]
        levels = [context.level(table, "rewrite") for table in tables if not table.is_new]
        if levels or not tables:
            what = ", ".join(table.name for table in tables) or "every table"
            yield Hit(
                risk="high" if not levels or "high" in levels else levels[0],
                message=f"{context.effect.command}{' FULL' if is_full else ''} writes {what} anew under ACCESS EXCLUSIVE.",
                safer="-- the extension pg_repack does the same without blocking; or a maintenance window",
            )
    if context.kind == "AlterTableMoveAllStmt":
        what = "index" if context.body.get("objtype") == "OBJECT_INDEX" else "table"
        yield Hit(
            risk="high",
            message=f"Every {what} of the tablespace {context.body.get('orig_tablespacename')} is written anew elsewhere, one "
            "after the other under ACCESS EXCLUSIVE.",
            safer="-- one table at a time, in a maintenance window",
        )
    if context.kind == "AlterTableStmt" and context.body.get("objtype") in {"OBJECT_INDEX", "OBJECT_MATVIEW"}:
        yield from _moved(context)
    for table, _ in context.commands(*_COMMANDS):
        if not context.footprint.rewrites:
            continue
        yield Hit(
            risk=context.level(table, "rewrite"),
            message=f"{table.name} is written anew under ACCESS EXCLUSIVE ({context.size(table, 'rewrite')}).",
            safer="-- a maintenance window, or a new table that is filled in batches and swapped in by renaming",
        )


def _moved(context: Context) -> Iterator[Hit]:
    """An index or materialized view that is written anew elsewhere, or in another way."""
    state, name = context.state, from_range_var(context.body["relation"])
    is_index = context.body.get("objtype") == "OBJECT_INDEX"
    home = state.index(name)[0] if is_index else state.table(name)
    if home is not None and home.is_new:
        return
    for command in commands(context.body):
        stays = not is_index and home is not None and command.get("name") == home.tablespace
        if command.get("subtype") in {"AT_SetTableSpace", "AT_SetAccessMethod"} and not stays:
            yield Hit(
                risk=context.level(home or Table(name=state.qualify(name)), "rewrite"),
                message=f"{name} is written anew under ACCESS EXCLUSIVE"
                + (": queries that might use it wait." if is_index else ": its readers wait."),
                safer="-- REINDEX (CONCURRENTLY, TABLESPACE ...) INDEX ...;" if is_index else None,
            )


RULE = Rule(
    id="table-rewrite",
    title="The command rewrites the table",
    why="Every row and index is written anew while ACCESS EXCLUSIVE is held; it needs as much free disk space again.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="high",
    bad="VACUUM FULL users;",
    good="VACUUM users;",
    check=check,
)
