"""Does the update end its own condition? What the texts alone show."""

import pytest

from app.backfill.convergence import by_syntax
from app.backfill.expressions import read_expressions
from tests.unit.backfill.tables import column, table, trigger

ENDS = [
    ("role = 'user'", "role IS NULL"),
    ("role = 'user'", "id > 5 AND role IS NULL"),
    ("role = coalesce(state, 'x')", "role IS NULL"),
    ("role = coalesce(role, state)", "role IS NULL"),
    ("role = state", "role IS NULL"),
    ("role = 'user'::text", "users.role IS NULL"),
    ("role = gen_random_uuid()", "role IS NULL"),
    ("role = CURRENT_USER", "role IS NULL"),
    ("role = NULL", "role IS NOT NULL"),
    ("state = 'new'", "state = 'old'"),
    ("state = 'new'", "state <> 'new'"),
    ("state = 'new'", "state IS DISTINCT FROM 'new'"),
    ("n = 2", "n = 1"),
]
NOT_KNOWN = [
    ("role = NULL", "role IS NULL"),
    ("role = lower(state)", "role IS NULL"),
    ("role = nullif(state, '')", "role IS NULL"),
    ("role = (SELECT 'x')", "role IS NULL"),
    ("role = 'user'", "role IS NULL OR id > 5"),
    ("role = 'user'", "NOT (role IS NOT NULL)"),
    ("state = 'new'", "state = 'new'"),
    ("state = 'new'", "state > 'a'"),
    ("state = 'new'", "state LIKE 'old'"),
    ("n = 2", "n = '1'"),
    ("role = 'x'", "lower(role) IS NULL"),
    ("(role, n) = ('x', 1)", "role IS NULL"),
    ("role = 'x'", "EXISTS (SELECT 1 FROM users u WHERE u.role IS NULL)"),
]


@pytest.mark.parametrize(("texts"), ENDS, ids=str)
def test_it_ends_where_the_texts_show_it(texts: tuple[str, str]) -> None:
    assert by_syntax(read_expressions(*texts), table()).ends is True


@pytest.mark.parametrize(("texts"), NOT_KNOWN, ids=str)
def test_nothing_is_claimed_where_they_do_not(texts: tuple[str, str]) -> None:
    assert by_syntax(read_expressions(*texts), table()).ends is None


@pytest.mark.parametrize("texts", [("n = n + 1", "true"), ("n = n + 1", "role IS NULL"), ("role = 'x'", "id < 10")], ids=str)
def test_a_condition_that_reads_nothing_that_is_set_never_ends(texts: tuple[str, str]) -> None:
    assert by_syntax(read_expressions(*texts), table()).ends is False


def test_a_before_trigger_makes_every_text_uncertain() -> None:
    touched = table(triggers=(trigger("touch", "update"),))
    assert by_syntax(read_expressions("role = 'user'", "role IS NULL"), touched).ends is None


def test_types_whose_different_constants_can_be_equal_are_not_trusted() -> None:
    for kind, fuzzy in (("numeric(5,2)", False), ("citext", False), ("text", True)):
        columns = (column("state", kind, not_null=True, fuzzy=fuzzy),)
        assert by_syntax(read_expressions("state = 'a'", "state = 'b'"), table(columns=columns)).ends is None
