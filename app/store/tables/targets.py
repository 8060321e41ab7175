"""Projects, their environments in promotion order, the target databases, and what was seen of their schema."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, Numbered, moment


class Project(Numbered, Base):
    """An application whose databases are migrated together."""

    __tablename__ = "projects"

    name: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = moment()


class Environment(Numbered, Base):
    """A stage of the promotion: development, staging, production."""

    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("project_id", "name"), UniqueConstraint("project_id", "position"))

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    #: from 1, in the order of the promotion
    position: Mapped[int]
    #: a word that the stylesheet knows: "red" for production
    color: Mapped[str]
    is_production: Mapped[bool] = mapped_column(server_default="false")
    #: review.policy.EnvironmentPolicy
    policy: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = moment()


class Target(Numbered, Base):
    """A database that plans run on."""

    __tablename__ = "targets"
    __table_args__ = (UniqueConstraint("project_id", "name"), Index(None, "environment_id"))

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("environments.id"))
    name: Mapped[str]
    #: the connection string, sealed for this row alone (target.secrets)
    sealed_dsn: Mapped[str]
    #: "localhost:5432/shop as app"
    dsn_summary: Mapped[str]
    server_version: Mapped[str | None]
    #: catalog.capabilities as JSON, as of the last test
    capabilities: Mapped[dict[str, Any] | None]
    last_checked_at: Mapped[datetime | None]
    #: the error object of the contract, None after a good test
    last_error: Mapped[dict[str, Any] | None]
    schema_fingerprint: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    #: a retired target takes no more runs and is shown in the history only
    retired_at: Mapped[datetime | None]


class SchemaSnapshot(Numbered, Base):
    """A target's schema and statistics at one moment."""

    __tablename__ = "schema_snapshots"
    __table_args__ = (Index(None, "target_id", "taken_at"),)

    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    taken_at: Mapped[datetime] = moment()
    fingerprint: Mapped[str]
    #: catalog.records.Schema and Statistics as JSON
    content: Mapped[dict[str, Any]]
    statistics: Mapped[dict[str, Any] | None]
