"""The engine is killed with SIGKILL at every event of a plan with all kinds of unit; afterwards the data is looked at."""

import os
import signal
import sys
from dataclasses import replace

import pytest

from app.engine.order import RunOrder
from tests.chaos.stages import Child, Facts, assert_like, facts, finished, new_order, to_the_end, undo_order
from tests.doubles.databases import Database, fresh_database
from tests.doubles.diary import Diary

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="forks a driver and reads /proc")]


def killed_at(order: RunOrder, number: int) -> int:
    """Drive the run in a process that kills itself before it keeps event ``number``; how it ended."""

    def at(now, _event):
        if now == number:
            os.kill(os.getpid(), signal.SIGKILL)

    child = Child(order, at)
    code = child.wait()
    child.told()
    return code


@pytest.fixture
def expected(database: Database) -> Facts:
    """What an undisturbed run comes to."""
    assert finished(to_the_end(new_order(database)))
    return facts(database)


def test_a_run_that_is_killed_at_every_safe_point_does_everything_once(postgres_server, expected):
    number, killed = 0, 0
    while True:
        number += 1
        with fresh_database(postgres_server) as database:
            order = new_order(database)
            code = killed_at(order, number)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            killed += 1
            assert finished(to_the_end(replace(order, fence=2))), f"killed at event {number}"
            assert_like(database, expected)
    assert killed >= 40, "the plan has so many safe points"


def test_a_run_whose_every_holder_is_killed_still_gets_there(postgres_server, expected):
    with fresh_database(postgres_server) as database:
        order = new_order(database)
        kills = 0
        # the longer the list of units that are found done, the later the next kill
        while killed_at(order, 4 + kills) != 0:
            kills += 1
            order = replace(order, fence=order.fence + 1)
            assert kills < 100, "each holder gets a little further"
        assert kills > 5
        assert_like(database, expected)


def test_a_rollback_that_is_killed_at_every_safe_point_undoes_everything_once(postgres_server, database):
    forward = new_order(database)
    before = facts(database)
    assert finished(to_the_end(forward))
    with fresh_database(postgres_server, template=database.name) as undone:
        assert finished(to_the_end(replace(undo_order(forward), dsn=undone.dsn)))
        after = facts(undone)
    assert (after.once, after.counted) == (before.once, before.counted)
    number = 0
    while True:
        number += 1
        # a copy of the database as the forward run left it, ledger and all
        with fresh_database(postgres_server, template=database.name) as other:
            undoing = replace(undo_order(forward), dsn=other.dsn)
            if killed_at(undoing, number) == 0:
                break
            assert finished(to_the_end(replace(undoing, fence=2), Diary())), f"killed at event {number}"
            assert_like(other, after)
    assert number > 15
