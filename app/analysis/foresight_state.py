"""What is foreseen so far of a schema: its relations, who inherits, where indexes are, and what is not certain any more."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from app.analysis.foresight_parts import Doubt
from app.catalog.records import Relation, Schema
from app.sql.inverse.known import Known
from app.sql.relations import in_order
from app.sql.split import Statement
from app.sql.tree import Node


@dataclass(slots=True)
class Foresight:
    """What is foreseen after the statements so far."""

    schema: Schema
    #: relation -> why it is not certain what it will be like; "" for all of them
    doubts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _parents: set[str] = field(default_factory=set)
    #: index -> the relation that it is on
    _homes: dict[str, str] = field(default_factory=dict)
    _relations: dict[str, Relation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the schema once, so that its relations can change in place, and note who inherits and where indexes are."""
        self._relations = dict(self.schema.relations)
        self.schema = replace(self.schema, relations=self._relations)
        self._parents = {parent for relation in self._relations.values() for parent in relation.parents}
        self._homes = {index.name: name for name, relation in self._relations.items() for index in relation.indexes}

    def key(self, name: Node) -> str:
        """The qualified name of a RangeVar."""
        return Known(schema=self.schema).key(name)

    def put(self, relation: Relation) -> None:
        """Keep the relation as it is now."""
        self._relations[relation.name] = relation
        self._homes.update((index.name, relation.name) for index in relation.indexes)

    def drop(self, name: str) -> None:
        """Forget the relation and its partitions."""
        for child in [child for child in self.schema.relations.values() if name in child.parents and child.partition_bound]:
            self.drop(child.name)
        self._relations.pop(name, None)

    def home_of(self, index: str) -> Relation | None:
        """The relation that has an index of that qualified name."""
        relation = self._relations.get(self._homes.get(index, ""))
        return relation if relation is not None and any(each.name == index for each in relation.indexes) else None

    def has_heirs(self, name: str) -> bool:
        """True where partitions or other tables inherit from the relation."""
        return name in self._parents

    def existing(self, name: str) -> Relation:
        """The relation of that name.

        Raises Doubt where there is none.
        """
        found = self.schema.relations.get(name)
        if found is None:
            raise Doubt("names a relation that the catalog does not have")
        return found

    def plain(self, name: str) -> Relation:
        """The table of that name.

        Raises Doubt where there is none, or where partitions follow it.
        """
        found = self.existing(name)
        if found.kind not in {"table", "materialized view"}:
            raise Doubt("changes something other than a plain table")
        return found

    def doubt(self, name: str, why: str) -> None:
        """Let nothing be certain about the relation and all that inherit from it."""
        self.doubts[name].add(why)
        for child in self.schema.relations.values():
            follows = name in child.parents or (child.of_type is not None and child.of_type == name)
            if follows and why not in self.doubts[child.name]:
                self.doubt(child.name, why)

    def doubt_named(self, statement: Statement, why: str) -> None:
        """Let nothing be certain about what the statement names."""
        reason = f"statement {statement.index} {why}"
        names = [_range_var(name) for name in in_order(statement.node)]
        for name in map(self.key, names):
            home = self.home_of(name)
            self.doubt(home.name if home is not None else name, reason)
        if not names or statement.kind in {"RenameStmt", "AlterObjectSchemaStmt"}:
            # views and functions follow, and what it is called from now on is not followed
            self.doubts[""].add(reason)


def _range_var(name: str) -> Node:
    schema, _, relation = name.rpartition(".")
    return {"schemaname": schema, "relname": relation} if schema else {"relname": relation}
