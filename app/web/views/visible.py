"""Which projects a person may see, as a condition for queries."""

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from app.actions.work import Actor


def in_sight(actor: Actor, project_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """True for rows of the actor's projects; an administrator sees all."""
    return true() if actor.is_admin else project_id.in_(list(actor.roles))
