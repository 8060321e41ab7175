"""Which statements are the same, and which tables they touch."""

import pytest

from app.sql.identity import identify, is_about_data, is_our_own, touches


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT * FROM users WHERE id = $1", "select * from users where id = 7"),
        ("SELECT * FROM users WHERE id IN ($1, $2)", "SELECT * FROM users WHERE id IN (1, 2, 3)"),
        ("SELECT 1 FROM users /* page 3 */", "SELECT 1 FROM users"),
        ("SELECT now() - interval $1 FROM users", "SELECT now() - interval '1 day' FROM users"),
    ],
)
def test_constants_parameters_case_and_comments_make_no_difference(one, other):
    assert identify(one).relations == identify(other).relations == frozenset({"users"})
    if "interval" not in one:
        assert identify(one).key == identify(other).key


def test_different_statements_differ():
    assert identify("SELECT a FROM users").key != identify("SELECT b FROM users").key


def test_a_table_is_touched_with_and_without_its_schema():
    wanted = {"public.users"}
    assert touches(identify("SELECT * FROM users"), wanted)
    assert touches(identify("UPDATE public.users SET a = 1"), wanted)
    assert not touches(identify("SELECT * FROM archive.users"), wanted)
    assert not touches(identify("SELECT 'users' FROM orders"), wanted)
    assert not touches(identify("WITH users AS (SELECT 1) SELECT * FROM users"), wanted)


def test_queries_on_the_catalog_ddl_and_settings_are_not_about_data():
    assert is_about_data(identify("INSERT INTO orders VALUES ($1)"))
    assert not is_about_data(identify("SELECT * FROM pg_catalog.pg_class"))
    assert not is_about_data(identify("SELECT $1"))
    assert not is_about_data(identify("ALTER TABLE users ADD COLUMN a int"))
    assert not is_about_data(identify("BEGIN"))


def test_what_headgate_did_itself_is_recognised():
    marked = "SELECT /* headgate */ count(*) FROM users"
    fenced = "WITH f AS (UPDATE headgate.fence SET at = now() RETURNING 1) UPDATE users SET role = $1 FROM f"
    assert is_our_own(marked, identify(marked))
    assert is_our_own(fenced, identify(fenced))
    assert not is_our_own("SELECT * FROM users", identify("SELECT * FROM users"))


def test_a_text_that_does_not_parse_is_matched_by_its_words():
    one, other = identify("FETCH FORWARD $1 FROM c"), identify("fetch  FORWARD $2 FROM c")
    assert not one.is_parsed
    assert one.key == other.key
