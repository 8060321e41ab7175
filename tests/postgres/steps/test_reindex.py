"""REINDEX ... CONCURRENTLY that was cut off: its copies are found wherever they are, dropped, and the rest is done again."""

from contextlib import closing
from dataclasses import replace

import pytest

from app.engine.order import Finished, StepFailed
from app.run import events
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice
from tests.postgres.steps.test_index import intend

INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
TABLES = """
    CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a);
    CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX pi ON p (a);
"""


@pytest.mark.parametrize(
    ("sql", "copies"),
    [
        ("REINDEX INDEX CONCURRENTLY i", 1),
        ("REINDEX (CONCURRENTLY) INDEX public.i", 1),
        # the table's own index and the one of its TOAST table
        ("REINDEX TABLE CONCURRENTLY t", 2),
        # on a partition
        ("REINDEX INDEX CONCURRENTLY pi", 1),
        ("REINDEX SCHEMA CONCURRENTLY public", 2),
        ("REINDEX DATABASE CONCURRENTLY {database}", 2),
    ],
)
def test_copies_that_an_interrupted_reindex_left_are_dropped_and_it_runs_again(database, sql, copies):
    database.execute(TABLES)
    sql = sql.format(database=database.name)
    with closing(database.connect(autocommit=False)) as writer, database.connect() as cut:
        writer.execute("INSERT INTO p VALUES (1)" if "pi" in sql else "INSERT INTO t VALUES (0)")
        cut.execute("SET statement_timeout = 400")
        with pytest.raises(Exception, match="timeout"):
            cut.execute(sql)
        writer.commit()
    assert database.value(INVALID) == copies
    order = an_order(database, a_step("s", sql=sql))
    intend(order, sql)
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert database.value(INVALID) == 0
    assert len(diary.of(events.UnitReconciled)) == copies


def test_an_index_that_the_server_skips_is_no_success(database):
    database.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    with database.connect() as connection, pytest.raises(Exception, match="unique"):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)")
    result = one_slice(an_order(database, a_step("s", sql="REINDEX TABLE CONCURRENTLY t")))
    assert isinstance(result, StepFailed)
    assert "public.i is INVALID" in result.error.message
