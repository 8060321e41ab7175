"""Asks the data whether it is whole: rows that point nowhere, constraints that are not validated, broken indexes; read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from app.catalog.ask import ask
from app.verification.data import returns

#: Counting stops here: a person needs to know that there are many, not how many.
_CAP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKeyCheck:
    """One foreign key, asked for rows that point nowhere."""

    relation: str
    name: str
    is_validated: bool
    #: None where the question was not answered
    orphans: int | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """What the data says about itself."""

    foreign_keys: tuple[ForeignKeyCheck, ...] = ()
    #: "public.orders.orders_user_fk"
    unvalidated: tuple[str, ...] = ()
    invalid_indexes: tuple[str, ...] = ()

    @property
    def orphans(self) -> int:
        """Rows that point nowhere, over all foreign keys that answered."""
        return sum(check.orphans or 0 for check in self.foreign_keys)

    @property
    def unanswered(self) -> tuple[ForeignKeyCheck, ...]:
        """Foreign keys of which it is not known."""
        return tuple(check for check in self.foreign_keys if check.orphans is None)


def read_integrity(connection: psycopg.Connection[Any], relations: Sequence[str], *, timeout_ms: int = 30_000) -> Integrity:
    """Every foreign key from or to the relations asked for orphans, each question with its own time limit."""
    keys = ask(connection, "orphan_checks", {"relations": list(relations), "cap": _CAP})
    return Integrity(
        foreign_keys=tuple(_asked(connection, key, timeout_ms) for key in keys),
        unvalidated=tuple(row["name"] for row in ask(connection, "unvalidated", {"relations": list(relations)})),
        invalid_indexes=tuple(
            row["name"]
            for row in ask(connection, "index_figures", {"relations": list(relations)})
            if not row["is_valid"] and not row["is_building"]
        ),
    )


def _asked(connection: psycopg.Connection[Any], key: dict[str, Any], timeout_ms: int) -> ForeignKeyCheck:
    known = {name: key[name] for name in ("relation", "name", "is_validated")}
    if not key["is_readable"]:
        return ForeignKeyCheck(**known, orphans=None, evidence="this role may not read both tables")
    answer = returns(connection, key["question"], 0, timeout_ms=timeout_ms)
    if answer.state == "unknown":
        return ForeignKeyCheck(**known, orphans=None, evidence=answer.evidence)
    found = answer.found if isinstance(answer.found, int) else 0
    count = f"at least {found}" if found == _CAP else str(found)
    return ForeignKeyCheck(**known, orphans=found, evidence=f"{count} rows point nowhere")
