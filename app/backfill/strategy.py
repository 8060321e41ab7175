"""Which walk fits this change and this table, with the reasons a reviewer reads: page windows or keyset, passes, or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.backfill.change import Copy
from app.backfill.convergence import Convergence
from app.backfill.definition import BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keys import Key, choose_key
from app.backfill.refusals import EVENTS, refuse_own_key
from app.backfill.table import Table

#: Interleaved passes over a window: measured best where the update can be HOT (0.61x WAL, 0.19x heap growth of one UPDATE).
HOT_PASSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How one table with storage is walked."""

    relation: str
    #: by which it is found again under another name; 0 for jobs that an older version began
    oid: int = 0
    kind: Literal["windows", "keyset"]
    passes: int
    key: Key | None
    #: True where the condition is false for a row once it is updated, so that a sweep may look for what is left
    convergent: bool
    reasons: tuple[str, ...]
    #: what a reviewer should know before saying yes
    warnings: tuple[str, ...] = ()
    copy: Copy | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values, kept with the job so that every attempt walks the same way."""
        return {
            "relation": self.relation,
            "oid": self.oid,
            "kind": self.kind,
            "passes": self.passes,
            "key": None if self.key is None else self.key.as_json(),
            "convergent": self.convergent,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "copy": None if self.copy is None else self.copy.as_json(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Strategy":
        """The strategy that ``as_json`` wrote."""
        key, copy = content["key"], content.get("copy")
        return cls(
            relation=content["relation"],
            oid=content.get("oid", 0),
            kind=content["kind"],
            passes=content["passes"],
            key=None if key is None else Key.from_json(key),
            convergent=content["convergent"],
            reasons=tuple(content["reasons"]),
            warnings=tuple(content["warnings"]),
            copy=None if copy is None else Copy.from_json(copy),
        )


def choose_strategy(
    definition: BackfillDefinition,
    table: Table,
    convergence: Convergence,
    volatile: Mapping[str, frozenset[str]],
    copy: Copy | None = None,
) -> Strategy:
    """The walk of one table with storage; ``volatile`` has the volatile functions under ``set`` and ``where``.

    Raises BackfillRefusedError.
    """
    if volatile["where"]:
        raise BackfillRefusedError(
            f"The condition calls {_call(volatile['where'])}, which gives another answer each time: no end could be proven.",
            hint="Decide first which rows are meant, in a column or a table of their own, and ask for that.",
        )
    key = choose_key(table, definition.key)
    refuse_own_key(definition, table, key.names if key else ())
    obstacles = _against_windows(definition, table, convergence, volatile["set"], has_key=key is not None)
    if definition.strategy == "windows" and obstacles:
        raise BackfillRefusedError(f"Page windows do not fit {table.qualified}: {'; '.join(obstacles)}.")
    is_keyset = definition.strategy == "keyset" or bool(obstacles)
    passes, reasons = (1, _keyset_reasons(table, key, obstacles)) if is_keyset else _window_passes(definition, table, convergence)
    return Strategy(
        relation=table.qualified,
        oid=table.oid,
        kind="keyset" if is_keyset else "windows",
        passes=passes,
        key=key,
        convergent=bool(convergence.ends) or not is_keyset,
        reasons=reasons,
        warnings=_warnings(definition, table, volatile["set"], key if is_keyset else None),
        copy=copy,
    )


def _against_windows(
    definition: BackfillDefinition, table: Table, convergence: Convergence, volatile: frozenset[str], *, has_key: bool
) -> list[str]:
    if definition.action == "copy":
        return ["a copied row stays where it was, so that only its key tells that it was done"]
    obstacles = []
    if table.method != "heap":
        obstacles.append(f"{table.qualified} is stored by the access method {table.method or 'none'}, not heap")
    if convergence.ends is False:
        obstacles.append(f"the update does not end its own condition ({convergence.because})")
    elif convergence.ends is None and has_key:
        obstacles.append(f"it is not certain that the update ends its own condition ({convergence.because})")
    if volatile and not (convergence.ends and "never NULL" in convergence.because):
        obstacles.append(f"{_call(volatile)} gives another value each time, so a row must be computed exactly once")
    return obstacles


def _keyset_reasons(table: Table, key: Key | None, obstacles: list[str]) -> tuple[str, ...]:
    if key is None:
        because = f" ({'; '.join(obstacles)})" if obstacles else ""
        raise BackfillRefusedError(
            f"{table.qualified} has no unique key on NOT NULL columns, and page windows do not fit{because}.",
            hint="Add a primary key, or write a condition that the update itself makes false, such as `role IS NULL`.",
        )
    return (f"keyset along {key.index} ({', '.join(key.names)}): every row exactly once", *obstacles)


def _window_passes(definition: BackfillDefinition, table: Table, convergence: Convergence) -> tuple[int, tuple[str, ...]]:
    """How often each window is visited, and why."""
    because = f"page windows: {convergence.because}"
    if definition.action == "delete":
        return 1, (because, "one pass in the order of the table's pages")
    assigned = set(definition.expressions.assigned)
    blocking = sorted(index.name for index in table.indexes if not index.is_summary and index.depends_on & assigned)
    if blocking:
        names = ", ".join(blocking)
        return 1, (because, f"one pass, since {names} holds a column that is set (build such an index after the backfill)")
    space = f"{HOT_PASSES} interleaved passes, so that PostgreSQL reuses the space of old row versions on the same page"
    return HOT_PASSES, (because, space)


def _warnings(definition: BackfillDefinition, table: Table, volatile: frozenset[str], key: Key | None) -> tuple[str, ...]:
    warnings = []
    if key is not None and definition.action != "copy" and key.columns[0].type == "uuid":
        warnings.append("the key is random: batches touch pages all over the table and write more WAL")
    triggers = [trigger.name for trigger in table.triggers_on(EVENTS[definition.action])] if definition.action != "copy" else []
    if triggers:
        warnings.append(f"triggers fire for every row: {', '.join(triggers)}")
    if table.full_identity and definition.action != "copy":
        warnings.append("REPLICA IDENTITY FULL: every changed row goes to subscribers with all its old values")
    if volatile:
        warnings.append(f"{_call(volatile)} gives another value each time; each row gets its own")
    stored = [column.name for column in table.columns if column.generated == "s"]
    if stored and definition.action == "update":
        warnings.append(f"stored generated columns are computed again: {', '.join(stored)}")
    return tuple(warnings)


def _call(names: frozenset[str]) -> str:
    return ", ".join(f"{name}()" for name in sorted(names))
