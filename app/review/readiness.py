"""Ready or not: the list that the Start button shows, and that the worker checks again before the first change."""

from dataclasses import dataclass

from app.review import links
from app.review.approvals import Tally, tally
from app.review.facts import Facts
from app.review.ticks import Clears, ItemStatus, Proof, backup_taken, checklist, gate_of, reviewed, tested_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that stands between the plan and its run."""

    #: the name to override it by
    gate: str
    what: str
    why: str
    #: who or what clears it
    clears: Clears
    href: str
    can_override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What both answers hold."""

    checklist: tuple[ItemStatus, ...]
    approvals: Tally
    #: what is missing but was overridden: it stays visible
    overridden: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Readiness):
    """The run may start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady(Readiness):
    """The run may not start."""

    missing: tuple[Missing, ...]


def readiness(facts: Facts) -> Ready | NotReady:
    """Judge the facts."""
    count = tally(facts.decisions, policy=facts.policy, risk=facts.risk, authors=facts.authors, evidence=facts.evidence)
    items = checklist(facts, count)
    gates = [*_hindrances(facts), *_gates(facts, count), *_items(items)]
    overridden = tuple(missing for missing in gates if missing.can_override and missing.gate in facts.overrides)
    missing = tuple(gate for gate in gates if gate not in overridden)
    if missing:
        return NotReady(checklist=items, approvals=count, overridden=overridden, missing=missing)
    return Ready(checklist=items, approvals=count, overridden=overridden)


def _hindrances(facts: Facts) -> list[Missing]:
    """What nobody can override, since the run could not work."""
    found = []
    if facts.is_archived:
        found.append(_fix("archived", "The plan is archived", "Take it out of the archive first.", facts.link()))
    if not facts.is_current:
        why = f"Revision {facts.revision_number} was replaced by a newer one."
        found.append(_fix("current_revision", "An old revision", why, facts.link()))
    if facts.target_retired:
        found.append(_fix("target", f"{facts.target} is retired", "No plan runs on it any more.", links.target(facts.target_id)))
    elif facts.target_error is not None:
        found.append(_fix("target", f"{facts.target} does not answer", facts.target_error, links.target(facts.target_id)))
    if facts.open_run is not None:
        run = facts.open_run
        why = f"Run {run.id} ({run.plan}) of {run.started_by} is {run.state.words}: one run at a time on a target."
        found.append(
            Missing(gate="open_run", what=f"{facts.target} is taken", why=why, clears="by itself", href=links.run(run.id))
        )
    return found


def _gates(facts: Facts, count: Tally) -> list[Missing]:
    found = []
    if facts.analysis_id is None:
        why = facts.analysis_error or f"The risk of this revision on {facts.target} is not known yet."
        found.append(_gate("analysis", "The analysis", Proof(ok=False, text=why, href=facts.link("analysis"))))
    elif facts.analysis_is_old:
        why = f"The schema of {facts.target} changed since it was analysed: locks and risk may be others now."
        found.append(_gate("analysis", "A fresh analysis", Proof(ok=False, text=why, href=facts.link("analysis"))))
    if facts.policy.rehearsal_required and (not facts.evidence.rehearsal_ok or facts.rehearsal_is_old):
        found.append(_gate("rehearsal", "A rehearsal that went well", _not_rehearsed(facts)))
    for gate, what, proof in (
        ("approvals", "Approvals", reviewed(facts, count)),
        ("staging_first", "A run in an earlier environment", tested_before(facts)),
        ("backup", "A fresh backup", backup_taken(facts)),
    ):
        if not proof.ok:
            found.append(_gate(gate, what, proof))
    return found


def _not_rehearsed(facts: Facts) -> Proof:
    href = facts.link("rehearsal")
    if facts.rehearsal_error is not None:
        return Proof(ok=False, text=f"The rehearsal could not be done: {facts.rehearsal_error}", href=href)
    if facts.evidence.rehearsal_id is None:
        return Proof(ok=False, text=f"This revision was not rehearsed for {facts.target} yet.", href=href)
    if facts.evidence.rehearsal_ok:
        return Proof(ok=False, text=f"The schema of {facts.target} changed since it was rehearsed.", href=href)
    return Proof(ok=False, text=f"Rehearsal {facts.evidence.rehearsal_id} found something that has to be fixed.", href=href)


def _items(items: tuple[ItemStatus, ...]) -> list[Missing]:
    """Open items of the checklist that no gate above speaks for."""
    return [
        Missing(
            gate=gate_of(status.item),
            what=status.item.text,
            why=status.text,
            clears=status.clears,
            href=status.href,
            can_override=True,
        )
        for status in items
        if (status.is_overridden or not status.is_ticked) and gate_of(status.item).startswith("checklist:")
    ]


def _gate(gate: str, what: str, proof: Proof) -> Missing:
    return Missing(gate=gate, what=what, why=proof.text, clears=proof.clears, href=proof.href, can_override=True)


def _fix(gate: str, what: str, why: str, href: str) -> Missing:
    return Missing(gate=gate, what=what, why=why, clears="fix", href=href)
