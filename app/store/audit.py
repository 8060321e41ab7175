"""Who did what, when, from where: lines wait in the session and are chained in the last moment before its commit.

The chain needs one writer at a time. Taking that lock last, after every other row lock, is what keeps two actions from waiting
for each other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.tables.audit import AuditLine

FIRST = "0" * 64
#: The advisory lock of the chain, any constant: here the bytes "audit".
LOCK = int.from_bytes(b"audit", "big")
_PENDING = "audit"
_HASHED = ("at", "person_id", "actor", "act", "subject_kind", "subject_id", "project_id", "details", "address", "request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act, before it has a place in the chain."""

    at: datetime
    actor: str
    act: str
    subject_kind: str
    subject_id: int | None
    person_id: int | None = None
    project_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """Whether the log is as it was written."""

    lines: int
    #: the id of the first line that does not follow from the one before; None where the chain holds
    broken_at: int | None
    #: the hash of the newest line: keep it elsewhere to notice a log that was cut off at its end
    head: str


def record(session: Session, entry: Entry) -> None:
    """Note an act; it is written with the commit of this transaction or not at all."""
    transaction = session.get_transaction() or session.begin()
    if session.info.get(_PENDING, (None,))[0] is not transaction:
        session.info[_PENDING] = (transaction, [])
    session.info[_PENDING][1].append(entry)


def chain(session: Session) -> None:
    """Write the acts that were noted, each with the hash of the line before (called by the session itself)."""
    transaction, entries = session.info.get(_PENDING, (None, []))
    if session.in_nested_transaction() or transaction is None or transaction is not session.get_transaction():
        return
    del session.info[_PENDING]
    session.flush()
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    previous = session.scalar(select(AuditLine.hash).order_by(AuditLine.id.desc()).limit(1)) or FIRST
    for entry in entries:
        line = _line(entry, previous)
        session.add(line)
        session.flush()
        previous = line.hash


def hash_of(line: AuditLine, previous: str) -> str:
    """SHA-256 (hex) of the previous hash and the line's own canonical JSON."""
    content = {name: getattr(line, name) for name in _HASHED}
    content["at"] = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def verify(lines: Iterable[AuditLine]) -> ChainState:
    """Whether lines, given from the first one on, still form the chain that was written."""
    previous, count = FIRST, 0
    for line in lines:
        if line.previous_hash != previous or hash_of(line, previous) != line.hash:
            return ChainState(lines=count, broken_at=line.id, head=previous)
        previous, count = line.hash, count + 1
    return ChainState(lines=count, broken_at=None, head=previous)


def verify_all(session: Session) -> ChainState:
    """Whether the whole log is as it was written, read in portions."""
    return verify(session.scalars(select(AuditLine).order_by(AuditLine.id).execution_options(yield_per=1000)))


def newest(
    session: Session, *, project_ids: Iterable[int] | None = None, before_id: int | None = None, limit: int = 100
) -> list[AuditLine]:
    """The newest lines first; of some projects only where they are given, and older than a line for the next page."""
    query = select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)
    if project_ids is not None:
        query = query.where(AuditLine.project_id.in_(list(project_ids)))
    if before_id is not None:
        query = query.where(AuditLine.id < before_id)
    return list(session.scalars(query))


def about(session: Session, subject_kind: str, subject_id: int) -> list[AuditLine]:
    """What was done to one thing, oldest first."""
    return list(
        session.scalars(
            select(AuditLine)
            .where(AuditLine.subject_kind == subject_kind, AuditLine.subject_id == subject_id)
            .order_by(AuditLine.id)
        )
    )


def _line(entry: Entry, previous: str) -> AuditLine:
    line = AuditLine(
        at=entry.at,
        person_id=entry.person_id,
        actor=entry.actor,
        act=entry.act,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        project_id=entry.project_id,
        details=json.loads(json.dumps(dict(entry.details), default=str)),
        address=entry.address,
        request_id=entry.request_id,
        previous_hash=previous,
    )
    line.hash = hash_of(line, previous)
    return line
