"""People, their roles in projects, how they are signed in, and the tokens of their scripts."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.review.roles import Role
from app.store.base import Base, Numbered, Word, moment, one_of


class Person(Numbered, Base):
    """A local account."""

    __tablename__ = "people"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_is_lower_case"),)

    #: lower case
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    #: Argon2; None for a person who was invited and has not set a password yet
    password_hash: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    #: holds every right in every project
    is_admin: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = moment()


class Membership(Base):
    """The role of a person in a project."""

    __tablename__ = "memberships"
    __table_args__ = (one_of("role", Role), Index(None, "project_id"))

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(Word(Role))


class SignIn(Numbered, Base):
    """A sign-in session: the browser holds the token, we hold its SHA-256."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "person_id"),)

    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = moment()
    last_seen_at: Mapped[datetime] = moment()
    #: the absolute end; the idle end is a setting
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(server_default="")
    user_agent: Mapped[str] = mapped_column(server_default="")


class ApiToken(Numbered, Base):
    """A token with which a script acts for a person; agents may get a narrower set of rights."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "person_id"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str]
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    #: names of permissions; empty means everything that the person may do
    scopes: Mapped[list[Any]] = mapped_column(server_default="[]")
    created_at: Mapped[datetime] = moment()
    last_used_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
