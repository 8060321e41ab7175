"""What a statement is: its command, what it names, and whether a transaction may hold it."""

import pytest

from app.sql.classify import classify
from app.sql.lock_levels import blocks, statement_mode, stronger
from app.sql.relations import references
from app.sql.split import split


@pytest.mark.parametrize(
    ("sql", "command", "relations"),
    [
        ("ALTER TABLE ONLY public.users ADD COLUMN x int", "ALTER TABLE", ("public.users",)),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX", ("t",)),
        ("ALTER TABLE t RENAME COLUMN a TO b", "ALTER TABLE", ("t",)),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", "ALTER TABLE", ("t",)),
        ("ALTER VIEW v RENAME TO w", "ALTER VIEW", ("v",)),
        ("ALTER TYPE e ADD VALUE 'x'", "ALTER TYPE", ()),
        ("DROP TABLE a.b, c", "DROP TABLE", ("a.b", "c")),
        ("DROP TRIGGER t ON users", "DROP TRIGGER", ("users",)),
        ("COMMENT ON COLUMN users.name IS 'x'", "COMMENT", ("users",)),
        ("CREATE TABLE a AS SELECT * FROM b", "CREATE TABLE AS", ("a", "b")),
        ("START TRANSACTION", "START TRANSACTION", ()),
        ("RESET ALL", "RESET", ()),
        ("ANALYZE users", "ANALYZE", ("users",)),
        ("REVOKE SELECT ON users FROM x", "REVOKE", ("users",)),
        ("WITH c AS (SELECT 1 FROM z) UPDATE t SET a = 1 FROM c", "UPDATE", ("t", "z")),
    ],
)
def test_command_and_relations(sql: str, command: str, relations: tuple[str, ...]) -> None:
    effect = classify(split(sql)[0])
    assert (effect.command, effect.relations) == (command, relations)


@pytest.mark.parametrize(
    ("sql", "may"),
    [
        ("CREATE INDEX i ON t (a)", True),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", False),
        ("DROP INDEX CONCURRENTLY i", False),
        ("REINDEX TABLE CONCURRENTLY t", False),
        ("REINDEX SCHEMA public", False),
        ("REINDEX TABLE t", True),
        ("VACUUM t", False),
        ("ANALYZE t", True),
        ("CLUSTER", False),
        ("CLUSTER t", True),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", False),
        ("ALTER TABLE t DETACH PARTITION p", True),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", True),
        ("ALTER TYPE e ADD VALUE 'x'", True),
        ("CREATE DATABASE d", False),
        ("ALTER SYSTEM SET work_mem = '1MB'", False),
        ("ALTER DATABASE d SET work_mem = '1MB'", True),
    ],
)
def test_whether_a_transaction_may_hold_it(sql: str, may: bool) -> None:
    assert classify(split(sql)[0]).is_transactional is may


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TABLE t ()", "ddl"),
        ("INSERT INTO t VALUES (1)", "dml"),
        ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "dml"),
        ("SELECT 1", "query"),
        ("SET x.y = 1", "none"),
        ("BEGIN", "control"),
        ("DO $$ BEGIN END $$", "opaque"),
        ("CALL p()", "opaque"),
    ],
)
def test_what_kind_of_statement_it_is(sql: str, kind: str) -> None:
    effect = classify(split(sql)[0])
    flags = {
        "ddl": effect.is_ddl,
        "dml": effect.is_dml,
        "query": effect.is_query,
        "control": effect.is_transaction_control,
        "opaque": effect.is_opaque,
    }
    assert [name for name, is_set in flags.items() if is_set] == ([] if kind == "none" else [kind])


def test_indexes_are_kept_apart_from_relations() -> None:
    effect = classify(split("DROP INDEX a.x, y")[0])
    assert (effect.relations, effect.indexes) == ((), ("a.x", "y"))


def test_references_leave_out_names_of_common_table_expressions() -> None:
    assert references("WITH c AS (SELECT * FROM a) SELECT * FROM c JOIN b ON true; DELETE FROM d") == {"a", "b", "d"}


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("ALTER TABLE t ADD COLUMN c int", "ACCESS EXCLUSIVE"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", "SHARE UPDATE EXCLUSIVE"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN d int", "ACCESS EXCLUSIVE"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", "SHARE ROW EXCLUSIVE"),
        ("CREATE INDEX ON t (a)", "SHARE"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", "SHARE UPDATE EXCLUSIVE"),
        ("UPDATE t SET a = 1", "ROW EXCLUSIVE"),
        ("LOCK TABLE t IN EXCLUSIVE MODE", "EXCLUSIVE"),
        ("VACUUM FULL t", "ACCESS EXCLUSIVE"),
    ],
)
def test_the_lock_on_the_relation_that_is_named(sql: str, mode: str) -> None:
    statement = split(sql)[0]
    assert statement_mode(statement.kind, statement.body) == mode


def test_what_a_mode_blocks() -> None:
    assert blocks("ACCESS EXCLUSIVE") == ("reads", "writes")
    assert blocks("SHARE") == ("writes",)
    assert blocks("SHARE UPDATE EXCLUSIVE") == ()
    assert stronger("SHARE", "ROW EXCLUSIVE") == "SHARE"
