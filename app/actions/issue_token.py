"""Make an API token for a script, or take one back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.actions import wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import NotAllowedError, NotFoundError
from app.store import people, sign_ins
from app.store.tables.people import ApiToken


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """The token's row, and its text: shown once, kept nowhere."""

    row: ApiToken
    text: str = field(repr=False)


def issue_token(
    work: Work, *, person_id: int, name: str, scopes: Sequence[str] = (), ends_at: datetime | None = None
) -> IssuedToken:
    """Make a token that acts for a person: oneself, or anybody for an administrator. Scopes are names of permissions.

    Raises NotFoundError, NotAllowedError, InvalidInputError.
    """
    if work.actor.scopes is not None:
        raise NotAllowedError("A token can't make tokens.", hint="Sign in to make one.")
    if person_id != work.actor.person_id:
        work.actor.require_admin("make tokens for others")
    people.get(work.session, person_id)
    known = {right.name for right in Permission}
    if unknown := sorted(set(scopes) - known):
        raise wording.refused("scopes", f"There is no scope {', '.join(unknown)}; the scopes are {', '.join(sorted(known))}.")
    row, text = sign_ins.issue_token(
        work.session, person_id, name=wording.name(name), scopes=sorted(set(scopes)), now=work.now, ends_at=ends_at
    )
    work.note("issue_token", "person", person_id, token=row.id, name=row.name, scopes=row.scopes)
    return IssuedToken(row=row, text=text)


def revoke_token(work: Work, *, token_id: int) -> ApiToken:
    """Take a token back; a revoked one stays so.

    Raises NotFoundError for another person's token, unless an administrator asks.
    """
    row = work.session.get(ApiToken, token_id)
    if row is None or (row.person_id != work.actor.person_id and not work.actor.is_admin):
        raise NotFoundError
    if row.revoked_at is None:
        row.revoked_at = work.now
        work.note("revoke_token", "person", row.person_id, token=row.id, name=row.name)
    return row
