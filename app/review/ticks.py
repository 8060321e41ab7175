"""The checklist: items that Headgate proves tick themselves and lapse with their proof, the others a named person ticks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.plan.checklist import ChecklistItem
from app.review import links
from app.review.approvals import Tally
from app.review.facts import Facts, Overridden

Clears = Literal["fix", "by itself", "person", "override"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What Headgate found when it tried to prove an item."""

    ok: bool
    #: the claim with its figures, or what is missing
    text: str
    href: str
    #: when it stops to be true by itself
    until: datetime | None = None
    clears: Clears = "fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatus:
    """One item of the checklist as it stands now."""

    item: ChecklistItem
    is_ticked: bool
    #: a person's name, "headgate" where it was proven, or "" where it is open
    by: str = ""
    note: str = ""
    #: the evidence, or what is missing
    text: str = ""
    href: str = ""
    at: datetime | None = None
    until: datetime | None = None
    clears: Clears = "person"
    #: ticked only because somebody overrode the gate by name
    is_overridden: bool = False


def checklist(facts: Facts, tally: Tally) -> tuple[ItemStatus, ...]:
    """Every item of the environment's checklist with its tick or with what is missing."""
    by_hand = {tick.item_id: tick for tick in facts.ticks}
    statuses = []
    for item in facts.checklist:
        override = facts.overrides.get(gate_of(item))
        proof = prove(item, facts, tally)
        tick = by_hand.get(item.id)
        if proof is not None and proof.ok:
            status = _status(item, "headgate", proof.text, proof.href, until=proof.until)
        elif override is not None:
            status = _overridden(item, override, facts)
        elif proof is not None:
            status = ItemStatus(item=item, is_ticked=False, text=proof.text, href=proof.href, clears=proof.clears)
        elif tick is None:
            status = _open(item, facts, "Somebody has to confirm it.")
        elif tick.lapses_at is not None and tick.lapses_at <= facts.now:
            status = _open(item, facts, f"{tick.person} ticked it too long ago: it has to be confirmed again.")
        else:
            status = _status(item, tick.person, tick.note, "", at=tick.at, until=tick.lapses_at, note=tick.note)
        statuses.append(status)
    return tuple(statuses)


def gate_of(item: ChecklistItem) -> str:
    """The name under which the item can be overridden; where a gate of its own asks for the same, that gate's."""
    return _GATES.get(item.proof or "", f"checklist:{item.id}")


def prove(item: ChecklistItem, facts: Facts, tally: Tally) -> Proof | None:
    """What Headgate can say about the item; None where only a person can."""
    if item.proof == "sql_reviewed":
        return reviewed(facts, tally)
    proof = PROOFS.get(item.proof or "")
    return proof(facts) if proof else None


def reviewed(facts: Facts, tally: Tally) -> Proof:
    """Enough people approved exactly this, and nobody asks for changes."""
    href = facts.link("review")
    if tally.objections:
        first = tally.objections[0]
        return Proof(ok=False, text=f"{first.person} asks for changes: {first.reason}", href=href)
    counted = [judged.decision.person for judged in tally.approvals if judged.counts]
    if tally.enough:
        text = (
            f"Approved by {_listed(counted)}."
            if counted
            else f"No approval is needed in {facts.environment} at {facts.risk} risk."
        )
        return Proof(ok=True, text=text, href=href)
    stale = [
        f"{judged.decision.person}'s approval is stale: {judged.not_counted[0]}"
        for judged in tally.approvals
        if not judged.counts
    ]
    count = f"{tally.given} of {tally.needed} approvals at {facts.risk} risk"
    return Proof(ok=False, text=" ".join([f"{count}.", *stale]), href=href, clears="person")


def backup_taken(facts: Facts) -> Proof:
    """A verified backup of the target is younger than the limit, or the run begins with one."""
    policy, backup = facts.policy, facts.backup
    if not policy.backup_required:
        return Proof(ok=True, text=f"No backup is needed in {facts.environment}.", href=links.target(facts.target_id))
    if facts.backup_step is not None:
        return Proof(ok=True, text=f"The run itself takes one first: {facts.backup_step}.", href=facts.link("steps"))
    if backup is None:
        return Proof(ok=False, text=f"There is no backup of {facts.target} yet.", href=links.target(facts.target_id, "backups"))
    if backup.verified_at is None:
        return Proof(ok=False, text=f"Backup {backup.id} was not verified.", href=links.backup(backup.id))
    limit = timedelta(minutes=policy.backup_max_age_minutes)
    age, until = facts.now - backup.finished_at, backup.finished_at + limit
    if age >= limit:
        text = f"The newest backup is {_span(age)} old; here it may be {_span(limit)} old."
        return Proof(ok=False, text=text, href=links.target(facts.target_id, "backups"))
    proof = "proven by a test restore" if backup.proven_at else "verified, not proven by a test restore"
    return Proof(ok=True, text=f"Backup {backup.id}, {proof}, taken {_ago(age)}.", href=links.backup(backup.id), until=until)


