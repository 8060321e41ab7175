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
    canonical = json.dumps(_content(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def verify(lines: Iterable[AuditLine]) -> ChainState:
    """Whether lines, given from the first one on, still form the chain that was written."""
    previous, count = FIRST, 0
    for line in lines:
        if line.previous_hash != previous or hash_of(line, previous) != line.hash:
            return ChainState(lines=count, broken_at=line.id, head=previous)
        previous, count = line.hash, count + 1
    return ChainState(lines=count, broken_at=None, head=previous)


def all_lines(session: Session) -> Iterable[AuditLine]:
    """The whole log from its first line on, read in portions."""
    return session.scalars(select(AuditLine).order_by(AuditLine.id).execution_options(yield_per=1000))


def verify_all(session: Session) -> ChainState:
    """Whether the whole log is as it was written."""
    return verify(all_lines(session))


def as_json(line: AuditLine) -> dict[str, Any]:
    """A line as JSON values: everything that its hash is made of, and the hashes."""
    return {"id": line.id, **_content(line), "previous_hash": line.previous_hash, "hash": line.hash}


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


def _content(line: AuditLine) -> dict[str, Any]:
    content = {name: getattr(line, name) for name in _HASHED}
    content["at"] = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    return content
