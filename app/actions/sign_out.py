"""End the sign-in that one is using."""

from app.actions.work import Work
from app.store import sign_ins


def sign_out(work: Work) -> None:
    """End the actor's own sign-in; without one, nothing happens."""
    if work.actor.sign_in_id is not None and sign_ins.end(work.session, work.actor.sign_in_id, now=work.now):
        work.note("sign_out", "person", work.actor.person_id)
