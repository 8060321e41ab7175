"""Sign-in sessions and API tokens: the holder has 256 random bits, we keep their SHA-256 and can end each at any moment."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.store.tables.people import ApiToken, Person, SignIn

_TOKEN_BYTES = 32
#: How API tokens begin, so that scanners for leaked secrets can know them.
API_PREFIX = "headgate_"
#: last_seen_at is written at most so often: a page with ten parts is one visit
_SEEN_EVERY = timedelta(minutes=1)


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def start(
    session: Session, person_id: int, *, now: datetime, lasts: timedelta, address: str = "", user_agent: str = ""
) -> tuple[SignIn, str]:
    """A new sign-in, and the token that only the browser keeps."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    sign_in = SignIn(
        token_sha256=token_hash(token),
        person_id=person_id,
        created_at=now,
        last_seen_at=now,
        ends_at=now + lasts,
        address=address,
        user_agent=user_agent[:400],
    )
    session.add(sign_in)
    session.flush()
    return sign_in, token


def find(session: Session, token: str, *, now: datetime, idle: timedelta) -> tuple[SignIn, Person] | None:
    """The sign-in of a token and its person; None where it ended, was idle for too long, or the account is closed."""
    row = session.execute(
        select(SignIn, Person)
        .join(Person, Person.id == SignIn.person_id)
        .where(SignIn.token_sha256 == token_hash(token), SignIn.ended_at.is_(None), Person.is_active)
    ).one_or_none()
    if row is None:
        return None
    sign_in, person = row
    if now >= sign_in.ends_at or now >= sign_in.last_seen_at + idle:
        return None
    if now >= sign_in.last_seen_at + _SEEN_EVERY:
        sign_in.last_seen_at = now
    return sign_in, person


def end(session: Session, sign_in_id: int, *, now: datetime) -> bool:
    """End one sign-in; False where it had ended before."""
    ended = session.scalar(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now).returning(SignIn.id)
    )
    return ended is not None


def end_all(session: Session, person_id: int, *, now: datetime, but: int | None = None) -> int:
    """End every sign-in of a person, but one where it is given; returns how many."""
    ended = session.scalars(
        update(SignIn)
        .where(SignIn.person_id == person_id, SignIn.ended_at.is_(None), SignIn.id != (but or 0))
        .values(ended_at=now)
        .returning(SignIn.id)
    )
    return len(ended.all())


def open_ones(session: Session, person_id: int, *, now: datetime, idle: timedelta) -> list[SignIn]:
    """The sign-ins of a person that still hold, the newest first."""
    return list(
        session.scalars(
            select(SignIn)
            .where(
                SignIn.person_id == person_id,
                SignIn.ended_at.is_(None),
                SignIn.ends_at > now,
                SignIn.last_seen_at > now - idle,
            )
            .order_by(SignIn.last_seen_at.desc())
        )
    )


def issue_token(
    session: Session, person_id: int, *, name: str, scopes: list[str], now: datetime, ends_at: datetime | None
) -> tuple[ApiToken, str]:
    """A new API token, and its text, which is shown once."""
    text = API_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    token = ApiToken(
        person_id=person_id, name=name, token_sha256=token_hash(text), scopes=scopes, created_at=now, ends_at=ends_at
    )
    session.add(token)
    session.flush()
    return token, text


def find_token(session: Session, text: str, *, now: datetime) -> tuple[ApiToken, Person] | None:
    """The API token of that text and its person; None where it was revoked, has ended, or the account is closed."""
    row = session.execute(
        select(ApiToken, Person)
        .join(Person, Person.id == ApiToken.person_id)
        .where(ApiToken.token_sha256 == token_hash(text), ApiToken.revoked_at.is_(None), Person.is_active)
    ).one_or_none()
    if row is None or (row[0].ends_at is not None and now >= row[0].ends_at):
        return None
    token, person = row
    if token.last_used_at is None or now >= token.last_used_at + _SEEN_EVERY:
        token.last_used_at = now
    return token, person


def tokens(session: Session, person_id: int | None = None) -> list[ApiToken]:
    """All API tokens, or those of one person, the newest first."""
    query = select(ApiToken).order_by(ApiToken.id.desc())
    return list(session.scalars(query if person_id is None else query.where(ApiToken.person_id == person_id)))
