"""Long lists of values are left out of the tree, and nothing else of a script changes by it."""

import pytest

from app.sql.long_lists import KEPT, shortened
from app.sql.parser import SqlSyntaxError
from app.sql.split import split
from app.sql.tree import find

ROWS = [f"({number}, 'it''s é', now(), ARRAY[1, 2]::int[])" for number in range(4 * KEPT)]
INSERT = "INSERT INTO t VALUES " + ",\n".join(ROWS) + " ON CONFLICT DO NOTHING"
LISTED = f"DELETE FROM t WHERE id IN ({', '.join(str(number) for number in range(100_000, 200_000))})"
AFTER = "ALTER TABLE users\n  ADD COLUMN x int"


@pytest.mark.parametrize("script", [INSERT, LISTED])
def test_the_rest_of_a_long_list_is_blanked_byte_for_byte(script: str) -> None:
    short = shortened(script)
    assert short != script
    assert len(short.encode()) == len(script.encode())
    assert short.count("\n") == script.count("\n")
    assert shortened(short) == short


def test_statements_keep_their_text_and_their_places() -> None:
    first, second, third = split(f"{INSERT};\n{LISTED};\n{AFTER}")
    assert (first.text, second.text, third.text) == (INSERT, LISTED, AFTER)
    assert third.line == len(ROWS) + 2
    column = next(find(third.node, "ColumnDef"))
    assert third.place(column["location"]) == (len(ROWS) + 3, 14)
    kept = next(find(first.node, "SelectStmt"))["valuesLists"]
    assert KEPT < len(kept) < len(ROWS)
    assert "onConflictClause" in first.body


def test_a_mistake_in_what_is_left_out_is_found_all_the_same() -> None:
    wrong = [*ROWS]
    wrong[3 * KEPT] = "(1, 2 3)"
    with pytest.raises(SqlSyntaxError) as caught:
        split("INSERT INTO t VALUES " + ",\n".join(wrong))
    assert caught.value.line == 3 * KEPT + 1


def test_short_scripts_and_lists_that_are_not_plain_are_left_alone() -> None:
    names = f"INSERT INTO t ({', '.join(f'column_number_{number}' for number in range(3 * KEPT))}) SELECT 1"
    escaped = f"INSERT INTO t VALUES {','.join(['(E' + chr(39) + 'a' + chr(92) + chr(39) + 'b' + chr(39) + ')'] * 10 * KEPT)}"
    assert shortened(names + " " * 70_000).strip() == names
    assert shortened(escaped) == escaped
