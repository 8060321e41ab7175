"""Which walk fits this update and this table, with the reasons a reviewer reads: page windows or keyset, passes, or a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.backfill.convergence import Convergence
from app.backfill.definition import BackfillDefinition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keys import Key, choose_key
from app.backfill.table import Table

#: Interleaved passes over a window: measured best where the update can be HOT (0.61x WAL, 0.19x heap growth of one UPDATE).
HOT_PASSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How one table with storage is walked."""

    relation: str
    kind: Literal["windows", "keyset"]
    passes: int
    key: Key | None
    #: True where the condition is false for a row once it is updated, so that a sweep may look for what is left
    convergent: bool
    reasons: tuple[str, ...]
    #: what a reviewer should know before saying yes
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON values, kept with the job so that every attempt walks the same way."""
        return {
            "relation": self.relation,
            "kind": self.kind,
            "passes": self.passes,
            "key": None if self.key is None else self.key.as_json(),
            "convergent": self.convergent,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Strategy":
        """The strategy that ``as_json`` wrote."""
        key = content["key"]
        return cls(
            relation=content["relation"],
            kind=content["kind"],
            passes=content["passes"],
            key=None if key is None else Key.from_json(key),
            convergent=content["convergent"],
            reasons=tuple(content["reasons"]),
            warnings=tuple(content["warnings"]),
        )


def refuse_impossible(definition: BackfillDefinition, root: Table, leaves: Sequence[Table] = ()) -> None:
    """Refuse what no walk can do.

    Raises BackfillRefusedError with the reason and the way out.
    """
    name = root.qualified
    if root.kind not in {"table", "partitioned table"}:
        raise BackfillRefusedError(
            f"{name} is a {root.kind}; a backfill changes tables.", hint="Name the table that holds the rows."
        )
    if root.schema in {"pg_catalog", "information_schema"}:
        raise BackfillRefusedError(f"{name} belongs to PostgreSQL itself.")
    if root.hides_rows:
        raise BackfillRefusedError(
            f"Row-level security hides rows of {name} from this role: they would silently be left out.",
            hint="Connect as the table's owner or as a role with BYPASSRLS.",
        )
    if root.update_rules:
        raise BackfillRefusedError(
            f"{name} has a rule on UPDATE ({', '.join(root.update_rules)}), which rewrites the batches.",
            hint="Drop the rule for the backfill, or replace it by a trigger.",
        )
    for leaf in leaves:
        if leaf.kind != "table":
            raise BackfillRefusedError(
                f"{leaf.qualified}, a part of the table, is a {leaf.kind}; a backfill changes tables.",
                hint="Name the other partitions one by one.",
            )
    _refuse_columns(definition, root)


def _refuse_columns(definition: BackfillDefinition, root: Table) -> None:
    for name in definition.expressions.assigned:
        column = root.column(name)
        if column is None:
            raise BackfillRefusedError(f"{root.qualified} has no column {name}.", sqlstate="42703")
        if column.generated:
            raise BackfillRefusedError(f"{name} is a generated column; PostgreSQL computes it itself.")
        if column.identity == "a":
            raise BackfillRefusedError(f"{name} is GENERATED ALWAYS AS IDENTITY and can't be set.")
    moved = sorted(root.partition_columns & set(definition.expressions.assigned))
    if moved:
        raise BackfillRefusedError(
            f"Setting {', '.join(moved)} would move rows to other partitions while they are walked.",
            hint="Copy the rows into a new table instead.",
        )


def choose_strategy(
    definition: BackfillDefinition, table: Table, convergence: Convergence, volatile: Mapping[str, frozenset[str]]
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
    _refuse_own_key(definition, table, key)
    obstacles = _against_windows(table, convergence, volatile["set"], has_key=key is not None)
    wanted = definition.strategy
    if wanted == "windows" and obstacles:
        raise BackfillRefusedError(f"Page windows do not fit {table.qualified}: {'; '.join(obstacles)}.")
    if wanted == "keyset" or obstacles:
        return _keyset(table, key, convergence, obstacles, _warnings(table, volatile["set"]))
    return _windows(definition, table, key, convergence, _warnings(table, volatile["set"]))


def _refuse_own_key(definition: BackfillDefinition, table: Table, key: Key | None) -> None:
    primary = next((index.key_columns for index in table.indexes if index.is_primary), ())
    own = {*(key.names if key else ()), *primary} & set(definition.expressions.assigned)
    if own:
        raise BackfillRefusedError(
            f"The SET list changes {', '.join(sorted(own))}, which is part of the key of {table.qualified}: "
            "a row would move under the walk and be missed or done twice.",
            hint="Fill a new column and swap the two in a later step.",
        )


def _against_windows(table: Table, convergence: Convergence, volatile: frozenset[str], *, has_key: bool) -> list[str]:
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


def _keyset(table: Table, key: Key | None, convergence: Convergence, obstacles: list[str], warnings: tuple[str, ...]) -> Strategy:
    if key is None:
        because = f" ({'; '.join(obstacles)})" if obstacles else ""
        raise BackfillRefusedError(
            f"{table.qualified} has no unique key on NOT NULL columns, and page windows do not fit{because}.",
            hint="Add a primary key, or write a condition that the update itself makes false, such as `role IS NULL`.",
        )
    reasons = (f"keyset along {key.index} ({', '.join(key.names)}): every row exactly once", *obstacles)
    if any(column.type == "uuid" for column in key.columns[:1]):
        warnings = (*warnings, "the key is random: batches touch pages all over the table and write more WAL")
    return Strategy(
        relation=table.qualified,
        kind="keyset",
        passes=1,
        key=key,
        convergent=bool(convergence.ends),
        reasons=reasons,
        warnings=warnings,
    )


def _windows(
    definition: BackfillDefinition, table: Table, key: Key | None, convergence: Convergence, warnings: tuple[str, ...]
) -> Strategy:
    assigned = set(definition.expressions.assigned)
    blocking = sorted(index.name for index in table.indexes if not index.is_summary and index.depends_on & assigned)
    passes = 1 if blocking else HOT_PASSES
    space = (
        f"one pass, since {', '.join(blocking)} holds a column that is set (build such an index after the backfill)"
        if blocking
        else f"{passes} interleaved passes, so that PostgreSQL reuses the space of old row versions on the same page"
    )
    return Strategy(
        relation=table.qualified,
        kind="windows",
        passes=passes,
        key=key,
        convergent=True,
        reasons=(f"page windows: {convergence.because}", space),
        warnings=warnings,
    )


def _warnings(table: Table, volatile: frozenset[str]) -> tuple[str, ...]:
    warnings = []
    if table.triggers:
        warnings.append(f"triggers fire for every row: {', '.join(table.triggers)}")
    if table.full_identity:
        warnings.append("REPLICA IDENTITY FULL: every changed row goes to subscribers with all its old values")
    if volatile:
        warnings.append(f"{_call(volatile)} gives another value each time; each row gets its own")
    stored = [column.name for column in table.columns if column.generated == "s"]
    if stored:
        warnings.append(f"stored generated columns are computed again: {', '.join(stored)}")
    return tuple(warnings)


def _call(names: frozenset[str]) -> str:
    return ", ".join(f"{name}()" for name in sorted(names))
