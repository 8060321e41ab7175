"""What every action is handed: a transaction, the person who acts, the time, and a list of bells to ring after the commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.actions.permissions import MINIMUM_ROLE, Permission, allows
from app.clock import Clock
from app.errors import NotAllowedError, NotFoundError
from app.review.roles import Role
from app.settings import Settings
from app.store import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A bell to ring after the commit; the row is the truth, so a lost one costs seconds."""

    #: advance a run, do a job, or look at the monitoring of a run
    task: Literal["advance", "job", "monitor"]
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, with the rights of this moment."""

    #: 0 where nobody is signed in, or Headgate itself acts
    person_id: int
    name: str
    #: holds every right in every project
    is_admin: bool = False
    #: by project
    roles: Mapping[int, Role] = field(default_factory=dict)
    address: str = ""
    request_id: str = ""
    sign_in_id: int | None = None
    #: the rights an API token is limited to; None means all of the person's
    scopes: frozenset[Permission] | None = None

    def role_in(self, project_id: int) -> Role | None:
        """The role in a project; an administrator has the highest everywhere."""
        return Role.ADMIN if self.is_admin else self.roles.get(project_id)

    def may(self, project_id: int, permission: Permission) -> bool:
        """True where the actor holds the right in the project."""
        role = self.role_in(project_id)
        return role is not None and allows(role, permission) and self._in_scope(permission)

    def _in_scope(self, permission: Permission) -> bool:
        return self.scopes is None or permission in self.scopes or permission is Permission.VIEW

    def require(self, project_id: int, permission: Permission) -> None:
        """Go on only with the right.

        Raises NotFoundError for a project of others (so that nothing is given away), else NotAllowedError.
        """
        if self.may(project_id, permission):
            return
        role = self.role_in(project_id)
        if role is None:
            raise NotFoundError
        least = MINIMUM_ROLE[permission]
        if allows(role, permission):
            raise NotAllowedError(
                f"This token is not allowed to {permission.value}.", hint="Make a token whose scopes include it."
            )
        raise NotAllowedError(
            f"You are {role.value} here; to {permission.value} takes the role {least.value}.",
            hint="An admin of the project can give it to you under People.",
        )

    def require_admin(self, what: str) -> None:
        """Go on only as an administrator; ``what`` completes "Only an administrator may ...".

        Raises NotAllowedError.
        """
        if not self.is_admin or self.scopes is not None:
            raise NotAllowedError(f"Only an administrator may {what}.", hint="Ask one of the administrators under People.")


def nobody(*, address: str = "", request_id: str = "") -> Actor:
    """Whoever has not signed in."""
    return Actor(person_id=0, name="nobody", address=address, request_id=request_id)


def headgate(request_id: str = "") -> Actor:
    """Headgate itself, where a worker or the command line acts."""
    return Actor(person_id=0, name="headgate", is_admin=True, request_id=request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One unit of work: the edge commits ``session`` and rings ``wakes`` afterwards."""

    session: Session
    actor: Actor
    clock: Clock
    settings: Settings
    wakes: list[Wake] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The moment of this work, by its clock."""
        return self.clock.now()

    def wake(self, task: Literal["advance", "job", "monitor"], number: int) -> None:
        """Ask for a bell to be rung after the commit."""
        self.wakes.append(Wake(task=task, id=number))

    def note(self, act: str, subject: str, subject_id: int | None, *, project_id: int | None = None, **details: Any) -> None:
        """Write an audit line with the commit; details are JSON values and never secrets."""
        audit.record(
            self.session,
            audit.Entry(
                at=self.now,
                person_id=self.actor.person_id or None,
                actor=self.actor.name,
                act=act,
                subject_kind=subject,
                subject_id=subject_id,
                project_id=project_id,
                details=details,
                address=self.actor.address,
                request_id=self.actor.request_id,
            ),
        )
