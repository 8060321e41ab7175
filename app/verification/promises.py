"""What a plan's statements promise to leave behind: objects there, objects gone, constraints left NOT VALID on purpose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sql.names import from_object, from_range_var
from app.sql.split import Statement
from app.sql.tree import commands

Node = Mapping[str, Any]
#: (kind, name as written): ("column", "users.role"), ("table", "public.users"), ("index", "users_email")
Promise = tuple[str, str]

_DROPPED = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_INDEX": "index",
    "OBJECT_FOREIGN_TABLE": "foreign table",
}


@dataclass(slots=True)
class Ledger:
    """Promises in the order in which they are made; a later one takes the earlier one's place."""

    #: True: there at the end, False: gone at the end
    objects: dict[Promise, bool] = field(default_factory=dict)
    #: constraints that are there without being validated, as "table.constraint"
    loose: set[str] = field(default_factory=set)

    def follow(self, statements: Iterable[Statement]) -> None:
        """Take over what the statements promise; those that are not understood promise nothing."""
        for statement in statements:
            for kind, body in statement.node.items():
                if kind in _READERS:
                    _READERS[kind](self, body)

    def made(self, kind: str, name: str) -> None:
        """The object is there from here on."""
        self.objects[kind, name] = True

    def gone(self, kind: str, name: str) -> None:
        """The object is not there from here on, nor is anything that belongs to it."""
        self.objects[kind, name] = False
        for promise in [key for key in self.objects if key[1].startswith(f"{name}.") and key[0] in {"column", "constraint"}]:
            del self.objects[promise]
        self.loose -= {loose for loose in self.loose if loose == name or loose.startswith(f"{name}.")}


def _create(ledger: Ledger, body: Node) -> None:
    ledger.made("table", from_range_var(body["relation"]))


def _create_as(ledger: Ledger, body: Node) -> None:
    kind = "materialized view" if body.get("objtype") == "OBJECT_MATVIEW" else "table"
    ledger.made(kind, from_range_var(body["into"]["rel"]))


def _view(ledger: Ledger, body: Node) -> None:
    ledger.made("view", from_range_var(body["view"]))


def _index(ledger: Ledger, body: Node) -> None:
    if body.get("idxname"):
        ledger.made("index", body["idxname"])


def _drop(ledger: Ledger, body: Node) -> None:
    kind = _DROPPED.get(body.get("removeType", ""))
    for entry in body.get("objects", ()) if kind else ():
        ledger.gone(str(kind), from_object(entry))


def _rename(ledger: Ledger, body: Node) -> None:
    kind, old = body.get("renameType"), from_range_var(body["relation"]) if "relation" in body else ""
    if kind == "OBJECT_COLUMN":
        ledger.gone("column", f"{old}.{body['subname']}")
        ledger.made("column", f"{old}.{body['newname']}")
    elif kind in _DROPPED and old:
        ledger.gone(_DROPPED[kind], old)
        schema, dot, _ = old.rpartition(".")
        ledger.made(_DROPPED[kind], f"{schema}{dot}{body['newname']}" if kind != "OBJECT_INDEX" else body["newname"])


def _alter(ledger: Ledger, body: Node) -> None:
    if body.get("objtype") != "OBJECT_TABLE":
        return
    table = from_range_var(body["relation"])
    for command in commands(body):
        name, definition = command.get("name", ""), command.get("def", {})
        subtype = command.get("subtype")
        if subtype == "AT_AddColumn":
            ledger.made("column", f"{table}.{definition['ColumnDef']['colname']}")
        elif subtype == "AT_DropColumn":
            ledger.gone("column", f"{table}.{name}")
        elif subtype == "AT_AddConstraint":
            _add_constraint(ledger, table, definition.get("Constraint", {}))
        elif subtype == "AT_DropConstraint":
            ledger.gone("constraint", f"{table}.{name}")
        elif subtype == "AT_ValidateConstraint":
            ledger.loose.discard(f"{table}.{name}")


def _add_constraint(ledger: Ledger, table: str, constraint: Node) -> None:
    name = constraint.get("conname")
    if not name:
        return
    ledger.made("constraint", f"{table}.{name}")
    if constraint.get("skip_validation"):
        ledger.loose.add(f"{table}.{name}")


_READERS = {
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "ViewStmt": _view,
    "IndexStmt": _index,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "AlterTableStmt": _alter,
}
