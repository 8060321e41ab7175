"""A backfill's texts are read before they come near a database."""

import pytest

from app.backfill.expressions import BackfillRefusedError, read_expressions


def test_columns_functions_and_values_are_named() -> None:
    found = read_expressions("role = lower(kind), (a, b) = (1, 2)", "role IS NULL AND public.is_open(state)")
    assert found.assigned == ("role", "a", "b")
    assert set(found.values) == {"role"}
    assert found.condition_columns == {"role", "state"}
    assert found.value_columns == {"kind"}
    assert found.set_functions == {("lower",)}
    assert found.where_functions == {("public", "is_open")}
    assert len(list(found.conjuncts())) == 2


@pytest.mark.parametrize(
    "text",
    [
        "true; DROP TABLE users",
        "true) OR (true",
        "true GROUP BY 1",
        "true ORDER BY 1",
        "true LIMIT 1",
        "true UNION SELECT 1",
        "true FOR UPDATE",
        "id = $1",
        "",
        "role IS",
        "true /* never closed",
        "'open",
        "$$ open",
    ],
)
def test_a_condition_is_one_boolean_expression(text: str) -> None:
    with pytest.raises(BackfillRefusedError):
        read_expressions("role = 'x'", text)


@pytest.mark.parametrize(
    "text",
    [
        "role = 'x' WHERE id = 1",
        "role = 'x' FROM other",
        "role = 'x' RETURNING *",
        "role = 'x'; DELETE FROM users",
        "role = 'x', role = 'y'",
        "role = $1",
        "role",
        "role = 'x' WHERE CURRENT OF c",
        "role = ",
    ],
)
def test_a_set_list_holds_assignments_and_nothing_else(text: str) -> None:
    with pytest.raises(BackfillRefusedError):
        read_expressions(text, "true")


def test_a_syntax_error_has_its_place_in_the_person_s_own_text() -> None:
    with pytest.raises(BackfillRefusedError) as refused:
        read_expressions("role = 'x'", "role IS NULL\nAND AND")
    assert (refused.value.line, refused.value.column) == (2, 5)


def test_comments_and_elements_of_arrays_are_fine() -> None:
    found = read_expressions("tags[1] = 'a', tags[2] = 'b' -- both", "true -- all")
    assert found.assigned == ("tags", "tags")
    assert found.values == {}


def test_other_tables_are_read_by_a_sub_select() -> None:
    found = read_expressions("name = (SELECT o.name FROM other o WHERE o.id = t.id)", "NOT EXISTS (SELECT 1 FROM other)")
    assert found.set_reads_other_rows
    assert found.where_reads_other_rows
