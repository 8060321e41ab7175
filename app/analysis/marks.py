"""The sheet on which a footprint is drawn: locks, rewrites, scans and index builds, as they come up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.analysis.state import State
from app.analysis.tables import Table
from app.analysis.users import sources_of
from app.sql.lock_levels import Mode, stronger
from app.sql.tree import Node


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

    def lock_with_children(self, table: Table, mode: Mode) -> None:
        """Note a lock that goes down to every partition and heir."""
        for each in self.with_children(table):
            self.lock(each, mode)

    def lock_sequences(self, table: Table, mode: Mode, *, column: str | None = None) -> None:
        """Note a lock on the sequences that a table's columns (or one of them) own."""
        for fact in table.columns.values():
            if fact.owned_sequence and column in {None, fact.name}:
                self.lock(self.state.table(fact.owned_sequence), mode)

    def read(self, table: Table, mode: Mode = "ACCESS SHARE") -> None:
        """Note a lock of a query: a view passes it on to what it is made of."""
        self.lock(table, mode)
        for source in self.sources(table):
            if source.name not in self.locks:
                self.read(source, mode)

    def sources(self, table: Table) -> list[Table]:
        """What a view is made of; nothing for any other relation."""
        return sources_of(self.state, table) if table.kind == "view" else []

    def with_children(self, table: Table) -> list[Table]:
        """The table, its partitions and its heirs, all levels down."""
        return [table, *self.state.children(table.name)]

    def reached(self, table: Table, node: Node) -> list[Table]:
        """The tables that a statement means by a RangeVar: ONLY leaves partitions and heirs out."""
        return self.with_children(table) if node.get("inh", False) else [table]

    def scan(self, *tables: Table) -> None:
        """Note that every row is read; a partitioned table has none of its own."""
        self.scans += _holders(tables)

    def rewrite(self, *tables: Table) -> None:
        """Note that every row is written anew, which reads it too."""
        self.rewrites += _holders(tables)
        self.scan(*tables)

    def build(self, *tables: Table) -> None:
        """Note that an index is built."""
        self.builds += _holders(tables)
        self.scan(*tables)

    def drop_table(self, table: Table, *, cascades: bool) -> None:
        """Note the locks of dropping a table: its partitions, its parent, both ends of its foreign keys, its sequences."""
        for each in self.with_children(table):
            self.lock(each, "ACCESS EXCLUSIVE")
            self.lock_sequences(each, "ACCESS EXCLUSIVE")
            for constraint in each.constraints.values():
                if constraint.references and not self.state.is_inherited(each, constraint):
                    self.lock_with_children(self.state.table(constraint.references), "ACCESS EXCLUSIVE")
            for child, _ in self.state.referencing(each.name) if cascades else ():
                self.lock_with_children(child, "ACCESS EXCLUSIVE")
            if cascades:
                self.drop_views(each)
        if table.partition_bound:
            for name in table.parents:
                self.lock(self.state.table(name), "ACCESS EXCLUSIVE")
                self.lock_default(name, "ACCESS EXCLUSIVE")

    def lock_default(self, parent: str, mode: Mode) -> None:
        """Note a lock on the DEFAULT partition and what is under it."""
        default = self.state.default_partition(parent)
        if default is not None:
            self.lock_with_children(default, mode)

    def drop_views(self, table: Table, column: str | None = None) -> None:
        """Note the locks of the views that go with a relation or a column, and of the views over those."""
        for kind, name, columns in table.dependents:
            if kind in {"view", "materialized view"} and (column is None or not columns or column in columns):
                view = self.state.table(name)
                if view.name not in self.locks:
                    self.lock(view, "ACCESS EXCLUSIVE")
                    self.drop_views(view)

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


def _holders(tables: Iterable[Table]) -> Iterator[str]:
    return (table.name for table in tables if not table.is_partitioned)
