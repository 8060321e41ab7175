"""Headgate's own schema: migrations and mappings say the same, up, down and up again."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import OperationalError

from app.store.base import Base, Word
from app.store.migrate import current, downgrade, newest, upgrade
from app.store.sessions import make_engine
from tests.doubles.databases import Database

CONSTRAINTS = """
SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname = 'public' AND c.conrelid <> 0 AND c.conrelid::regclass::text <> 'alembic_version'
ORDER BY 1, 2
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"


def test_migrations_and_mappings_make_the_same_tables(metadata: Database):
    engine = make_engine(metadata.dsn)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert list(compare_metadata(context, Base.metadata)) == []
    engine.dispose()


def test_migrations_and_mappings_make_the_same_constraints_and_indexes(metadata: Database, other_database: Database):
    other_database.execute("DROP EXTENSION pg_stat_statements")
    engine = make_engine(other_database.dsn)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert metadata.rows(CONSTRAINTS) == other_database.rows(CONSTRAINTS)
    assert metadata.rows(INDEXES) == other_database.rows(INDEXES)


def test_up_down_and_up_again_leaves_nothing_and_then_everything(database: Database):
    upgrade(database.dsn)
    assert current(database.dsn) == newest()
    assert database.value(TABLES) == len(Base.metadata.tables) + 1
    downgrade(database.dsn, "base")
    assert database.value(TABLES) == 1  # alembic's own
    assert database.value("SELECT count(*) FROM pg_proc WHERE proname LIKE 'headgate%'") == 0
    upgrade(database.dsn)
    upgrade(database.dsn)
    assert current(database.dsn) == newest()


def test_two_processes_that_upgrade_at_once_take_turns(database: Database):
    import subprocess
    import sys
    from concurrent.futures import ThreadPoolExecutor

    program = "import sys; from app.store.migrate import upgrade; upgrade(sys.argv[1])"
    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(lambda _: subprocess.run([sys.executable, "-c", program, database.dsn], check=False).returncode, range(2))
        )
    assert done == [0, 0]
    assert current(database.dsn) == newest()


def test_every_word_column_has_its_check():
    for table in Base.metadata.tables.values():
        checks = {constraint.name for constraint in table.constraints}
        for column in table.columns:
            if isinstance(column.type, Word):
                assert f"ck_{table.name}_{column.name}_is_known" in checks, f"{table.name}.{column.name} takes any word"


@pytest.mark.parametrize("table", ["audit_log", "run_events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_histories_are_append_only(metadata: Database, table: str, statement: str):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append only"):
        metadata.execute(statement.format(table))


def test_a_revision_is_never_changed(metadata: Database):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="plan_revisions is append only"):
        metadata.execute("UPDATE plan_revisions SET document = '{}'")


def test_a_migration_does_not_wait_long_in_a_lock_queue(metadata: Database):
    downgrade(metadata.dsn, "0001")
    before = metadata.value(TABLES)
    with metadata.connect(autocommit=False) as reader:
        reader.execute("SELECT FROM restores")
        with pytest.raises(OperationalError, match="lock timeout"):
            downgrade(metadata.dsn, "base")
    assert metadata.value(TABLES) == before, "one transaction each: nothing of it was done"
