"""What no walk can do, said before anything is begun: each with the reason and the way out."""

from collections.abc import Mapping, Sequence

from app.backfill.definition import Action, BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.table import Table

#: what happens to the table's rows, and what its statement is called in the catalog's rules and triggers
EVENTS: Mapping[Action, str] = {"update": "update", "delete": "delete", "copy": "insert"}
_SYSTEM_SCHEMAS = {"pg_catalog", "information_schema"}


def refuse_impossible(definition: BackfillDefinition, root: Table, leaves: Sequence[Table] = ()) -> None:
    """Refuse tables and columns that can't be walked or written.

    Raises BackfillRefusedError.
    """
    refuse_kind(root, "a backfill walks tables")
    if definition.action != "copy":
        refuse_rules(root, EVENTS[definition.action])
    for leaf in leaves:
        if leaf.kind != "table":
            raise BackfillRefusedError(
                f"{leaf.qualified}, a part of the table, is a {leaf.kind}; a backfill walks tables.",
                hint="Name the other partitions one by one.",
            )
    if definition.action == "update":
        _refuse_columns(definition, root)


def refuse_kind(table: Table, because: str) -> None:
    """Refuse what has no rows of its own, or hides some of them.

    Raises BackfillRefusedError.
    """
    if table.kind not in {"table", "partitioned table"}:
        raise BackfillRefusedError(f"{table.qualified} is a {table.kind}; {because}.", hint="Name the table that holds the rows.")
    if table.schema in _SYSTEM_SCHEMAS:
        raise BackfillRefusedError(f"{table.qualified} belongs to PostgreSQL itself.")
    if table.hides_rows:
        raise BackfillRefusedError(
            f"Row-level security hides rows of {table.qualified} from this role: they would silently be left out.",
            hint="Connect as the table's owner or as a role with BYPASSRLS.",
        )


def refuse_rules(table: Table, event: str) -> None:
    """Refuse a table whose rules would make something else of the batches.

    Raises BackfillRefusedError.
    """
    rules = table.rules_on(event)
    if rules:
        raise BackfillRefusedError(
            f"{table.qualified} has a rule on {event.upper()} ({', '.join(rules)}), which rewrites the batches.",
            hint="Drop the rule for the backfill, or replace it by a trigger.",
        )


def refuse_unwritable(table: Table, names: Sequence[str]) -> None:
    """Refuse columns that are not there or that PostgreSQL fills itself.

    Raises BackfillRefusedError.
    """
    for name in names:
        column = table.column(name)
        if column is None:
            raise BackfillRefusedError(f"{table.qualified} has no column {name}.", sqlstate="42703")
        if column.generated:
            raise BackfillRefusedError(f"{name} is a generated column; PostgreSQL computes it itself.")


def _refuse_columns(definition: BackfillDefinition, root: Table) -> None:
    assigned = definition.expressions.assigned
    refuse_unwritable(root, assigned)
    for name in assigned:
        column = root.column(name)
        if column is not None and column.identity == "a":
            raise BackfillRefusedError(f"{name} is GENERATED ALWAYS AS IDENTITY and can't be set.")
    moved = sorted(root.partition_columns & set(assigned))
    if moved:
        raise BackfillRefusedError(
            f"Setting {', '.join(moved)} would move rows to other partitions while they are walked.",
            hint="Copy the rows into a new table instead: a backfill with `into`.",
        )


def refuse_own_key(definition: BackfillDefinition, table: Table, names: Sequence[str]) -> None:
    """Refuse an update of the columns that it walks by, or of the primary key.

    Raises BackfillRefusedError.
    """
    if definition.action != "update":
        return
    primary = next((index.key_columns for index in table.indexes if index.is_primary), ())
    own = {*names, *primary} & set(definition.expressions.assigned)
    if own:
        raise BackfillRefusedError(
            f"The SET list changes {', '.join(sorted(own))}, which is part of the key of {table.qualified}: "
            "a row would move under the walk and be missed or done twice.",
            hint="Fill a new column and swap the two in a later step.",
        )
