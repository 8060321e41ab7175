"""The sheet on which a footprint is drawn: locks, rewrites, scans and index builds, as they come up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.analysis.state import State
from app.analysis.tables import Table
from app.errors import HeadgateError
from app.sql.lock_levels import Mode, stronger
from app.sql.relations import references


@dataclass(slots=True, kw_only=True)
class Marks:
    """What has been found so far; relations by their qualified names."""

    state: State
    server_version: int = 18
    is_utc: bool = True
    locks: dict[str, Mode] = field(default_factory=dict)
    rewrites: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    #: what is blocked, where it is more than the mode on the table says
    blocked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def lock(self, table: Table, mode: Mode) -> None:
        """Note a lock; the strongest on a relation counts."""
        self.locks[table.name] = stronger(self.locks.get(table.name, mode), mode)

    def lock_with_partitions(self, table: Table, mode: Mode) -> None:
        """Note a lock that goes down to every partition."""
        self.lock(table, mode)
        for child in self.state.children(table.name):
            self.lock(child, mode)

    def leaves(self, table: Table) -> Iterator[Table]:
        """The tables that hold rows: the table itself, or its partitions."""
        children = [child for child in self.state.children(table.name) if not child.is_partitioned]
        if table.is_partitioned:
            yield from children
        else:
            yield table
            yield from children

    def scan(self, table: Table) -> None:
        """Note that every row is read."""
        self.scans += [leaf.name for leaf in self.leaves(table)]

    def rewrite(self, table: Table) -> None:
        """Note that every row is written anew, which reads it too."""
        names = [leaf.name for leaf in self.leaves(table)]
        self.rewrites += names
        self.scans += names

    def build(self, table: Table) -> None:
        """Note that an index is built."""
        names = [leaf.name for leaf in self.leaves(table)]
        self.builds += names
        self.scans += names

    def drop_table(self, table: Table, *, cascades: bool) -> None:
        """Note the locks of dropping a table: its own, its partitions', its parents' and both ends of its foreign keys."""
        self.lock_with_partitions(table, "ACCESS EXCLUSIVE")
        for name in table.parents:
            self.lock(self.state.table(name), "ACCESS EXCLUSIVE")
        for constraint in table.constraints.values():
            if constraint.references:
                self.lock(self.state.table(constraint.references), "ACCESS EXCLUSIVE")
        if cascades:
            for child, _ in self.state.referencing(table.name):
                self.lock(child, "ACCESS EXCLUSIVE")
            for kind, name, _ in table.dependents:
                if kind in {"view", "materialized view"}:
                    self.lock(self.state.table(name), "ACCESS EXCLUSIVE")

    def referencing_closure(self, table: Table) -> list[Table]:
        """Every table that CASCADE reaches through foreign keys."""
        found: dict[str, Table] = {}
        pending = [table]
        while pending:
            for child, _ in self.state.referencing(pending.pop().name):
                if child.name not in found and child.name != table.name:
                    found[child.name] = child
                    pending.append(child)
        return list(found.values())

    def domain_users(self, parts: Iterable[str]) -> list[Table]:
        """The tables with a column of a domain."""
        name = ".".join(parts)
        bare = name.rpartition(".")[2]
        users = {table.name: table for table in self.state.tables.values() if self._has_type(table, bare)}
        for domain in self.state.schema.domains.values() if self.state.schema else ():
            if domain.name.rpartition(".")[2] == bare:
                users.update((used, self.state.table(used)) for used in domain.used_by)
        return list(users.values())

    def users_of(self, name: str, kind: str) -> list[Table]:
        """The tables with a column of a type, or a trigger that runs a function."""
        relations = self.state.schema.relations if self.state.schema else {}
        tables = [self.state.table(relation) for relation in relations if relation not in self.state.removed]
        if kind == "OBJECT_FUNCTION":
            return [table for table in tables if any(f"{name}(" in definition for definition in table.triggers.values())]
        return [table for table in tables if table.kind.endswith("table") and self._has_type(table, name)]

    def sources_of(self, view: Table) -> list[Table]:
        """The relations that a view of the catalog reads."""
        relation = self.state.schema.relations.get(view.name) if self.state.schema else None
        if relation is None or not relation.view_definition:
            return []
        try:
            return [self.state.table(name) for name in sorted(references(relation.view_definition))]
        except HeadgateError:
            return []

    @staticmethod
    def _has_type(table: Table, bare: str) -> bool:
        return any((column.type or "").rpartition(".")[2] == bare for column in table.columns.values())
