"""What is called like that: plans, runs by number, targets, tables of the newest snapshots."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute

from app.actions.work import Work
from app.store.tables import Environment, Plan, Run, SchemaSnapshot, Target
from app.web.tones import tone
from app.web.views.run_lines import run_lines
from app.web.views.visible import in_sight

MOST = 10
#: so many always fit a bigint
_BIGINT_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found."""

    name: str
    detail: str
    href: str


def search(work: Work, q: str) -> list[tuple[str, list[Hit]]]:
    """Everything in sight whose name holds ``q``, in groups."""
    if not q:
        return []
    return [("Plans", _plans(work, q)), ("Runs", _runs(work, q)), ("Targets", _targets(work, q)), ("Tables", _tables(work, q))]


def _plans(work: Work, q: str) -> list[Hit]:
    condition = _by_number_or_name(q, "plan", Plan.id, Plan.name)
    rows = work.session.execute(
        select(Plan.id, Plan.name, Plan.state)
        .where(in_sight(work.actor, Plan.project_id), condition)
        .order_by(Plan.updated_at.desc())
        .limit(MOST)
    )
    return [
        Hit(name=name, detail=f"plan {number}, {tone('plan', state).word}", href=f"/plans/{number}")
        for number, name, state in rows
    ]


def _by_number_or_name(
    q: str, kind: str, number: InstrumentedAttribute[int], name: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """``4``, ``plan 4`` or ``#4`` names a row by its number; anything else, and a number too, by a part of its name."""
    digits = q.lower().removeprefix(kind).strip().removeprefix("#")
    called = name.icontains(q, autoescape=True)
    return or_(number == int(digits), called) if digits.isdecimal() and len(digits) <= _BIGINT_DIGITS else called


def _runs(work: Work, q: str) -> list[Hit]:
    condition = _by_number_or_name(q, "run", Run.id, Plan.name)
    lines = run_lines(work.session, in_sight(work.actor, Plan.project_id), condition, limit=MOST)
    return [
        Hit(
            name=f"Run {line.id}: {line.plan}",
            detail=f"{tone('run', line.state).word} on {line.target}",
            href=f"/runs/{line.id}",
        )
        for line in lines
    ]


def _targets(work: Work, q: str) -> list[Hit]:
    rows = work.session.execute(
        select(Target.id, Target.name, Target.dsn_summary, Environment.name)
        .join(Environment, Environment.id == Target.environment_id)
        .where(in_sight(work.actor, Target.project_id), Target.name.icontains(q, autoescape=True))
        .order_by(Target.name)
        .limit(MOST)
    )
    return [
        Hit(name=name, detail=f"{environment}, {where}", href=f"/targets/{number}") for number, name, where, environment in rows
    ]


def _tables(work: Work, q: str) -> list[Hit]:
    """Keys of the relations in the newest snapshot of each target in sight."""
    newest = (
        select(SchemaSnapshot.target_id, SchemaSnapshot.content)
        .ext(distinct_on(SchemaSnapshot.target_id))
        .order_by(SchemaSnapshot.target_id, SchemaSnapshot.taken_at.desc())
        .subquery()
    )
    keys = select(newest.c.target_id, func.jsonb_object_keys(newest.c.content["relations"]).label("name")).subquery()
    rows = work.session.execute(
        select(keys.c.name, Target.id, Target.name)
        .join(Target, Target.id == keys.c.target_id)
        .where(in_sight(work.actor, Target.project_id), keys.c.name.icontains(q, autoescape=True))
        .order_by(keys.c.name, Target.name)
        .limit(MOST)
    )
    return [Hit(name=name, detail=f"on {target}", href=f"/targets/{number}?table={name}#schema") for name, number, target in rows]
