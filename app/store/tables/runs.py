"""Runs, their steps, the latest figures, and the answers to their gates; the row is the truth, messages only wake workers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.run.states import ACTIVE, DRIVEN, RunState, StepState
from app.store.base import Base, Numbered, Word, moment, one_of
from app.store.words import Ask, Direction


def _is_one_of(states: frozenset[RunState]) -> str:
    return f"state IN ({', '.join(repr(state.value) for state in RunState if state in states)})"


class Run(Numbered, Base):
    """One revision going forward on one target, or back."""

    __tablename__ = "runs"
    __table_args__ = (
        one_of("state", RunState),
        one_of("direction", Direction),
        one_of("asked", Ask),
        CheckConstraint("(direction = 'rollback') = (forward_run_id IS NOT NULL)", name="rollback_names_its_forward_run"),
        Index("uq_runs_active_target", "target_id", unique=True, postgresql_where=text(_is_one_of(ACTIVE))),
        Index("ix_runs_driven", "wake_at", postgresql_where=text(_is_one_of(frozenset(DRIVEN)))),
        Index(None, "target_id", "created_at"),
        Index(None, "plan_id", "created_at"),
        Index(None, "forward_run_id"),
    )

    #: the same for every attempt and worker: what the ledger on the target is keyed by
    key: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("plan_revisions.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    direction: Mapped[Direction] = mapped_column(Word(Direction), server_default="forward")
    forward_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    #: ids of the steps that a rollback undoes, in the plan's order
    scope: Mapped[list[Any] | None]
    state: Mapped[RunState] = mapped_column(Word(RunState), server_default="scheduled")
    state_since: Mapped[datetime] = moment()
    #: why it is in that state, one sentence
    reason: Mapped[str] = mapped_column(server_default="")
    asked: Mapped[Ask | None] = mapped_column(Word(Ask))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: grows with every taking of the run
    fence: Mapped[int] = mapped_column(server_default="0")
    #: the worker that holds it
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    #: nothing to do before
    wake_at: Mapped[datetime | None]
    current_step: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: the one person who may stop, retry, skip and roll back: who started it, until control is handed over
    driver_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = moment()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    scheduled_for: Mapped[datetime | None]
    #: {"profile": ..., "max_rate": ..., "patience_ms": ..., "skipped": {step: reason}, ...}
    options: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    #: the number of its newest event
    event_number: Mapped[int] = mapped_column(server_default="0")
    #: of the target's schema when the run was started
    catalog_fingerprint: Mapped[str | None]
    #: of the evidence that the approvals were bound to when it was started
    evidence_digest: Mapped[str | None]
    #: chosen by the form: the same form sent twice makes one run
    request_token: Mapped[str | None] = mapped_column(unique=True)


class RunStep(Base):
    """Where one step of a run stands."""

    __tablename__ = "run_steps"
    __table_args__ = (one_of("state", StepState), Index(None, "run_id", "position", unique=True))

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    #: from 1 in the order in which the run works
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    phase: Mapped[str]
    state: Mapped[StepState] = mapped_column(Word(StepState), server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]


class RunGauge(Base):
    """The latest figures of a run; each replaces the one before."""

    __tablename__ = "run_gauges"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    at: Mapped[datetime] = moment()
    payload: Mapped[dict[str, Any]]


class GateAnswer(Base):
    """A person's confirmation that a gate may open."""

    __tablename__ = "gate_answers"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = moment()
