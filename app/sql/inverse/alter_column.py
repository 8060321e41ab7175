"""Commands of ALTER TABLE on columns."""

from collections.abc import Callable, Mapping

from app.catalog.records import Column, Constraint, Relation
from app.sql.inverse.alter_type import undo_alter_type
from app.sql.inverse.command import Command
from app.sql.inverse.known import Known
from app.sql.inverse.restore import column_definition, column_extras
from app.sql.inverse.undo import Undo, exact, loses, lossy, manual, nothing
from app.sql.names import quote_identifier

#: not-null constraints have names and can be NOT VALID from here on
_NAMED_NOT_NULL = 180000


def _add_column(command: Command, known: Known) -> Undo:
    name = str(command.definition["colname"])
    quoted = quote_identifier(name)
    if "ATTRIBUTE" not in command.target and command.target.startswith("TYPE"):
        # the tables of the type got the attribute too, and are not left behind
        cascade = " CASCADE" if command.cascades else ""
        return loses(command.alter(f"DROP ATTRIBUTE {quoted}{cascade}"), reason="What was written to it since is lost.")
    if command.node.get("missing_ok"):
        relation = known.relation(command.key)
        if relation is None:
            return manual("The column may have been there before (IF NOT EXISTS): only the catalog can tell.")
        if relation.column(name) is not None:
            return nothing("The column was there before: the statement does nothing.")
    if any(child.column(name) is not None for child in known.children(command.key)):
        return manual("An inheriting table has a column of that name, which would be merged.")
    return loses(command.alter(f"DROP COLUMN {quoted}"), reason="What was written to the new column since is lost.")


def _drop_column(command: Command, known: Known) -> Undo:  # noqa: PLR0911 - one return for each form of the statement
    relation = known.relation(command.key)
    if known.is_made("column", f"{command.key}.{command.name}"):
        return manual("The same plan makes the column and drops it: leave both out, or write how to undo it.")
    if relation is None:
        return manual("What the column was like is known to the catalog only; its data are lost in any case.")
    column = relation.column(command.name)
    if column is None:
        is_asked = bool(command.node.get("missing_ok"))
        return nothing("The column is not there: the statement does nothing.") if is_asked else manual("There is no such column.")
    if command.target.startswith("TYPE"):
        return manual("The attribute's values are lost, and it would come back in another place.")
    obstacle = _obstacle(command, known, relation, column)
    if obstacle is not None:
        return manual(obstacle)
    parts = [command.alter(f"ADD COLUMN {column_definition(column)}"), *column_extras(relation, column)]
    if column.generated:
        return exact(*parts, reason="The column comes back as the last one.")
    return lossy(*parts, reason=f"The column {command.name} comes back as the last one and without its data.")


