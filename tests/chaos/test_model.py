"""Claim, lease, fence and ledger together as a state machine: workers that die, stop and come back, on real databases.

The real claims and the real journal decide in Headgate's own database, the real ledger on the target. What the model adds is
only the order of things: any of the two workers may be killed or stopped between any two of them.
"""

from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.backfill.ledger import FencedError, Ledger, LedgerMismatchError
from app.backfill.ledger_tables import ensure_ledger
from app.run.events import UnitCommitted
from app.run.journal import LeaseLostError
from app.store.claims import LOCK_NAMESPACE, Claim, claimed, runs_without_driver
from app.store.journal import StoredJournal
from app.store.sessions import make_engine, make_sessions
from app.target.errors import LockNotGrantedError, TargetError
from app.target.session import Target
from tests.doubles.rows import make_rows, make_run

pytestmark = pytest.mark.chaos

UNITS = 3
WORKERS = 2
LEASE_SECONDS = 3600.0
ANY = st.integers(0, WORKERS - 1)


@dataclass
class Worker:
    """One worker: what it believes, and the session it believes it with."""

    engine: Engine
    target: Target
    held: ExitStack | None = None
    claim: Claim | None = None
    ledger: Ledger | None = None
    unit: ExitStack | None = None
    number: int = 0


class DrivingModel(RuleBasedStateMachine):
    """A run of three units on a target, and two workers that want to drive it."""

    metadata = database = rows = None

    def __init__(self):
        super().__init__()
        self.eye_engine = make_engine(self.metadata.dsn)
        self.sessions = make_sessions(self.eye_engine)
        with self.sessions.begin() as session:
            run = make_run(session, self.rows)
            self.run_id, self.key = run.id, run.key
        self.eye = Target.connect(self.database.dsn, purpose="eye")
        ensure_ledger(self.eye, "headgate")
        self.eye.send("DROP TABLE IF EXISTS effect")
        self.eye.send("CREATE TABLE effect (unit int, fence int)")
        self.workers = [self.born(number) for number in range(WORKERS)]
        self.told: list[int] = []

    def born(self, number: int) -> Worker:
        engine = make_engine(self.metadata.dsn, application_name=f"worker {number}")
        return Worker(engine=engine, target=Target.connect(self.database.dsn, purpose="worker", lock_timeout_ms=20))

    @rule(number=ANY, is_silent=st.booleans(), opens=st.booleans())
    def take(self, number, is_silent, opens):
        """A wake-up arrives: the run is taken where it is free, or where its holder was silent for longer than its lease."""
        if is_silent:
            self.fall_silent()
        worker = self.workers[number]
        if worker.held is not None:
            return
        stack = ExitStack()
        name = f"worker {number}"
        claim = stack.enter_context(claimed(worker.engine, self.run_id, owner=name, lease_seconds=LEASE_SECONDS))
        if claim is None:
            stack.close()
            return
        worker.held, worker.claim = stack, claim
        worker.ledger = Ledger(schema="headgate", run=self.key, fence=claim.fence, direction="forward")
        if opens:
            self.open_target(number)

    @rule(number=ANY)
    def open_target(self, number):
        """... and raises the fence on the target, perhaps long after it took the run."""
        worker = self.workers[number]
        if worker.ledger is None or worker.unit is not None:
            return
        try:
            worker.ledger.seen(worker.target)
            worker.ledger.take(worker.target, "model")
        except (FencedError, LockNotGrantedError):
            self.let_go(worker)

    @rule(number=ANY)
    def begin_unit(self, number):
        """All of the next unit but its COMMIT."""
        worker = self.workers[number]
        if worker.ledger is None or worker.unit is not None:
            return
        done = worker.ledger.units(worker.target, "s")
        worker.number = next((unit for unit in range(1, UNITS + 1) if unit not in done), 0)
        if not worker.number:
            return
        stack = ExitStack()
        try:
            stack.enter_context(worker.target.transaction())
            worker.ledger.assert_fence(worker.target)
            values = {"unit": worker.number, "fence": worker.ledger.fence}
            worker.target.execute("INSERT INTO effect VALUES (%(unit)s, %(fence)s)", values)
            worker.ledger.record_done(worker.target, "s", worker.number, "d", 1.0)
        except (FencedError, LockNotGrantedError, LedgerMismatchError) as error:
            stack.__exit__(type(error), error, None)
            self.let_go(worker)
            return
        worker.unit = stack

    @rule(number=ANY)
    def commit_unit(self, number):
        """The COMMIT, however late, and the word about it in Headgate's own database."""
        worker = self.workers[number]
        if worker.unit is None:
            return
        token = self.eye.one("SELECT token FROM headgate.fence WHERE run = %(run)s", {"run": self.key})["token"]
        assert token == worker.claim.fence, "one that had lost the run is about to commit"
        worker.unit.close()
        worker.unit = None
        journal = StoredJournal(
            make_sessions(worker.engine), run_id=self.run_id, fence=worker.claim.fence, lease_seconds=LEASE_SECONDS
        )
        try:
            journal.record(UnitCommitted(step="s", unit=worker.number, of=UNITS, duration_ms=1.0))
            self.told.append(worker.claim.fence)
        except LeaseLostError:
            assert worker.claim.fence < self.fence(), "who holds the highest fence was told that it lost the run"
            self.let_go(worker)

    @rule(number=ANY, is_begun=st.booleans())
    def be_overtaken(self, number, is_begun):
        """What chance alone comes to too rarely: one is silent around its unit, the other takes over, the first wakes up."""
        self.take(number, is_silent=False, opens=True)
        if is_begun:
            self.begin_unit(number)
        self.take(1 - number, is_silent=True, opens=True)
        self.begin_unit(number)
        self.commit_unit(number)

    @rule(number=ANY)
    def finish_slice(self, number):
        """It lets go in order."""
        worker = self.workers[number]
        if worker.held is not None and worker.unit is None:
            self.let_go(worker)

    @rule(number=ANY)
    def die(self, number):
        """SIGKILL: its sessions are gone, and with them its lock and what was not committed."""
        self.kill(number)
        self.workers[number] = self.born(number)

    @invariant()
    def every_unit_took_effect_at_most_once_and_the_ledger_says_so(self):
        effects = sorted((row["unit"], row["fence"]) for row in self.eye.all("SELECT unit, fence FROM effect"))
        assert len({unit for unit, _ in effects}) == len(effects)
        fences = [fence for _, fence in effects]
        assert fences == sorted(fences), "one that had lost the run did a unit after the one who has it"
        rows = self.eye.all("SELECT unit, fence FROM headgate.unit WHERE run = %(run)s AND state = 'done'", {"run": self.key})
        assert sorted((row["unit"], row["fence"]) for row in rows) == effects

    @invariant()
    def one_at_most_holds_the_lock_and_it_has_the_highest_fence(self):
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s"
        query += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        held = self.metadata.value(query, [LOCK_NAMESPACE, self.run_id])
        assert held <= 1
        with self.eye_engine.connect() as connection:
            free = self.run_id in runs_without_driver(connection)
        assert free or held == 1, "nobody drives it and the sweep would not find it"

    @invariant()
    def words_come_in_the_order_of_the_fences(self):
        assert self.told == sorted(self.told)

    def fall_silent(self):
        with self.sessions.begin() as session:
            session.execute(
                text("UPDATE runs SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL")
            )

    def fence(self) -> int:
        with self.sessions() as session:
            return session.execute(text("SELECT fence FROM runs WHERE id = :id"), {"id": self.run_id}).scalar_one()

    def let_go(self, worker: Worker) -> None:
        held, worker.held, worker.ledger = worker.held, None, None
        if held is not None:
            held.close()

    def kill(self, number: int) -> None:
        worker = self.workers[number]
        worker.target.connection.close()
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        self.metadata.execute(query, [f"worker {number}"])
        self.let_go_of_what_is_gone(worker)
        worker.engine.dispose()

    def let_go_of_what_is_gone(self, worker: Worker) -> None:
        """The dead have nothing to say: what their contexts still want to do goes to sessions that are gone."""
        for stack in (worker.unit, worker.held):
            if stack is not None:
                with suppress(RuntimeError, DBAPIError, TargetError):
                    stack.__exit__(RuntimeError, RuntimeError("killed"), None)

    def teardown(self):
        for number in range(WORKERS):
            self.kill(number)
        self.eye.close()
        with self.sessions.begin() as session:
            session.execute(text("UPDATE runs SET state = 'completed'"))
        self.eye_engine.dispose()


def test_no_order_of_deaths_silences_and_takeovers_lets_a_unit_happen_twice_or_leaves_the_run_to_nobody(metadata, database):
    DrivingModel.metadata, DrivingModel.database = metadata, database
    engine = make_engine(metadata.dsn)
    with make_sessions(engine).begin() as session:
        DrivingModel.rows = make_rows(session)
    engine.dispose()
    run_state_machine_as_test(
        DrivingModel,
        settings=settings(
            max_examples=25, stateful_step_count=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        ),
    )
