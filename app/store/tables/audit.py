"""The audit log: append only (a trigger refuses changes), each line holding the hash of the one before."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered


class AuditLine(Numbered, Base):
    """One act of a person, or of Headgate itself."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "project_id", "id"), Index(None, "subject_kind", "subject_id", "id"))

    at: Mapped[datetime]
    #: None where nobody was signed in, or Headgate acted
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: the name as it was then
    actor: Mapped[str]
    #: the verb: "approve_plan"
    act: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int | None]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"))
    details: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="")
    #: 64 zeros in the first line
    previous_hash: Mapped[str] = mapped_column(unique=True)
    #: SHA-256 (hex) of the previous hash and this line's canonical JSON (store.audit)
    hash: Mapped[str] = mapped_column(unique=True)
