"""A script is split as PostgreSQL would, with the places of its statements, and refused with the place of what is wrong."""

import pytest

from app.errors import HeadgateError
from app.sql.parser import SqlSyntaxError, SqlTooLargeError
from app.sql.psql import CopyDataError, MetaCommandError
from app.sql.split import comments, has_statements, split


def places(script: str) -> list[tuple[int, int, str]]:
    return [(statement.line, statement.column, statement.text) for statement in split(script)]


def refusal(script: str) -> HeadgateError:
    with pytest.raises(HeadgateError) as caught:
        split(script, file="001.sql")
    return caught.value


def test_statements_begin_at_their_first_token_not_at_the_comment_before_it() -> None:
    assert places("-- why\nSELECT 1;\n/* a /* nested */ one */ SELECT 2") == [(2, 1, "SELECT 1"), (3, 26, "SELECT 2")]


def test_columns_count_characters_where_the_text_is_not_ascii() -> None:
    assert places("/* é€😀 */ SELECT 'ü'; SELECT 2") == [(1, 11, "SELECT 'ü'"), (1, 23, "SELECT 2")]


def test_a_begin_atomic_body_stays_whole() -> None:
    body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END"
    assert [text for _, _, text in places(f"{body}; SELECT 3")] == [body, "SELECT 3"]


def test_semicolons_in_quotes_and_dollar_quotes_do_not_split() -> None:
    script = "SELECT ';', \";\", $a$;$b$;$a$; DO $$ BEGIN NULL; END $$"
    assert len(split(script)) == 2


def test_a_script_of_comments_holds_no_statement() -> None:
    assert split("-- nothing\n/* here */;") == []
    assert not has_statements("-- nothing\n;")
    assert has_statements("$$x$$")


def test_a_byte_order_mark_is_not_part_of_the_first_statement() -> None:
    assert places("\ufeffSELECT 1") == [(1, 1, "SELECT 1")]


def test_a_place_in_the_tree_becomes_line_and_column_of_the_script() -> None:
    statement = split("SELECT 1;\nALTER TABLE é\n  ADD COLUMN c int CHECK (c > 0)")[1]
    location = statement.body["cmds"][0]["AlterTableCmd"]["def"]["ColumnDef"]["constraints"][0]["Constraint"]["location"]
    assert statement.place(location) == (3, 20)


def test_a_syntax_error_names_file_line_column_and_the_statement() -> None:
    error = refusal("SELECT 1;\n\nALTER TABEL users ADD COLUMN c int;\nSELECT 2")
    assert isinstance(error, SqlSyntaxError)
    assert (error.file, error.line, error.column, error.sqlstate) == ("001.sql", 3, 7, "42601")
    assert error.hint == "It is in statement 2, which begins in line 3: ALTER TABEL users ADD COLUMN c int"


def test_an_unclosed_quote_is_named_where_it_begins() -> None:
    error = refusal("SELECT 1;\nSELECT 'open")
    assert (error.line, error.column) == (2, 8)
    assert error.hint == "What begins here is never closed."


def test_a_variable_of_psql_is_explained() -> None:
    assert refusal("SELECT :name").hint == "A colon and a name is a variable of psql: write the value itself."


def test_lines_that_pg_dump_writes_for_psql_are_dropped_and_lines_keep_their_numbers() -> None:
    assert places("-- dump\n\\restrict Xy1\nSELECT 1;\n\\unrestrict Xy1\n") == [(3, 1, "SELECT 1")]


@pytest.mark.parametrize("command", ["\\i other.sql", "\\connect shop", "\\set x 1", "\\copy t from 'f'", "\\gexec", "\\if true"])
def test_other_commands_of_psql_are_refused_by_name_and_line(command: str) -> None:
    error = refusal(f"SELECT 1;\n{command}\n")
    assert isinstance(error, MetaCommandError)
    assert error.line == 2
    assert command.split(maxsplit=1)[0] in error.message
    assert error.hint


def test_a_backslash_inside_quotes_is_no_command() -> None:
    assert len(split(r"SELECT E'\\x', '\i f', $$ \connect $$ -- \set x")) == 1


def test_copied_rows_are_refused_with_the_line_of_the_copy() -> None:
    error = refusal("SELECT 1;\nCOPY t (a) FROM stdin;\n1\t'x\n\\.\nSELECT 2;")
    assert isinstance(error, CopyDataError)
    assert error.line == 2


def test_a_copy_from_a_file_is_a_statement_like_any_other() -> None:
    assert len(split("COPY t FROM '/srv/rows.csv'")) == 1


@pytest.mark.parametrize(
    "deep",
    ["SELECT " + "1+" * 30_000 + "1", "SELECT " + "NOT " * 9_000 + "true", "SELECT 1" + " UNION SELECT 1" * 20_000],
)
def test_a_statement_that_is_nested_too_deeply_has_no_tree_and_its_neighbours_have_theirs(deep: str) -> None:
    kinds = [statement.kind for statement in split(f"SELECT 0; {deep}; DROP TABLE t")]
    assert kinds == ["SelectStmt", "", "DropStmt"]


@pytest.mark.parametrize(
    "chain", ["SELECT " + " + ".join(["1"] * 400), "SELECT " + "CASE WHEN true THEN " * 60 + "1" + " END" * 60]
)
def test_long_but_honest_expressions_are_read(chain: str) -> None:
    assert split(chain)[0].kind == "SelectStmt"


def test_a_script_over_five_mebibytes_is_refused_with_its_size() -> None:
    error = refusal("SELECT 1; -- " + "x" * 5_300_000)
    assert isinstance(error, SqlTooLargeError)
    assert "5.1 MiB" in error.message


def test_too_many_statements_are_refused() -> None:
    assert "20001 statements" in refusal("SELECT 1;" * 20_001).message


def test_a_nul_character_is_refused_where_it_stands() -> None:
    assert refusal("SELECT 1;\nSELECT '\0'").line == 2


def test_comments_come_with_their_lines() -> None:
    found = comments("-- one\nSELECT '-- no', 1 /* two */;")
    assert [(comment.line, comment.text) for comment in found] == [(1, "one"), (2, "two")]