def _obstacle(command: Command, known: Known, relation: Relation, column: Column) -> str | None:
    """Why a dropped column can't be put back by a statement that is sure to work."""
    is_bare = column.default is None and not column.identity and not column.generated
    takes_others = command.cascades and (
        any(column.name in item.columns or not item.columns for item in relation.dependents)
        or any(other.generated and column.name in (other.default or "") for other in relation.columns)
        or any(column.name in trigger.definition for trigger in relation.triggers)
    )
    reasons = (
        (known.is_stale(command.key, "columns"), "What the column is like now is not known after the statements before."),
        (bool(relation.parents or known.children(command.key)), "The table has partitions or heirs."),
        (
            column.not_null and is_bare,
            f"The column {column.name} was NOT NULL without a default: only a person can say what its rows would hold.",
        ),
        (
            column.owned_sequence is not None,
            f"The column {column.name} takes its numbers from a sequence that goes with it.",
        ),
        (
            any(column.name in item.columns and len(item.columns) > 1 for item in relation.constraints),
            "A constraint on several columns goes with it.",
        ),
        (any(column.name in policy.definition for policy in relation.policies), "A policy may use the column."),
        (
            known.is_decorated(f"column {relation.name}.{column.name}"),
            "The column has grants or options of its own.",
        ),
        (takes_others, "CASCADE takes other objects along."),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _default(command: Command, known: Known) -> Undo:
    if known.schema is None:
        return manual("The default before is known to the catalog only.")
    column = known.column(command.key, command.name)
    if column is None or known.is_stale(command.key, f"default {command.name}") or column.generated:
        return manual("The default before is not known.")
    if not command.only and any(_default_of(child, command.name) != column.default for child in known.children(command.key)):
        return manual("A partition or heir has another default, which is overwritten.")
    if column.default is None:
        return exact(command.alter_column("DROP DEFAULT"))
    return exact(command.alter_column(f"SET DEFAULT {column.default}"))


def _default_of(relation: Relation, name: str) -> str | None:
    column = relation.column(name)
    return column.default if column is not None else None


def _set_not_null(command: Command, known: Known) -> Undo:
    back = command.alter_column("DROP NOT NULL")
    if known.schema is None:
        return exact(back, reason="Taken for granted without a catalog: the column allowed NULL before.")
    column = known.column(command.key, command.name)
    if column is None:
        return manual("Whether the column was NOT NULL before is not known.")
    if column.not_null:
        return nothing("The column is NOT NULL already: the statement does nothing.")
    children = [found for child in known.children(command.key) if (found := child.column(command.name)) is not None]
    if known.schema.server_version_num < _NAMED_NOT_NULL and any(found.not_null for found in children):
        return manual("A partition or heir is NOT NULL already, and would be loosened with its parent.")
    before = not_null_constraint(known.relation(command.key), command.name)
    if before is not None:
        return nothing(f"It only validates {before.name}, which holds for all rows from then on.")
    return exact(back)


def _drop_not_null(command: Command, known: Known) -> Undo:
    reason = "Fails where NULLs were written since."
    back = command.alter_column("SET NOT NULL")
    if known.schema is None:
        return exact(back, reason=f"{reason} Taken for granted without a catalog: the column was NOT NULL before.")
    relation = known.relation(command.key)
    column = known.column(command.key, command.name)
    if relation is None or column is None:
        return manual("Whether the column was NOT NULL before is not known.")
    before = not_null_constraint(relation, command.name)
    if before is not None and known.schema.server_version_num >= _NAMED_NOT_NULL:
        return exact(command.alter(f"ADD CONSTRAINT {quote_identifier(before.name)} {before.definition}"), reason=reason)
    if not column.not_null:
        return nothing("The column allows NULL already: the statement does nothing.")
    return exact(back, reason=reason)


def not_null_constraint(relation: Relation | None, column: str) -> Constraint | None:
    """The not-null constraint of a column, which PostgreSQL 18 lists as one."""
    constraints = relation.constraints if relation is not None else ()
    return next((item for item in constraints if item.kind == "not null" and item.columns == (column,)), None)


def _add_identity(command: Command, known: Known) -> Undo:
    column = known.column(command.key, command.name)
    if known.schema is not None and (column is None or column.identity):
        return manual("Whether the column was an identity before is not known.")
    return loses(command.alter_column("DROP IDENTITY"), reason="The sequence of the column goes.")


def _set_identity(command: Command, known: Known) -> Undo:
    options = [item["DefElem"]["defname"] for item in command.definition.get("items", ())]
    column = known.column(command.key, command.name)
    if options != ["generated"] or column is None or not column.identity or known.is_stale(command.key, "columns"):
        return manual("How the column was generated before is not known.")
    return exact(command.alter_column(f"SET GENERATED {column.identity.upper()}"))


def _set_expression(command: Command, known: Known) -> Undo:
    column = known.column(command.key, command.name)
    if column is None or not column.generated or column.default is None or known.is_stale(command.key, "columns"):
        return manual("The expression before is known to the catalog only.")
    return exact(command.alter_column(f"SET EXPRESSION AS ({column.default})"))


COLUMN_COMMANDS: Mapping[str, Callable[[Command, Known], Undo]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_ColumnDefault": _default,
    "AT_SetNotNull": _set_not_null,
    "AT_DropNotNull": _drop_not_null,
    "AT_AlterColumnType": undo_alter_type,
    "AT_AddIdentity": _add_identity,
    "AT_SetIdentity": _set_identity,
    "AT_SetExpression": _set_expression,
}
