"""A plan with every kind of unit, what a database must look like after it, and what may be left there: nothing of ours."""

from dataclasses import dataclass, replace
from uuid import uuid4

from app.catalog.fingerprint import fingerprint
from app.catalog.schema import read_schema
from app.engine.order import RunOrder
from app.plan.model import Step
from tests.doubles.databases import Database
from tests.doubles.orders import a_step, an_order
from tests.doubles.waiting import until

ROWS = 3000

SETUP = f"""
    CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, m int NOT NULL DEFAULT 0, role text);
    INSERT INTO counted (id) SELECT generate_series(1, {ROWS});
    CREATE TABLE once (n int NOT NULL);
    INSERT INTO once VALUES (0);
    CREATE TABLE parts (a int) PARTITION BY LIST (a);
    CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TYPE mood AS ENUM ('calm');
    CREATE SCHEMA aside;
    CREATE TABLE aside.few (id int PRIMARY KEY);
"""


def steps() -> tuple[Step, ...]:
    """Transactional groups, concurrent indexes, statements outside transactions, three backfills, checks."""
    return (
        a_step(
            "expand",
            sql="UPDATE once SET n = n + 1; ALTER TABLE counted ADD extra int; ALTER TYPE mood ADD VALUE 'busy'; UPDATE once SET n = n + 10;",
            undo="ALTER TABLE counted DROP extra; UPDATE once SET n = n - 11;",
        ),
        a_step(
            "walk",
            "backfill",
            undo="UPDATE counted SET role = NULL",
            table="public.counted",
            set="role = 'user'",
            where="role IS NULL",
        ),
        a_step("count", "backfill", undo="UPDATE counted SET n = n - 1", table="public.counted", set="n = n + 1", where="true"),
        a_step(
            "spread",
            "backfill",
            undo="UPDATE counted SET m = m - 1",
            table="public.counted",
            set="m = m + 1",
            where="true",
            workers=2,
        ),
        a_step("look", "check", query="SELECT sum(n + m) FROM counted", expect=2 * ROWS),
        a_step("refuse", "check", statement="INSERT INTO once VALUES (NULL)", refused_with="23502"),
        a_step(
            "indexes",
            sql="CREATE INDEX CONCURRENTLY counted_role ON counted (role); REINDEX INDEX CONCURRENTLY counted_role;"
            " REINDEX TABLE CONCURRENTLY counted; REINDEX SCHEMA CONCURRENTLY aside; REINDEX TABLE once; VACUUM counted;"
            " ALTER TABLE parts DETACH PARTITION part_1 CONCURRENTLY; UPDATE once SET n = n + 100;",
            undo="UPDATE once SET n = n - 100; ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES IN (1); DROP INDEX CONCURRENTLY counted_role;",
        ),
        a_step(
            "contract",
            sql="ALTER TABLE counted ALTER role SET DEFAULT 'user'; CREATE INDEX CONCURRENTLY doomed ON counted (n); DROP INDEX CONCURRENTLY doomed;"
            " UPDATE once SET n = n + 1000;",
            undo="ALTER TABLE counted ALTER role DROP DEFAULT; UPDATE once SET n = n - 1000;",
        ),
    )


def every_kind(hook: str) -> tuple[Step, ...]:
    """The same with what waits, asks, calls and saves; ``hook`` is the address that is called."""
    first, *rest = steps()
    return (
        a_step("save", "backup", tables=["public.once"], format="custom"),
        first,
        a_step("ask", "gate", ask="The release is live"),
        a_step("rest", "wait", seconds=0.2),
        a_step("tell", "hook", url=hook),
        *rest,
    )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a database looks like after a run."""

    once: object
    counted: list[tuple]
    schema: str


def facts(database: Database) -> Facts:
    """What the run came to, as far as it can be seen in the data and the catalog."""
    with database.connect() as connection:
        schema = fingerprint(read_schema(connection))
    return Facts(
        once=database.value("SELECT n FROM once"),
        counted=database.rows("SELECT n, m, role, count(*) FROM counted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"),
        schema=schema,
    )


def left_overs(database: Database) -> list[tuple]:
    """Whatever of ours is still there: sessions, advisory locks, prepared transactions, invalid indexes, temporary objects."""
    return database.rows(
        """
        SELECT 'session', application_name FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'headgate%'
        UNION ALL SELECT 'advisory lock', pid::text FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'prepared transaction', gid FROM pg_prepared_xacts WHERE database = current_database()
        UNION ALL SELECT 'invalid index', indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
        UNION ALL SELECT 'copy of an index', relname FROM pg_class WHERE relkind = 'i' AND relname ~ '_cc(new|old)[0-9]*$'
        UNION ALL SELECT 'half detached partition', inhrelid::regclass::text FROM pg_inherits WHERE inhdetachpending
        UNION ALL SELECT 'temporary object', oid::regclass::text FROM pg_class WHERE relpersistence = 't'
        """
    )


def new_order(database: Database, plan: tuple[Step, ...] = (), **options: object) -> RunOrder:
    """The run of the plan on a prepared database."""
    database.execute(SETUP)
    return an_order(database, *(plan or steps()), lease_seconds=5.0, options=options)


def undo_order(order: RunOrder) -> RunOrder:
    """The rollback of the whole run."""
    return replace(order, key=uuid4(), fence=1, direction="rollback", forward_key=order.key)


def assert_like(database: Database, expected: Facts) -> None:
    """Everything took effect once, and nothing of ours is left."""
    found = facts(database)
    assert found == expected
    # where the server ends a session, its row is there for a moment longer
    until(lambda: not left_overs(database), seconds=10)
