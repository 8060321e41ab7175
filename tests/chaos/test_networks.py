"""The network is cut for longer than a lease: between one worker and everything, or between everybody and the target."""

import sys
from urllib.parse import urlsplit

import pytest

from app.embedded.ports import free_port
from tests.chaos.conftest import LEASE_SECONDS
from tests.chaos.processes import COUNTED, SLOW_COUNT, WORKERS, assert_counted_once, begun, staged, standing_still
from tests.chaos.wire import WIRES, can_make_namespaces, wire
from tests.doubles.databases import fresh_database
from tests.doubles.orders import a_step
from tests.doubles.relay import relayed
from tests.doubles.waiting import passing
from tests.journey.theatre import another

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="uses several loopback addresses")]

ONE = (a_step("one", sql="UPDATE once SET n = n + 100", undo="UPDATE once SET n = n - 100"),)


def ports(house, target) -> tuple[int, ...]:
    broker = urlsplit(house.stack.environment["HEADGATE_REDIS_URL"]).port
    return tuple({broker, house.stack.postgres.port, target.server.port})


@pytest.mark.parametrize("kind", WIRES)
def test_a_worker_that_is_cut_off_for_longer_than_its_lease_commits_nothing_and_serves_again(
    house, database, other_database, kind
):
    if kind == "namespace" and not can_make_namespaces():
        pytest.skip("a network namespace wants root and iproute2; the relay stands for it")
    others = [house.part(name) for name in WORKERS]
    plan, later = staged(house, database, setup=COUNTED, plan=SLOW_COUNT), staged(house, other_database, setup=COUNTED, plan=ONE)
    with wire(kind, ports(house, database)) as own:
        lonely = another(house.stack, "worker", 3, prefix=own.prefix, **own.environment(house.stack.environment))
        try:
            with standing_still(*others):
                run = plan.start()
                run.until_event("batch_committed")
                assert run.is_held_by(lonely)
                own.cut()
            # the lease is not renewed any more: another worker takes the run, ends the sessions that are left, and goes on
            run.until_event("run_taken_over")
            run.end()
            assert_counted_once(run)
            before = run.event_number()
            own.mend()
            with standing_still(*others):
                last = later.start()
                last.end()
            assert last.database.value("SELECT n FROM once") == 100
            # what it had in its hands, it let fall
            assert run.event_number() == before
            assert_counted_once(run)
        finally:
            house.stack.supervisor.end(lonely)


def test_a_target_that_nobody_reaches_for_longer_than_a_lease_is_waited_for(house, frail_server):
    port = free_port()
    with fresh_database(frail_server) as target, relayed("127.0.0.1", {port: frail_server.port}) as network:
        run = begun(house, target, setup=COUNTED, plan=SLOW_COUNT, dsn=target.dsn.replace(f":{frail_server.port}/", f":{port}/"))
        run.until_event("batch_committed")
        network.cut()
        # nothing tells that the bytes are lost, so there is nothing to wait for but time
        passing(2 * LEASE_SECONDS)
        assert not run.is_over()
        network.mend()
        run.end()
        assert_counted_once(run)
