"""The engine is killed with SIGKILL at every safe point of a plan with all kinds of unit; afterwards the data is looked at."""

import sys
from pathlib import Path

import psutil
import pytest

from app.backup.place import Place
from app.sql.split import split
from app.steps.registry import KINDS
from app.steps.units import units_of
from tests.chaos.driver import Point, finished, killed_at, killed_at_a_new_point, next_holder, to_the_end
from tests.chaos.rounds import some
from tests.chaos.stages import assert_like, every_kind, facts, new_order, undo_order
from tests.doubles.databases import fresh_database
from tests.doubles.diary import Diary
from tests.doubles.receiver import receiving

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="forks a driver and reads /proc")]

#: tried one by one in the short form too, beside the walk through all of them
ALONE = 8
#: told once in half a second, so that their number is no property of the plan
BY_TIME = {"batch_committed"}


@pytest.fixture(scope="module")
def hook():
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def calm(postgres_server, hook, tmp_path_factory):
    """What an undisturbed run and its rollback come to, and the safe points of both."""
    with fresh_database(postgres_server) as database:
        order = new_order(database, every_kind(hook.url), backups=Place(directory=tmp_path_factory.mktemp("calm")))
        forward, back = Diary(), Diary()
        assert finished(to_the_end(order, forward))
        done = facts(database)
        assert finished(to_the_end(undo_order(order), back))
        yield done, points(forward), facts(database), points(back)


def points(diary: Diary) -> list[Point]:
    return [Point.of(event) for event in diary if event.type() not in BY_TIME]


def assert_saved(folder: Path) -> None:
    """A backup with its manifest, and nothing of those that were cut off: no file, no process."""
    writing = [process for process in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(process.info["cmdline"] or ())]
    assert not writing
    names = {path.name.removesuffix(".manifest.json") for path in folder.iterdir()}
    assert names
    assert not [name for name in names if name.endswith(".partial")]


def test_the_plan_holds_every_kind_of_step_and_of_unit():
    steps = every_kind("http://127.0.0.1/")
    assert {step.kind for step in steps} == set(KINDS)
    units = [unit for step in steps if step.kind == "sql" for unit in units_of(step.spec["sql"])]
    assert {unit.way for unit in units} == {"transaction", "index", "detach", "repeat"}
    text = " ".join(statement.text for step in steps if step.kind == "sql" for statement in split(step.spec["sql"]))
    for words in ("CREATE INDEX", "DROP INDEX", "REINDEX INDEX", "REINDEX TABLE", "REINDEX SCHEMA"):
        assert f"{words} CONCURRENTLY" in text


def test_a_run_whose_holders_are_killed_one_safe_point_further_each_does_everything_once(database, calm, hook, tmp_path):
    done, every, _, _ = calm
    order, known = new_order(database, every_kind(hook.url), backups=Place(directory=tmp_path)), set()
    hook.keys.clear()
    while (point := killed_at_a_new_point(order, known)) is not None:
        known.add(point)
        order = next_holder(order)
        assert len(known) < 4 * len(every), "each holder gets a little further"
    assert known >= set(every), "every safe point of an undisturbed run was somebody's last"
    assert len(every) >= 80, "the plan has so many"
    assert_like(database, done)
    assert_saved(tmp_path)
    # at least once, and the receiver can tell that it is the same call
    assert len(hook.keys) > 1
    assert set(hook.keys) == {f"{order.key}/tell"}


def test_a_run_that_is_killed_at_one_safe_point_and_nowhere_else_does_everything_once(postgres_server, calm, hook, tmp_path):
    done, every, _, _ = calm
    for number in some(range(1, len(every) + 1), ALONE):
        folder = tmp_path / str(number)
        folder.mkdir()
        with fresh_database(postgres_server) as database:
            order = new_order(database, every_kind(hook.url), backups=Place(directory=folder))
            assert killed_at(order, number), f"there is no event {number}"
            assert finished(to_the_end(next_holder(order))), f"killed at event {number}"
            assert_like(database, done)
            assert_saved(folder)


def test_a_rollback_whose_holders_are_killed_one_safe_point_further_each_undoes_everything_once(database, calm, hook, tmp_path):
    _, _, undone, every = calm
    forward = new_order(database, every_kind(hook.url), backups=Place(directory=tmp_path))
    assert finished(to_the_end(forward))
    order, known = undo_order(forward), set()
    while (point := killed_at_a_new_point(order, known)) is not None:
        known.add(point)
        order = next_holder(order)
        assert len(known) < 4 * len(every), "each holder gets a little further"
    assert known >= set(every)
    assert len(every) > 30
    assert_like(database, undone)
