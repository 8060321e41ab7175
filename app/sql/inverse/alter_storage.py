"""Commands of ALTER TABLE on the relation as a whole: options, security, triggers, owner, logging, replica identity."""

from collections.abc import Callable, Mapping

from app.sql.inverse.command import Command
from app.sql.inverse.grants import privileges
from app.sql.inverse.known import Known, find_trigger
from app.sql.inverse.undo import Undo, exact, manual, nothing
from app.sql.names import quote_identifier

#: SET STORAGE DEFAULT is there from here on
_STORAGE_DEFAULT = 160000
_UNKNOWN = "How it was before is known to the catalog only."


def _options(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    items = [item["DefElem"] for item in command.definition.get("items", ())]
    if relation is None or known.is_stale(command.key, "options") or any("defnamespace" in item for item in items):
        return manual(_UNKNOWN)
    before = dict(option.split("=", 1) for option in relation.options)
    names = [str(item["defname"]) for item in items]
    actions = []
    if any(name in before for name in names):
        # all of them in their order, since an option that is set again moves to the end
        actions.append(f"SET ({', '.join(f'{name} = {value}' for name, value in before.items())})")
    if added := [name for name in names if name not in before]:
        actions.append(f"RESET ({', '.join(added)})")
    return exact(command.alter(", ".join(actions)))


def _row_security(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if relation is None or known.is_stale(command.key, "row security"):
        return manual(_UNKNOWN)
    enables = command.subtype == "AT_EnableRowSecurity"
    if relation.row_security == enables:
        return nothing("It is so already: the statement does nothing.")
    return exact(command.alter(f"{'DISABLE' if enables else 'ENABLE'} ROW LEVEL SECURITY"))


def _trigger(command: Command, known: Known) -> Undo:
    trigger = find_trigger(known.relation(command.key), command.name)
    if trigger is None or known.is_stale(command.key, "triggers") or known.children(command.key):
        return manual(_UNKNOWN)
    if known.is_decorated(f"trigger {command.key}.{command.name}"):
        return manual("The trigger is enabled in another way than usual (ALWAYS, REPLICA), or has a comment.")
    return exact(command.alter(f"{'ENABLE' if trigger.is_enabled else 'DISABLE'} TRIGGER {quote_identifier(trigger.name)}"))


def _owner(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if relation is None or not relation.owner or known.is_stale(command.key, "owner"):
        return manual("The owner before is known to the catalog only.")
    owner = command.node.get("newowner", {})
    has_column_grants = known.schema is not None and any(
        mark.startswith(f"column {relation.name}.") for mark in known.schema.decorated
    )
    grantees = privileges(relation).keys() - {relation.owner}
    is_named = owner.get("roletype") == "ROLESPEC_CSTRING"
    if has_column_grants or (grantees and not is_named) or owner.get("rolename") in grantees:
        return manual("The new owner may have rights of its own on it, which would go with the way back.")
    return exact(command.alter(f"OWNER TO {quote_identifier(relation.owner)}"))


def _logging(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if relation is None or known.is_stale(command.key, "logging"):
        return manual(_UNKNOWN)
    becomes_unlogged = command.subtype == "AT_SetUnLogged"
    if relation.is_unlogged == becomes_unlogged:
        return nothing("It is so already: the statement does nothing.")
    return exact(command.alter("SET LOGGED" if becomes_unlogged else "SET UNLOGGED"))


def _replica_identity(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if relation is None or known.is_stale(command.key, "replica identity"):
        return manual(_UNKNOWN)
    if relation.replica_identity != "index":
        return exact(command.alter(f"REPLICA IDENTITY {relation.replica_identity.upper()}"))
    index = next((index for index in relation.indexes if index.is_replica_identity), None)
    if index is None:
        return manual(_UNKNOWN)
    return exact(command.alter(f"REPLICA IDENTITY USING INDEX {quote_identifier(index.name.partition('.')[2])}"))


def _column_setting(command: Command, known: Known) -> Undo:
    """SET STATISTICS, SET STORAGE, SET COMPRESSION."""
    column = known.column(command.key, command.name)
    aspect = command.subtype.removeprefix("AT_Set").upper()
    if known.children(command.key):
        return manual("Partitions and heirs get the same setting, and what they had is not kept.")
    if column is None or known.schema is None or known.is_stale(command.key, f"{aspect} {command.name}"):
        return manual(_UNKNOWN)
    if aspect == "STATISTICS":
        return exact(
            command.alter_column(f"SET STATISTICS {-1 if column.statistics_target is None else column.statistics_target}")
        )
    before = column.storage if aspect == "STORAGE" else column.compression
    if aspect == "STORAGE" and not before and known.schema.server_version_num < _STORAGE_DEFAULT:
        return manual("This server has no SET STORAGE DEFAULT.")
    return exact(command.alter_column(f"SET {aspect} {before or 'DEFAULT'}"))


STORAGE_COMMANDS: Mapping[str, Callable[[Command, Known], Undo]] = {
    "AT_SetRelOptions": _options,
    "AT_ResetRelOptions": _options,
    "AT_EnableRowSecurity": _row_security,
    "AT_DisableRowSecurity": _row_security,
    "AT_EnableTrig": _trigger,
    "AT_DisableTrig": _trigger,
    "AT_ChangeOwner": _owner,
    "AT_SetCompression": _column_setting,
    "AT_SetLogged": _logging,
    "AT_SetStatistics": _column_setting,
    "AT_SetStorage": _column_setting,
    "AT_SetUnLogged": _logging,
    "AT_ReplicaIdentity": _replica_identity,
}
