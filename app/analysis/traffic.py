"""Who uses a relation, and how often: the known statements that name it, its views or its partitioned parent."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.analysis.duration import in_words
from app.catalog.records import QueryStatistics, RelationStatistics, Schema, Statistics
from app.sql.identity import Identity, identify, is_about_data, is_our_own

_WORD = re.compile(r"[^\W\d][\w$]*")
_DAY_SECONDS = 86_400
_VIEWS = frozenset({"view", "materialized view"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownQuery:
    """A statement of pg_stat_statements with what its text says."""

    query: QueryStatistics
    identity: Identity
    #: of its relations, the qualified names of those whose rows it changes
    writes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRate:
    """How often a relation is read and written, in statements a second."""

    reads: float
    writes: float
    #: known statements behind it; 0 where the table's own counters are
    queries: int
    #: how it was counted, for people
    source: str

    def blocked_by(self, blocks: Collection[str]) -> float:
        """Statements a second that wait while reads, writes or both are blocked."""
        return (self.reads if "reads" in blocks else 0.0) + (self.writes if "writes" in blocks else 0.0)


class KnownTexts:
    """The texts of known statements by their words; a text is parsed once, when a relation that it may name is asked for."""

    def __init__(self, queries: Sequence[QueryStatistics]) -> None:
        """``queries``: of pg_stat_statements, some thousands."""
        self._queries = queries
        self._by_word: dict[str, list[int]] = {}
        self._identities: dict[int, Identity] = {}
        for number, query in enumerate(queries):
            for word in set(_WORD.findall(query.query.lower())):
                self._by_word.setdefault(word, []).append(number)

    def naming(self, relations: Iterable[str]) -> Iterator[tuple[QueryStatistics, Identity]]:
        """Statements on data, not Headgate's own, whose text holds the bare name of a relation; in their order."""
        bare = {name.rpartition(".")[2].lower() for name in relations}
        for number in sorted({number for name in bare for number in self._by_word.get(name, ())}):
            query = self._queries[number]
            if number not in self._identities:
                self._identities[number] = identify(query.query)
            identity = self._identities[number]
            if is_about_data(identity) and not is_our_own(query.query, identity):
                yield query, identity


class Traffic:
    """What is known about the use of some relations."""

    def __init__(
        self,
        relations: Iterable[str],
        *,
        schema: Schema | None,
        statistics: Statistics | None,
        texts: KnownTexts | None = None,
    ) -> None:
        """``relations``: qualified names of everything that will be asked for. ``texts``: of the same statistics, read before."""
        self._schema = schema
        self._statistics = statistics or Statistics()
        self._aliases = {name: frozenset(self._names_of(name)) for name in relations}
        self._by_name: dict[str, list[KnownQuery]] = {}
        wanted = frozenset().union(*self._aliases.values()) if self._aliases else frozenset()
        for query, identity in (texts or KnownTexts(self._statistics.queries)).naming(wanted):
            known = KnownQuery(query=query, identity=identity, writes=self._resolved(identity.writes))
            for name in self._resolved(identity.relations) & wanted:
                self._by_name.setdefault(name, []).append(known)

    def queries(self, relation: str) -> list[KnownQuery]:
        """The known statements that touch a relation, the most frequent first."""
        found = {id(known): known for name in self._aliases.get(relation, ()) for known in self._by_name.get(name, ())}
        return sorted(found.values(), key=lambda known: (known.query.calls_per_second or 0.0, known.query.calls), reverse=True)

    def of(self, relation: str) -> CallRate | None:
        """The relation's call rate; None where nothing has counted it."""
        known = [found for found in self.queries(relation) if found.query.calls_per_second is not None]
        if self._statistics.has_statements and self._statistics.counted_seconds is not None:
            return self._from_statements(relation, known)
        return _from_counters(self._statistics.relations.get(relation), self._window())

    def _from_statements(self, relation: str, known: list[KnownQuery]) -> CallRate:
        names = self._aliases.get(relation, frozenset())
        reads = writes = 0.0
        for found in known:
            rate = found.query.calls_per_second or 0.0
            reads, writes = (reads, writes + rate) if found.writes & names else (reads + rate, writes)
        return CallRate(reads=reads, writes=writes, queries=len(known), source=f"{_counted(len(known))}, {self._window()}")

    def _window(self) -> str:
        seconds = self._statistics.counted_seconds or 0.0
        span = f"{seconds / _DAY_SECONDS:.0f} days" if seconds >= 2 * _DAY_SECONDS else in_words(seconds * 1000)
        return f"over the last {span}" if self._statistics.is_since_last_look else f"averaged over {span}"

    def _names_of(self, relation: str) -> Iterator[str]:
        """The relation, the views above it, and the partitioned tables that it belongs to."""
        pending, seen = [relation], {relation}
        while pending:
            name = pending.pop()
            yield name
            found = self._schema.relations.get(name) if self._schema else None
            if found is None:
                continue
            above = [dependent.name for dependent in found.dependents if dependent.kind in _VIEWS]
            above += found.parents
            pending += [other for other in above if other not in seen]
            seen.update(above)

    def _resolved(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self._resolve(name) for name in names)

    def _resolve(self, name: str) -> str:
        found = self._schema.resolve(name) if self._schema else None
        return found or (name if "." in name else f"public.{name}")


def _counted(statements: int) -> str:
    return "1 known statement" if statements == 1 else f"{statements} known statements"


def _from_counters(facts: RelationStatistics | None, window: str) -> CallRate | None:
    if facts is None or facts.reads_per_second is None or facts.writes_per_second is None:
        return None
    source = f"scans and changed rows of the table, {window}"
    return CallRate(reads=facts.reads_per_second, writes=facts.writes_per_second, queries=0, source=source)
