import pytest

from app.sql.lock_levels import CONFLICTS, MODES
from app.steps.politeness import sentence, wanted_locks
from app.steps.units import units_of


def wanted(script):
    return wanted_locks([part for unit in units_of(script) for part in unit.parts])


def test_conflicts_are_symmetric():
    assert all((second in CONFLICTS[first]) == (first in CONFLICTS[second]) for first in MODES for second in MODES)


@pytest.mark.parametrize(
    ("script", "locks"),
    [
        ("ALTER TABLE a.t ADD b int", {("a.t", "ACCESS EXCLUSIVE")}),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", {("t", "SHARE UPDATE EXCLUSIVE")}),
        ("CREATE INDEX i ON t (a)", {("t", "SHARE")}),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", {("t", "SHARE UPDATE EXCLUSIVE")}),
        ("DROP TABLE a, b", {("a", "ACCESS EXCLUSIVE"), ("b", "ACCESS EXCLUSIVE")}),
        ("UPDATE t SET a = 1; SELECT * FROM t; INSERT INTO t VALUES (1)", set()),
        ("CREATE TYPE mood AS ENUM ('a')", set()),
        ("VACUUM FULL t", {("t", "ACCESS EXCLUSIVE")}),
        ("ALTER TABLE t ADD b int REFERENCES s.p", {("t", "ACCESS EXCLUSIVE"), ("s.p", "SHARE ROW EXCLUSIVE")}),
        ("CREATE TABLE t (a int REFERENCES p)", {("p", "SHARE ROW EXCLUSIVE")}),
        ("CREATE TABLE c PARTITION OF p FOR VALUES IN (1)", {("p", "ACCESS EXCLUSIVE")}),
        ("ALTER TABLE p ATTACH PARTITION c DEFAULT", {("p", "SHARE UPDATE EXCLUSIVE"), ("c", "ACCESS EXCLUSIVE")}),
    ],
)
def test_only_locks_that_make_others_wait_are_asked_about(script, locks):
    found = {lock for lock in wanted(script) if lock[0] != "i"}
    assert found == locks


def test_a_holder_is_named_so_that_a_person_can_find_it():
    row = {
        "pid": 7,
        "app": "psql",
        "usr": "ann",
        "mode": "AccessShareLock",
        "relation": "t",
        "age_s": 12.3,
        "state": "idle in transaction",
        "query": "SELECT 1",
        "type": "client backend",
    }
    assert (
        sentence(row)
        == "pid 7 (psql, user ann) holds AccessShareLock on t, in a transaction for 12 s, idle in transaction: SELECT 1"
    )
    assert "prepared transaction" in sentence({**row, "pid": None})
    assert "old snapshot" in sentence({**row, "relation": None})
