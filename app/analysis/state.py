"""What holds at one point of the input: the relations so far, the types, the settings, and the transaction that is open."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.analysis.tables import ColumnFacts, ConstraintFacts, IndexFacts, Table, from_catalog
from app.analysis.traffic import KnownTexts
from app.catalog.records import Schema, Statistics
from app.sql.lock_levels import Mode
from app.sql.names import from_range_var
from app.sql.tree import Node


@dataclass(slots=True, kw_only=True)
class Held:
    """A lock that an earlier statement of the open transaction took and still holds."""

    relation: str
    mode: Mode
    #: the statement's number in the input
    statement: int


@dataclass(slots=True, kw_only=True)
class Transaction:
    """The transaction that the next statement runs in."""

    #: where it began, for messages: "BEGIN in line 3", "the whole input"
    began: str
    held: list[Held] = field(default_factory=list)
    #: labels added to enum types that existed before
    new_labels: dict[str, str] = field(default_factory=dict)
    #: names of the relations whose data it changed
    written: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class FunctionFacts:
    """A user's function, as far as a default cares."""

    is_volatile: bool
    #: an SQL function whose body is one constant is inlined, whatever it is declared as
    is_constant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """A domain; ``base_type`` is None where it is not known."""

    base_type: str | None
    is_checked: bool


#: the fields of State that a ROLLBACK takes back
_UNDONE = (
    "search_path",
    "tables",
    "removed",
    "redefined",
    "domains",
    "new_types",
    "new_schemas",
    "functions",
    "settings",
    "_index_homes",
    "_children",
    "_referencing",
)


