from pathlib import Path

import pytest

from app.backup.check import check
from app.backup.place import Place
from app.engine.order import Finished, StepFailed, StopReached
from app.run import events
from app.steps.backup import Backup
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice
from tests.postgres.backup.taking import ended as at_its_end


@pytest.fixture
def shop(database):
    database.execute("CREATE TABLE users (id int PRIMARY KEY)")
    database.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    database.execute("INSERT INTO users SELECT generate_series(1, 1000)")
    return database


def test_reviewers_read_what_is_dumped():
    assert Backup().describe(a_step("b", "backup")) == "Backs up the whole database"
    assert Backup().describe(a_step("b", "backup", tables=["public.users"])) == "Backs up public.users"


def test_the_event_names_a_backup_that_really_restores(shop, tmp_path: Path):
    diary = Diary()
    order = an_order(
        shop, a_step("b", "backup", tables=["public.users", "public.orders"]), options={"backups": Place(directory=tmp_path)}
    )
    assert isinstance(one_slice(order, diary), Finished)
    (began,), (ended,) = diary.of(events.BackupStarted), diary.of(events.BackupFinished)
    assert began.tables == 2
    assert Path(ended.path).parent == tmp_path
    assert at_its_end(check(Place(directory=tmp_path), ended.path, ended.sha256)).entries == ended.entries


def test_a_slice_that_is_over_does_not_cut_a_dump(shop, tmp_path: Path):
    diary = Diary()
    order = an_order(shop, a_step("b", "backup"), options={"backups": Place(directory=tmp_path)})
    one_slice(order, diary, seconds=0)
    assert len(diary.of(events.BackupFinished)) == 1


def test_a_table_that_is_not_there_fails_the_step_by_name(shop, tmp_path: Path):
    result = one_slice(
        an_order(shop, a_step("b", "backup", tables=["public.nowhere"]), options={"backups": Place(directory=tmp_path)})
    )
    assert isinstance(result, StepFailed)
    assert "public.nowhere" in result.error.message
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_is_asked_to_stop_leaves_no_file(shop, tmp_path: Path):
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.BackupStarted):
            diary.ask = "cancel"

    diary.on_event = on_event
    result = one_slice(an_order(shop, a_step("b", "backup"), options={"backups": Place(directory=tmp_path)}), diary)
    assert isinstance(result, StopReached)
    assert list(tmp_path.iterdir()) == []
