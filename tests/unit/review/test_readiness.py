"""Ready or not: every gate, what clears it, and what an override does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.plan.checklist import DEFAULT_CHECKLIST, ChecklistItem
from app.review.approvals import Decided, tally
from app.review.evidence import Evidence
from app.review.facts import BackupTaken, EarlierRun, Facts, OpenRun, Overridden, TickedByHand
from app.review.policy import DEVELOPMENT, PRODUCTION, Approvals
from app.review.readiness import NotReady, Ready, readiness
from app.review.roles import Role
from app.review.ticks import PROVABLE, gate_of
from app.run.states import RunState

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVIDENCE = Evidence(
    plan_digest="p", target_id=1, dsn_summary="db", rehearsal_id=4, rehearsal_ok=True, rehearsal_result="r", rules_version="1"
)


def approval(person_id: int, **also) -> Decided:
    given = {"role": Role.APPROVER, "verdict": "approve", "reason": "", "evidence": EVIDENCE, **also}
    return Decided(id=person_id, person_id=person_id, person=f"Person {person_id}", at=NOW, **given)


READY = Facts(
    now=NOW,
    plan_id=1,
    revision_id=1,
    revision_number=1,
    is_current=True,
    target_id=1,
    target="shop",
    environment="production",
    policy=PRODUCTION,
    checklist=DEFAULT_CHECKLIST,
    authors=frozenset({1}),
    risk="low",
    analysis_id=3,
    evidence=EVIDENCE,
    decisions=(approval(2),),
    backup=BackupTaken(id=9, finished_at=NOW - timedelta(minutes=12), verified_at=NOW),
    earlier_environments=("staging",),
    earlier_run=EarlierRun(id=8, environment="staging", finished_at=NOW),
    figures_at=NOW - timedelta(minutes=3),
    has_statements=True,
    ticks=tuple(
        TickedByHand(item_id=item.id, person="Ann", note="", at=NOW) for item in DEFAULT_CHECKLIST if item.proof not in PROVABLE
    ),
)


def missing(facts: Facts) -> dict[str, str]:
    answer = readiness(facts)
    return {found.gate: found.why for found in answer.missing} if isinstance(answer, NotReady) else {}


def test_with_everything_there_it_is_ready_and_every_item_is_ticked_with_evidence():
    answer = readiness(READY)
    assert isinstance(answer, Ready)
    assert all(status.is_ticked for status in answer.checklist)
    assert all(status.text for status in answer.checklist if status.by == "headgate")


@pytest.mark.parametrize(
    ("change", "gate", "why"),
    [
        ({"analysis_id": None}, "analysis", "The risk of this revision on shop is not known yet."),
        ({"analysis_id": None, "analysis_error": "gone"}, "analysis", "gone"),
        ({"evidence": replace(EVIDENCE, rehearsal_ok=False)}, "rehearsal", "Rehearsal 4 found something that has to be fixed."),
        ({"decisions": ()}, "approvals", "0 of 1 approvals at low risk."),
        ({"earlier_run": None}, "staging_first", "The same content has to run in staging first."),
        ({"backup": None}, "backup", "There is no backup of shop yet."),
        ({"without_rollback": ("a", "b", "c")}, "checklist:rollback-prepared", "No rollback, and no reason why not: a, b and c."),
        (
            {"rehearsal_restored": False},
            "checklist:rollback-prepared",
            "The rehearsal's rollback left the schema different from what it was.",
        ),
        (
            {"has_statements": False},
            "checklist:query-performance",
            "pg_stat_statements is missing or hidden; the target's page says what mends it.",
        ),
        ({"has_statements": None}, "checklist:query-performance", "The connection was not tested yet."),
        ({"figures_at": None}, "checklist:metrics-ready", "Sizes and traffic of shop were never read."),
        ({"figures_at": NOW - timedelta(days=2)}, "checklist:metrics-ready", "Sizes and traffic were last read 48 h ago."),
        ({"target_error": "refused"}, "target", "refused"),
        ({"target_retired": True}, "target", "No plan runs on it any more."),
        ({"is_current": False}, "current_revision", "Revision 1 was replaced by a newer one."),
        ({"is_archived": True}, "archived", "Take it out of the archive first."),
    ],
)
def test_each_thing_that_is_missing_stops_it_and_is_named_with_its_reason(change: dict, gate: str, why: str):
    assert missing(replace(READY, **change)) == {gate: why}


def test_a_run_on_the_target_is_in_the_way_until_it_ends():
    answer = readiness(replace(READY, open_run=OpenRun(id=5, plan="Roles", started_by="Ann", state=RunState.WAITING_GATE)))
    (found,) = answer.missing
    assert (found.clears, found.can_override, found.href) == ("by itself", False, "/runs/5")
    assert found.why == "Run 5 (Roles) of Ann is waiting at a gate: one run at a time on a target."


@pytest.mark.parametrize(
    "change",
    [{"analysis_id": None}, {"decisions": ()}, {"earlier_run": None}, {"backup": None}, {"has_statements": False}, {"ticks": ()}],
)
def test_what_may_be_overridden_opens_by_name_and_stays_visible(change: dict):
    facts = replace(READY, **change)
    gates = set(missing(facts))
    opened = replace(facts, overrides={gate: Overridden(gate=gate, person="Bob", reason="fire", at=NOW) for gate in gates})
    answer = readiness(opened)
    assert isinstance(answer, Ready)
    assert {found.gate for found in answer.overridden} == gates


@pytest.mark.parametrize("gate", ["target", "archived", "current_revision", "open_run"])
def test_what_could_not_work_is_not_overridden(gate: str):
    facts = replace(
        READY,
        is_current=gate != "current_revision",
        is_archived=gate == "archived",
        target_retired=gate == "target",
        open_run=OpenRun(id=5, plan="Roles", started_by="Ann", state=RunState.RUNNING) if gate == "open_run" else None,
        overrides={gate: Overridden(gate=gate, person="Bob", reason="fire", at=NOW)},
    )
    assert set(missing(facts)) == {gate}


def test_an_environment_that_asks_for_nothing_is_ready_with_an_analysis():
    bare = replace(READY, policy=DEVELOPMENT, checklist=(), decisions=(), backup=None, earlier_run=None, ticks=())
    assert missing(bare) == {}


def test_a_plan_that_begins_with_a_backup_needs_none_before():
    assert missing(replace(READY, backup=None, backup_step="Back it up")) == {}


def test_the_first_environment_has_nothing_before_it():
    assert missing(replace(READY, earlier_run=None, earlier_environments=())) == {}


def test_a_tick_by_hand_lapses_where_it_has_an_end():
    ticks = tuple(replace(tick, lapses_at=NOW) for tick in READY.ticks)
    assert set(missing(replace(READY, ticks=ticks))) == {f"checklist:{tick.item_id}" for tick in ticks}
    later = tuple(replace(tick, lapses_at=NOW + timedelta(seconds=1)) for tick in READY.ticks)
    assert missing(replace(READY, ticks=later)) == {}


def test_an_item_of_ones_own_is_for_a_person():
    own = ChecklistItem(id="own-1", group="Also here", text="The on-call engineer knows")
    assert missing(replace(READY, checklist=(*DEFAULT_CHECKLIST, own))) == {"checklist:own-1": "Somebody has to confirm it."}


def test_every_provable_item_has_a_gate_and_each_gate_is_listed_once():
    gates = [gate_of(item) for item in DEFAULT_CHECKLIST]
    assert len(set(gates)) == len(gates)
    nothing = replace(READY, decisions=(), backup=None, earlier_run=None, ticks=(), has_statements=None, figures_at=None)
    answer = readiness(nothing)
    assert len({found.gate for found in answer.missing}) == len(answer.missing)


def test_every_claim_of_the_default_checklist_is_proven_by_something_or_is_a_persons():
    assert {item.proof for item in DEFAULT_CHECKLIST} - {None} == PROVABLE


class TestApprovals:
    """Whose approval counts."""

    def count(self, *decisions: Decided, needed: int = 1, authors: frozenset[int] = frozenset({1})):
        policy = replace(PRODUCTION, approvals=Approvals(low=needed, medium=needed, high=needed))
        return tally(decisions, policy=policy, risk="low", authors=authors, evidence=EVIDENCE)

    def test_an_author_counts_for_nothing(self):
        assert self.count(approval(1)).given == 0

    def test_a_role_that_was_lost_takes_the_approval_with_it(self):
        assert self.count(approval(2, role=Role.AUTHOR), approval(3, role=None), needed=2).given == 0

    def test_a_stale_approval_says_why(self):
        (judged,) = self.count(approval(2, evidence=replace(EVIDENCE, catalog_fingerprint="old"))).approvals
        assert judged.not_counted == ("The target's schema changed since.",)

    def test_one_objection_outweighs_every_approval(self):
        objection = approval(4, verdict="request_changes", reason="Why?")
        assert not self.count(approval(2), approval(3), objection).enough

    def test_no_approval_is_enough_where_none_is_asked_for(self):
        assert self.count(needed=0).enough