@dataclass(slots=True, kw_only=True)
class State:
    """The facts before one statement; app/analysis/advance.py changes them after it."""

    schema: Schema | None = None
    statistics: Statistics | None = None
    search_path: list[str] = field(default_factory=lambda: ["public"])
    #: by qualified name; relations of the catalog appear when they are first asked for
    tables: dict[str, Table] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    #: views that the input has given another query
    redefined: set[str] = field(default_factory=set)
    #: something that nobody can see into has run: what the catalog said may no longer hold
    is_uncertain: bool = False
    #: by name as written: domains that the input made or changed
    domains: dict[str, DomainFacts] = field(default_factory=dict)
    #: schemas made by the input
    new_schemas: set[str] = field(default_factory=set)
    #: enum types made by the input
    new_types: set[str] = field(default_factory=set)
    #: bare name of such a type -> its labels
    enum_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    transaction: Transaction | None = None
    #: lower-case name of a setting -> its value as written; SET LOCAL ends with the transaction
    settings: dict[str, str] = field(default_factory=dict)
    local_settings: dict[str, str] = field(default_factory=dict)
    #: by savepoint ("" is the beginning of the transaction): what held there, where a ROLLBACK follows
    saved: dict[str, dict[str, Any]] = field(default_factory=dict)
    _texts: KnownTexts | None = None
    _index_homes: dict[str, str] = field(default_factory=dict)
    _children: dict[str, list[str]] = field(default_factory=dict)
    _referencing: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note where indexes live, and who hangs on whom, once for all statements."""
        if self.schema is None:
            return
        self.search_path = list(self.schema.search_path) or ["public"]
        for relation in self.schema.relations.values():
            for index in relation.indexes:
                self._index_homes[index.name] = relation.name
            for parent in relation.parents:
                self._children.setdefault(parent, []).append(relation.name)
            for constraint in relation.constraints:
                if constraint.references:
                    self._referencing.setdefault(constraint.references, []).append(relation.name)

    def known_texts(self) -> KnownTexts:
        """The statements that the target knows, read once for all statements of the input."""
        if self._texts is None:
            self._texts = KnownTexts(self.statistics.queries if self.statistics else ())
        return self._texts

    def is_in_catalog(self, name: str) -> bool:
        """True where the target has a relation or a sequence of that qualified name."""
        return self.schema is not None and (name in self.schema.relations or name in self.schema.sequences)

    def qualify(self, name: str) -> str:
        """``users`` -> ``public.users``: what the input made, then the target's, then the first schema of the search path."""
        has_dot = "." in name
        if has_dot and (self.schema is None or self.is_in_catalog(name) or name in self.tables):
            return name
        # a name with a dot that the target does not have may be one whose dot is part of it
        for schema in ("pg_temp", *self.search_path):
            candidate = f"{schema}.{name}"
            found = self.tables.get(candidate)
            if found is not None and (found.is_new or found.is_known):
                return candidate
            if candidate not in self.removed and self.is_in_catalog(candidate):
                return candidate
        return name if has_dot else f"{self.creation_schema}.{name}"

    @property
    def creation_schema(self) -> str:
        """Where an unqualified CREATE puts things."""
        return next((schema for schema in self.search_path if schema not in {"$user", "pg_catalog"}), "public")

    def exists(self, name: str) -> bool | None:
        """True or False where it is known whether a relation is there; None without a catalog."""
        qualified = self.qualify(name)
        found = self.tables.get(qualified)
        if found is not None and (found.is_new or found.is_known):
            return True
        if qualified in self.removed:
            return False
        return None if self.schema is None else self.is_in_catalog(qualified)

    def table(self, name: str) -> Table:
        """The relation of that name; an empty record where nothing is known of it."""
        qualified = self.qualify(name)
        found = self.tables.get(qualified)
        if found is None:
            relation = self.schema.relations.get(qualified) if self.schema and qualified not in self.removed else None
            statistics = self.statistics.relations.get(qualified) if self.statistics else None
            if relation is not None:
                found = from_catalog(relation, statistics)
            elif self.schema and qualified in self.schema.sequences and qualified not in self.removed:
                found = Table(name=qualified, kind="sequence", is_known=True)
            else:
                found = Table(name=qualified)
            self.tables[qualified] = found
        return found

    def table_of(self, node: Node) -> Table:
        """The relation of a RangeVar node."""
        return self.table(from_range_var(node))

    def index(self, name: str) -> tuple[Table | None, IndexFacts | None]:
        """An index by its possibly unqualified name, with its table."""
        candidates = [name] if "." in name else [f"{schema}.{name}" for schema in (*self.search_path, "pg_temp")]
        for candidate in candidates:
            home = self._index_homes.get(candidate)
            if home is not None and candidate in self.table(home).indexes:
                table = self.table(home)
                return table, table.indexes[candidate]
        return None, None

    def add_index(self, table: Table, index: IndexFacts) -> None:
        """Note a new index."""
        table.indexes[index.name] = index
        self._index_homes[index.name] = table.name

    def children(self, name: str) -> Iterator[Table]:
        """Partitions and inheriting tables of a relation, all levels down."""
        pending = list(self._children.get(name, ()))
        while pending:
            child = self.table(pending.pop(0))
            if child.name not in self.removed:
                yield child
                pending.extend(self._children.get(child.name, ()))

    def add_child(self, parent: str, child: Table) -> None:
        """Note that a relation is a partition (or heir) of another now."""
        self._children.setdefault(parent, []).append(child.name)
        child.parents = (*child.parents, parent)

    def remove_child(self, parent: str, child: Table) -> None:
        """Note a DETACH."""
        if child.name in self._children.get(parent, ()):
            self._children[parent].remove(child.name)
        child.parents = tuple(name for name in child.parents if name != parent)

    def default_partition(self, parent: str) -> Table | None:
        """The DEFAULT partition of a partitioned table, where it is known to have one."""
        names = self._children.get(parent, ())
        return next((child for child in map(self.table, names) if child.is_default_partition), None)

    def add_reference(self, parent: str, child: str) -> None:
        """Note that a foreign key of ``child`` points to ``parent``."""
        self._referencing.setdefault(parent, []).append(child)

    def typed_tables(self, type_name: str) -> list[Table]:
        """The tables that were made OF a composite type."""
        bare = type_name.rpartition(".")[2]
        relations = self.schema.relations.values() if self.schema else ()
        found = [relation.name for relation in relations if (relation.of_type or "").rpartition(".")[2].strip('"') == bare]
        return [self.table(name) for name in found if name not in self.removed]

    def referencing(self, name: str) -> Iterator[tuple[Table, ConstraintFacts]]:
        """The foreign keys that point to a relation, with the tables that hold them."""
        for child in dict.fromkeys(self._referencing.get(name, ())):
            if child in self.removed:
                continue
            table = self.table(child)
            for constraint in table.constraints.values():
                if constraint.references == name:
                    yield table, constraint

    def is_inherited(self, table: Table, constraint: ConstraintFacts) -> bool:
        """True for a partition's copy of its parent's constraint, which comes and goes with the parent's."""
        return any(
            constraint.name in parent.constraints or _has_same(parent, constraint) for parent in map(self.table, table.parents)
        )

    def column(self, table: Table, name: str) -> ColumnFacts | None:
        """A column of a table, where it is known."""
        return table.columns.get(name)

    def save(self, savepoint: str) -> None:
        """Keep what holds now for a ROLLBACK that follows."""
        self.saved[savepoint] = copy.deepcopy({name: getattr(self, name) for name in _UNDONE})

    def restore(self, savepoint: str) -> None:
        """Go back to what held at a savepoint; nothing happens where it was not kept."""
        for name, value in copy.deepcopy(self.saved.get(savepoint, {})).items():
            setattr(self, name, value)

    def setting(self, name: str) -> str | None:
        """The value of a setting in force, as the input set it."""
        return self.local_settings.get(name, self.settings.get(name))


def _has_same(parent: Table, constraint: ConstraintFacts) -> bool:
    return any(
        fact.references == constraint.references and fact.columns == constraint.columns
        for fact in parent.constraints.values()
        if fact.references
    )
