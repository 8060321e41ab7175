"""A real PgBouncer in between: refused with the reason where sessions share backends, used where each keeps its own."""

import json

import psycopg
import pytest

from app.cli.main import main
from app.engine.order import Finished, TargetAway
from app.target.errors import TargetUnreachableError
from app.target.session import Target
from tests.doubles.databases import Database
from tests.doubles.orders import a_step, an_order, one_slice
from tests.doubles.pgbouncer import PROGRAM, pgbouncer

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="apt install pgbouncer")

TIMES = 5


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_whose_sessions_share_backends_is_refused_by_the_engine_and_by_doctor(
    database: Database, mode: str, capsys
) -> None:
    with pgbouncer(database, mode) as dsn:
        # other clients have left backends behind that wait for the next one
        idle = [psycopg.connect(dsn) for _ in range(TIMES)]
        for connection in idle if mode == "transaction" else []:
            connection.execute("SELECT 1")
        for connection in idle:
            connection.close()
        for _ in range(TIMES):
            with pytest.raises(TargetUnreachableError, match="gives each transaction another session") as caught:
                Target.connect(dsn, purpose="x")
            assert caught.value.kind == "pooler"
        result = one_slice(an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), dsn=dsn))
        assert isinstance(result, TargetAway)
        assert main(["doctor", "--dsn", dsn, "--json"]) == 3
        (finding,) = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["name"] == "target"]
        assert "session mode" in finding["mend"]
    assert database.value("SELECT to_regclass('t')") is None


def test_a_pool_in_session_mode_is_worked_through(database: Database) -> None:
    steps = (
        a_step("make", sql="CREATE TABLE t AS SELECT g AS id, NULL::text AS role FROM generate_series(1, 500) AS g;"),
        a_step("index", sql="CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)"),
        a_step("fill", "backfill", table="public.t", set="role = 'user'", where="role IS NULL"),
    )
    with pgbouncer(database, "session") as dsn:
        for _ in range(TIMES):
            Target.connect(dsn, purpose="x").close()
        result = one_slice(an_order(database, *steps, dsn=dsn))
        assert isinstance(result, Finished), result
        assert database.rows("SELECT role, count(*) FROM t GROUP BY 1") == [("user", 500)]
        assert database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
