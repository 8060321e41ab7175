"""What a rule may look at: one statement, what it does, what held before it, and how the input is to be judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.analysis import risk
from app.analysis.advance_tables import added_columns
from app.analysis.duration import ASSUMED, Rates, WorkClass
from app.analysis.footprint import Footprint
from app.analysis.probes.probe import Answer
from app.analysis.rule import Risk
from app.analysis.state import State
from app.analysis.tables import Table
from app.catalog.live import Activity
from app.sql.classify import Effect
from app.sql.names import from_strings
from app.sql.split import Statement
from app.sql.tree import Node, commands

#: how many statements ahead a rule may look
OUTLOOK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the input is to be judged."""

    server_version: int = 18
    assume_large: bool = False
    #: True where Headgate's engine runs the statements: it sets lock_timeout itself
    runs_here: bool = False
    #: the session's TimeZone is UTC, as Headgate's own sessions are
    is_utc: bool = True
    #: how long work takes on this target: learned there, or assumed
    rates: Rates = field(default_factory=lambda: ASSUMED)
    #: how long Headgate's engine waits for a lock; None where somebody else runs the statements
    lock_timeout_ms: float | None = None
    #: who could be in the way on the target now; None where nobody looked
    activity: Activity | None = None
    #: relation -> the publications that send it; empty where nobody looked
    publications: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: physical standbys that replay the target's WAL
    standbys: int = 0
    #: rule id -> the level that the target's policy gives its findings
    severities: Mapping[str, Risk] = field(default_factory=dict)
    #: number of a statement -> what the target's rows said about it
    answers: Mapping[int, tuple[Answer, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One statement in its place."""

    statement: Statement
    effect: Effect
    state: State
    footprint: Footprint
    options: Options = field(default_factory=Options)
    #: the root node's name, ``AlterTableStmt``, and its content
    kind: str
    body: Node
    #: the table that an ALTER TABLE names, where others use it already
    table: Table | None
    #: the next statements of the same input, up to OUTLOOK of them
    later: Sequence[Statement] = ()
    #: names of the constraints that a later statement validates or drops
    settled_later: frozenset[str] = frozenset()
    #: a later statement ends the transaction
    ends_later: bool = False
    #: a DO block that makes SQL as it runs
    is_dynamic: bool = False
    #: what the target's rows said about it
    answers: tuple[Answer, ...] = ()
    #: what the commands of an ALTER TABLE on such a table are
    subtypes: frozenset[str] = frozenset()

    def altered(self) -> Table | None:
        """The table that an ALTER TABLE names, where others use it already; None for every other statement."""
        return self.table

    def commands(self, *subtypes: str) -> Iterator[tuple[Table, Node]]:
        """The commands of these subtypes of an ALTER TABLE on a table that others use, with that table."""
        if self.table is not None and not self.subtypes.isdisjoint(subtypes):
            for command in commands(self.body):
                if command.get("subtype") in subtypes:
                    yield self.table, command

    def added_columns(self) -> Iterator[tuple[Table, Node, list[Node]]]:
        """Each column that is added to a table that others use: table, ColumnDef, its Constraint nodes."""
        if self.table is not None and "AT_AddColumn" in self.subtypes:
            for definition, constraints in added_columns(self.table, self.body):
                yield self.table, definition, constraints

    def level(self, table: Table, work: WorkClass, blocked: risk.Blocked = "reads and writes") -> Risk:
        """The level of some work on a table and all its partitions: the worst of them."""
        tables = [table, *self.state.children(table.name)] if table.is_partitioned else [table]
        options = self.options
        levels = (risk.level(each, work, blocked, assume_large=options.assume_large, rates=options.rates) for each in tables)
        return max(levels, key=("low", "medium", "unknown", "high").index)

    def size(self, table: Table, work: WorkClass | None = None) -> str:
        """The table's size in words, with what the work takes."""
        return risk.size_in_words(table, work, rates=self.options.rates)

    def is_small(self, table: Table) -> bool:
        """True where the table is known to be small and nobody asked to take it as large."""
        return risk.is_free(table) or (not self.options.assume_large and risk.size_word(table) == "small")

    def dropped(self, *kinds: str) -> Iterator[tuple[str, str]]:
        """Kind and name of each object that a DROP names, of these kinds."""
        if self.kind == "DropStmt" and self.body.get("removeType") in kinds:
            for entry in self.body.get("objects", ()):
                names = entry.get("List", {}).get("items", [entry])
                if "TypeName" in entry or "ObjectWithArgs" in entry:
                    body = entry.get("TypeName") or entry.get("ObjectWithArgs")
                    names = body.get("names") or body.get("objname") or ()
                yield str(self.body["removeType"]), from_strings(names)

    def is_in_transaction(self) -> bool:
        """True where an earlier BEGIN, or the whole input, holds the statement in a transaction."""
        return self.state.transaction is not None


def altered_table(state: State, kind: str, body: Node) -> Table | None:
    """The table that an ALTER TABLE names; None where the input made it, and for every other statement."""
    if kind != "AlterTableStmt" or body.get("objtype") not in {None, "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}:
        return None
    table = state.table_of(body["relation"])
    return None if table.is_new else table
