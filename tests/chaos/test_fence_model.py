"""The lease and fence protocol as a state machine: three holders, any interleaving, a crash at every point, on a real ledger."""

from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.backfill.ledger import FencedError, Ledger, LedgerMismatchError
from app.backfill.ledger_tables import ensure_ledger
from app.target.errors import LockNotGrantedError
from app.target.session import Target

pytestmark = pytest.mark.chaos

UNITS = 4
HOLDERS = st.integers(0, 2)


@dataclass
class Holder:
    """A worker: its session, the fence it was given, and the unit it has in the works."""

    target: Target
    ledger: Ledger | None = None
    transaction: ExitStack | None = None
    unit: int = 0


class FenceModel(RuleBasedStateMachine):
    """What may be seen of it: effects that committed, in a table beside the ledger."""

    database = None

    def __init__(self):
        super().__init__()
        self.run, self.given, self.commits = uuid4(), 0, []
        self.eye = Target.connect(self.database.dsn, purpose="eye")
        ensure_ledger(self.eye, "headgate")
        self.eye.send("DROP TABLE IF EXISTS effect")
        self.eye.send("CREATE TABLE effect (unit int, fence int)")
        self.holders = [self.connected() for _ in range(3)]

    def connected(self) -> Holder:
        return Holder(target=Target.connect(self.database.dsn, purpose="holder", lock_timeout_ms=20))

    @rule(number=HOLDERS)
    def take(self, number):
        """A holder is given the run (the metadata database counts the fence up) and raises it on the target."""
        holder = self.holders[number]
        self.leave(holder)
        self.given += 1
        holder.ledger = Ledger(schema="headgate", run=self.run, fence=self.given, direction="forward")
        self.raise_fence(number)

    @rule(number=HOLDERS)
    def raise_fence(self, number):
        """... or raises it late: it was stopped in between."""
        holder = self.holders[number]
        if holder.ledger is not None and holder.transaction is None:
            try:
                holder.ledger.take(holder.target, "model")
            except (FencedError, LockNotGrantedError):
                holder.ledger = None

    @rule(number=HOLDERS)
    def begin(self, number):
        """The next unit that the ledger does not have: fence, effect, ledger row, all but the COMMIT."""
        holder = self.holders[number]
        if holder.ledger is None or holder.transaction is not None:
            return
        done = holder.ledger.units(holder.target, "s")
        unit = next((unit for unit in range(1, UNITS + 1) if unit not in done), None)
        if unit is None:
            return
        stack = ExitStack()
        try:
            stack.enter_context(holder.target.transaction())
            holder.ledger.assert_fence(holder.target)
            holder.target.execute("INSERT INTO effect VALUES (%(unit)s, %(fence)s)", {"unit": unit, "fence": holder.ledger.fence})
            holder.ledger.record_done(holder.target, "s", unit, "d", 1.0)
        except (FencedError, LockNotGrantedError, LedgerMismatchError) as error:
            stack.__exit__(type(error), error, None)
            holder.ledger = None
            return
        holder.transaction, holder.unit = stack, unit

    @rule(number=HOLDERS)
    def commit(self, number):
        holder = self.holders[number]
        if holder.transaction is None:
            return
        token = self.eye.one("SELECT token FROM headgate.fence WHERE run = %(run)s", {"run": self.run})["token"]
        assert token <= holder.ledger.fence, "a holder that was fenced off is about to commit"
        holder.transaction.close()
        holder.transaction = None
        self.commits.append((holder.unit, holder.ledger.fence))

    @rule(number=HOLDERS)
    def crash(self, number):
        """SIGKILL: the session is gone, and with it what was not committed."""
        holder = self.holders[number]
        holder.target.close()
        self.holders[number] = self.connected()

    @invariant()
    def every_unit_took_effect_at_most_once_and_the_ledger_says_so(self):
        effects = sorted((row["unit"], row["fence"]) for row in self.eye.all("SELECT unit, fence FROM effect"))
        assert effects == sorted(self.commits)
        assert len({unit for unit, _ in effects}) == len(effects)
        rows = self.eye.all("SELECT unit, fence FROM headgate.unit WHERE run = %(run)s AND state = 'done'", {"run": self.run})
        assert sorted((row["unit"], row["fence"]) for row in rows) == effects

    @invariant()
    def fences_of_commits_never_go_back(self):
        fences = [fence for _, fence in self.commits]
        assert fences == sorted(fences)

    def leave(self, holder: Holder) -> None:
        """Roll back what is in the works."""
        if holder.transaction is not None:
            error = RuntimeError("left")
            holder.transaction.__exit__(RuntimeError, error, None)
            holder.transaction = None

    def teardown(self):
        for holder in self.holders:
            holder.target.close()
        self.eye.close()


def test_no_interleaving_of_three_holders_lets_a_unit_happen_twice_or_a_fenced_one_commit(database):
    FenceModel.database = database
    run_state_machine_as_test(
        FenceModel,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        ),
    )
