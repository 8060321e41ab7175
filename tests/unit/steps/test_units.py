import pytest

from app.sql.split import SqlSyntaxError
from app.steps.errors import StepRefusedError
from app.steps.units import settings_before, units_of


def ways(script, **options):
    return [(unit.way, [part.statement.index for part in unit.parts]) for unit in units_of(script, **options)]


def test_neighbours_that_can_share_a_transaction_do_and_others_stand_alone_in_the_order_written():
    script = """
        ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;
        CREATE INDEX CONCURRENTLY i ON t (a);
        UPDATE t SET b = 1; VACUUM t;
        ALTER TABLE p DETACH PARTITION c CONCURRENTLY;
        REINDEX TABLE CONCURRENTLY t; DROP INDEX CONCURRENTLY i; SELECT 1;
    """
    assert ways(script) == [
        ("transaction", [1, 2]),
        ("index", [3]),
        ("transaction", [4]),
        ("repeat", [5]),
        ("detach", [6]),
        ("index", [7]),
        ("index", [8]),
        ("transaction", [9]),
    ]


def test_each_statement_gets_its_own_transaction_where_the_step_says_so():
    assert ways("SELECT 1; SELECT 2;", share=False) == [("transaction", [1]), ("transaction", [2])]


def test_a_new_enum_value_is_committed_before_it_can_be_used():
    script = "CREATE TABLE t (a int); ALTER TYPE mood ADD VALUE 'calm'; UPDATE t SET m = 'calm';"
    assert ways(script) == [("transaction", [1]), ("transaction", [2]), ("transaction", [3])]
    assert ways("ALTER TYPE mood RENAME VALUE 'a' TO 'b'; SELECT 1") == [("transaction", [1, 2])]


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("BEGIN", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("ROLLBACK", "ROLLBACK"),
        ("SAVEPOINT a", "SAVEPOINT"),
        ("CREATE DATABASE x", "CREATE DATABASE"),
        ("DROP DATABASE x", "DROP DATABASE"),
        ("ALTER DATABASE x CONNECTION LIMIT 3", "ALTER DATABASE"),
        ("ALTER DATABASE x SET work_mem = '1GB'", "ALTER DATABASE"),
        ("ALTER DATABASE x RENAME TO y", "ALTER DATABASE"),
        ("ALTER DATABASE x OWNER TO y", "ALTER DATABASE"),
        ("ALTER SYSTEM SET work_mem = '1GB'", "ALTER SYSTEM"),
        ("CREATE TABLESPACE x LOCATION '/x'", "CREATE TABLESPACE"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", "name"),
    ],
)
def test_what_can_not_run_exactly_once_is_refused_with_its_line_and_the_reason(statement, word):
    with pytest.raises(StepRefusedError) as caught:
        units_of(f"SELECT 1;\n{statement};", file="up.sql")
    assert (caught.value.line, caught.value.file) == (2, "up.sql")
    assert word in caught.value.message
    assert caught.value.hint


def test_sql_that_does_not_parse_is_refused_with_its_place():
    with pytest.raises(SqlSyntaxError):
        units_of("SELEC 1")


def test_the_digest_tells_of_the_statements_and_of_nothing_else():
    one, two = units_of("SELECT 1; VACUUM t; SELECT 2")[0], units_of("  SELECT 1;")[0]
    assert one.digest == two.digest
    assert one.digest != units_of("SELECT  1")[0].digest


def test_settings_of_earlier_units_are_said_again_but_not_local_ones():
    units = units_of("SET search_path = a; SET LOCAL work_mem = '1MB'; VACUUM t; SET role x; SELECT 1;")
    assert settings_before(units, 3) == ["SET search_path = a"]
    assert settings_before(units, 1) == []


def test_no_statement_makes_no_unit():
    assert units_of("-- nothing here\n;") == ()
