"""ALTER TABLE: the inverse of each command, together in the reverse of the order in which PostgreSQL runs them."""

from collections.abc import Callable, Mapping

from app.sql.inverse.alter_column import COLUMN_COMMANDS
from app.sql.inverse.alter_constraint import CONSTRAINT_COMMANDS
from app.sql.inverse.alter_storage import STORAGE_COMMANDS
from app.sql.inverse.chosen_names import chosen_constraint_name
from app.sql.inverse.command import Command
from app.sql.inverse.known import Known
from app.sql.inverse.partition import PARTITION_COMMANDS
from app.sql.inverse.undo import Undo, in_reverse, manual, nothing
from app.sql.split import Statement
from app.sql.tree import commands

_COMMANDS: Mapping[str, Callable[[Command, Known], Undo]] = {
    **COLUMN_COMMANDS,
    **CONSTRAINT_COMMANDS,
    **STORAGE_COMMANDS,
    **PARTITION_COMMANDS,
}
#: PostgreSQL runs drops first, then type changes, then the rest, whatever the written order
_PASSES = {"AT_DropColumn": 0, "AT_DropConstraint": 0, "AT_AlterColumnType": 1}
_LAST_PASS = 2

_WORDS = {
    "OBJECT_TABLE": "TABLE",
    "OBJECT_VIEW": "VIEW",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW",
    "OBJECT_INDEX": "INDEX",
    "OBJECT_TYPE": "TYPE",
    "OBJECT_SEQUENCE": "SEQUENCE",
    "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE",
}


def undo_alter_table(statement: Statement, known: Known) -> Undo:
    """ALTER TABLE, and ALTER VIEW, INDEX, TYPE and the like, which share its tree."""
    body = statement.body
    name = body["relation"]
    key = known.key(name)
    if body.get("missing_ok") and (exists := known.relation_exists(key)) is not True:
        if exists is None:
            return manual("The relation may not be there (IF EXISTS): only the catalog can tell.")
        return nothing("The relation is not there: the statement does nothing.")
    word = _WORDS.get(str(body.get("objtype")))
    if word is None:
        return manual("There is no rule for undoing this statement.")
    only = "" if name.get("inh", False) or word != "TABLE" else "ONLY "
    asked = [
        Command(node=node, key=key, target=f"{word} {only}{known.sql(name)}", only=bool(only), statement=statement)
        for node in sorted(commands(body), key=lambda node: _PASSES.get(str(node.get("subtype")), _LAST_PASS))
    ]
    undone = []
    for command in asked:
        undone.append(_undo_command(command, known))
        known = _with_chosen_name(command, known)
    return in_reverse(undone)


def _with_chosen_name(command: Command, known: Known) -> Known:
    """What the next command of the same statement must know: a constraint without a name has taken one."""
    if command.subtype != "AT_AddConstraint" or "conname" in command.definition or "indexname" in command.definition:
        return known
    name = chosen_constraint_name(known, command.key, command.definition)
    namespace = command.key.rpartition(".")[0]
    return (
        known
        if name is None
        else known.with_made("constraint", f"{command.key}.{name}").with_made("index", f"{namespace}.{name}")
    )


def _undo_command(command: Command, known: Known) -> Undo:
    inverse = _COMMANDS.get(command.subtype)
    undo = manual(f"There is no rule for undoing {command.words}.") if inverse is None else inverse(command, known)
    if not undo.is_derived and known.is_made("table", command.key) and command.subtype not in PARTITION_COMMANDS:
        return nothing(f"It goes with {command.key}, which the same plan makes.")
    return undo