def tested_before(facts: Facts) -> Proof:
    """The same content ran to its end in an earlier environment."""
    run, before = facts.earlier_run, _listed(list(facts.earlier_environments), "or")
    if run is not None:
        return Proof(ok=True, text=f"Run {run.id} of the same content succeeded in {run.environment}.", href=links.run(run.id))
    if not facts.policy.staging_first:
        return Proof(ok=True, text=f"No earlier run is needed for {facts.environment}.", href=links.target(facts.target_id))
    if not facts.earlier_environments:
        return Proof(ok=True, text="No environment with a target comes before this one.", href=links.target(facts.target_id))
    href = links.plan(facts.plan_id, "checklist", target_id=facts.earlier_target_id)
    return Proof(ok=False, text=f"The same content has to run in {before} first.", href=href)


def rollback_prepared(facts: Facts) -> Proof:
    """Every step that changes the target has a rollback, or says why not; where it was rehearsed, it restored the schema."""
    href = facts.link("steps")
    if facts.without_rollback:
        return Proof(ok=False, text=f"No rollback, and no reason why not: {_listed(list(facts.without_rollback))}.", href=href)
    if facts.irreversible:
        text = f"Prepared; can't be undone, with the reason given: {_listed(list(facts.irreversible))}."
        return Proof(ok=True, text=text, href=href)
    if facts.rehearsal_restored is False:
        text = "The rehearsal's rollback left the schema different from what it was."
        return Proof(ok=False, text=text, href=facts.link("rehearsal"))
    rehearsed = " The rehearsal undid them all." if facts.rehearsal_restored else ""
    return Proof(ok=True, text=f"Every step can be undone.{rehearsed}", href=href)


def metrics_collected(facts: Facts) -> Proof:
    """The target's figures were read within the last day; the run itself takes a baseline before its first change."""
    href, limit = links.target(facts.target_id), timedelta(days=1)
    if facts.figures_at is None:
        return Proof(ok=False, text=f"Sizes and traffic of {facts.target} were never read.", href=href)
    age = facts.now - facts.figures_at
    if age >= limit:
        return Proof(ok=False, text=f"Sizes and traffic were last read {_ago(age)}.", href=href)
    text = f"Sizes and traffic were read {_ago(age)}; the run takes a baseline first."
    return Proof(ok=True, text=text, href=href, until=facts.figures_at + limit)


def statements_enabled(facts: Facts) -> Proof:
    """pg_stat_statements can be read on the target."""
    href = links.target(facts.target_id)
    if facts.has_statements:
        return Proof(ok=True, text="pg_stat_statements can be read.", href=href)
    if facts.has_statements is None:
        return Proof(ok=False, text="The connection was not tested yet.", href=href)
    return Proof(ok=False, text="pg_stat_statements is missing or hidden; the target's page says what mends it.", href=href)


#: By the name that a checklist item uses; ``sql_reviewed`` needs the tally besides the facts.
PROOFS: Mapping[str, Callable[[Facts], Proof]] = {
    "backup_taken": backup_taken,
    "tested_on_staging": tested_before,
    "rollback_prepared": rollback_prepared,
    "metrics_collected": metrics_collected,
    "statements_enabled": statements_enabled,
}
PROVABLE = frozenset(PROOFS) | {"sql_reviewed"}
_GATES = {"sql_reviewed": "approvals", "backup_taken": "backup", "tested_on_staging": "staging_first"}


def _status(
    item: ChecklistItem,
    by: str,
    text: str,
    href: str,
    *,
    at: datetime | None = None,
    until: datetime | None = None,
    note: str = "",
) -> ItemStatus:
    return ItemStatus(item=item, is_ticked=True, by=by, text=text, href=href, at=at, until=until, note=note)


def _overridden(item: ChecklistItem, override: Overridden, facts: Facts) -> ItemStatus:
    return ItemStatus(
        item=item,
        is_ticked=True,
        is_overridden=True,
        by=override.person,
        text=f"Overridden: {override.reason}",
        href=facts.link("checklist"),
        at=override.at,
    )


def _open(item: ChecklistItem, facts: Facts, text: str) -> ItemStatus:
    return ItemStatus(item=item, is_ticked=False, text=text, href=facts.link("checklist"))


def _listed(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _ago(age: timedelta) -> str:
    return "just now" if age < timedelta(minutes=1) else f"{_span(age)} ago"


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds() // 60), 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else ""]
    return " ".join(part for part in parts if part)
