"""Sign in with an address and a password, and find out later who a token belongs to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.actions.permissions import Permission
from app.actions.work import Actor, Work, nobody
from app.errors import HeadgateError
from app.settings import Settings
from app.store import passwords, people, sign_ins
from app.store.tables.people import Person


class SignInRefusedError(HeadgateError):
    """The address or the password is wrong."""

    status = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A sign-in that was just made; its repr does not show the token."""

    actor: Actor
    token: str

    def __repr__(self) -> str:
        """The person only."""
        return f"SignedIn({self.actor.name!r})"


def sign_in(work: Work, *, email: str, password: str, user_agent: str = "") -> SignedIn:
    """Make a sign-in session; the token goes into the browser's cookie and nowhere else.

    Raises SignInRefusedError, the same for an unknown address, a closed account and a wrong password.
    """
    person = people.by_email(work.session, email)
    kept = person.password_hash if person is not None and person.is_active else None
    right, better_hash = passwords.is_right(password, kept)
    if person is None or not right:
        _note_refusal(work, person)
        raise SignInRefusedError(hint="Check both; an administrator can set a new password under People.")
    if better_hash is not None:
        person.password_hash = better_hash
    made, token = sign_ins.start(
        work.session,
        person.id,
        now=work.now,
        lasts=timedelta(hours=work.settings.session_hours),
        address=work.actor.address,
        user_agent=user_agent,
    )
    actor = _actor(work.session, person, address=work.actor.address, request_id=work.actor.request_id, sign_in_id=made.id)
    replace_actor(work, actor).note("sign_in", "person", person.id)
    return SignedIn(actor=actor, token=token)


def actor_of_sign_in(
    session: Session, token: str, *, settings: Settings, now: datetime, address: str = "", request_id: str = ""
) -> Actor:
    """Who holds a sign-in token, with the rights of this moment; nobody where it has ended."""
    found = sign_ins.find(session, token, now=now, idle=timedelta(minutes=settings.session_idle_minutes))
    if found is None:
        return nobody(address=address, request_id=request_id)
    made, person = found
    return _actor(session, person, address=address, request_id=request_id, sign_in_id=made.id)


def actor_of_token(session: Session, token: str, *, now: datetime, address: str = "", request_id: str = "") -> Actor:
    """Who an API token acts for, limited to its scopes; nobody where it was revoked or has ended."""
    found = sign_ins.find_token(session, token, now=now)
    if found is None:
        return nobody(address=address, request_id=request_id)
    row, person = found
    actor = _actor(session, person, address=address, request_id=request_id, sign_in_id=None)
    scopes = frozenset(right for right in Permission if right.name in row.scopes)
    return replace(actor, name=f"{person.name} ({row.name})", scopes=scopes if row.scopes else None)


def replace_actor(work: Work, actor: Actor) -> Work:
    """The same work in another person's name."""
    return replace(work, actor=actor)


def _actor(session: Session, person: Person, *, address: str, request_id: str, sign_in_id: int | None) -> Actor:
    return Actor(
        person_id=person.id,
        name=person.name,
        is_admin=person.is_admin,
        roles=people.roles_of(session, person.id),
        address=address,
        request_id=request_id,
        sign_in_id=sign_in_id,
    )


def _note_refusal(work: Work, person: Person | None) -> None:
    """Keep the refusal although the request fails; what was typed as an address is kept only where it is one of ours."""
    work.note("sign_in_refused", "person", person.id if person else None, email=person.email if person else None)
    work.session.commit()
