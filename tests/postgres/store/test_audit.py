"""The audit log: written with the act or not at all, in one chain, and a change of the past is found."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.store import audit
from app.store.sessions import make_engine, make_sessions
from app.store.tables import AuditLine, Project
from tests.doubles.databases import Database

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def sessions(metadata: Database):
    engine = make_engine(metadata.dsn)
    yield make_sessions(engine)
    engine.dispose()


def entry(act: str = "knock", **details: object) -> audit.Entry:
    return audit.Entry(at=NOW, actor="Ann", act=act, subject_kind="door", subject_id=1, details=details, address="127.0.0.1")


def write(sessions, count: int) -> None:
    for number in range(count):
        with sessions.begin() as session:
            audit.record(session, entry(number=number))


def test_every_line_holds_the_hash_of_the_one_before(sessions):
    write(sessions, 3)
    with sessions() as session:
        lines = session.query(AuditLine).order_by(AuditLine.id).all()
        state = audit.verify_all(session)
    assert [line.previous_hash for line in lines] == [audit.FIRST, lines[0].hash, lines[1].hash]
    assert state == audit.ChainState(lines=3, broken_at=None, head=lines[2].hash)


def test_acts_of_many_at_once_form_one_chain(sessions):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write(sessions, 5), range(8)))
    with sessions() as session:
        assert audit.verify_all(session).lines == 40
        assert audit.verify_all(session).broken_at is None


def test_what_is_rolled_back_leaves_no_line_and_does_not_come_later(sessions):
    with sessions() as session:
        audit.record(session, entry("never"))
        session.rollback()
        audit.record(session, entry("done"))
        session.commit()
    with sessions() as session:
        assert [line.act for line in session.query(AuditLine)] == ["done"]


def test_a_savepoint_that_fails_takes_no_line_of_the_work_around_it(sessions):
    with sessions() as session:
        audit.record(session, entry("before"))
        savepoint = session.begin_nested()
        session.add(Project(name="Shop", slug="shop"))
        session.flush()
        savepoint.rollback()
        audit.record(session, entry("after"))
        session.commit()
    with sessions() as session:
        assert [line.act for line in session.query(AuditLine).order_by(AuditLine.id)] == ["before", "after"]
        assert session.query(Project).count() == 0


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit_log SET actor = 'Bob' WHERE id = 2",
        "UPDATE audit_log SET details = '{\"number\": 7}' WHERE id = 2",
        "UPDATE audit_log SET at = at - interval '1 day' WHERE id = 2",
        "UPDATE audit_log SET project_id = NULL, subject_id = 9 WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 1",
    ],
)
def test_who_switches_the_trigger_off_and_changes_the_past_is_found_out(sessions, metadata: Database, forgery: str):
    write(sessions, 4)
    metadata.execute("ALTER TABLE audit_log DISABLE TRIGGER USER; " + forgery)
    with sessions() as session:
        assert audit.verify_all(session).broken_at in {2, 3}


def test_a_log_that_was_cut_off_at_its_end_has_another_head(sessions, metadata: Database):
    write(sessions, 3)
    with sessions() as session:
        head = audit.verify_all(session).head
    metadata.execute("ALTER TABLE audit_log DISABLE TRIGGER USER; DELETE FROM audit_log WHERE id = 3")
    with sessions() as session:
        state = audit.verify_all(session)
    assert (state.broken_at, state.head == head) == (None, False)


def test_the_chain_does_not_depend_on_the_sessions_time_zone(sessions):
    write(sessions, 2)
    with sessions() as session:
        session.execute(text("SET TIME ZONE 'Asia/Kolkata'"))
        assert audit.verify_all(session).broken_at is None


def test_an_exported_line_holds_all_that_its_hash_is_made_of(sessions):
    write(sessions, 2)
    with sessions() as session:
        exported = [audit.as_json(line) for line in audit.all_lines(session)]
    previous = audit.FIRST
    for line in exported:
        content = {name: value for name, value in line.items() if name not in {"id", "previous_hash", "hash"}}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert line["hash"] == hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()
        previous = line["hash"]
