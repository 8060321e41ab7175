"""Which walk is chosen, by which key, and why."""

from typing import Any

import pytest

from app.backfill.convergence import Convergence
from app.backfill.definition import read_definition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.keys import Key, choose_key
from app.backfill.strategy import Strategy, choose_strategy
from app.backfill.table import Table
from tests.unit.backfill.tables import column, index, table, trigger

FILL = {"table": "users", "set": "role = 'user'", "where": "role IS NULL"}
ENDS = Convergence(ends=True, because="role is set to a value that is never NULL")
NEVER = Convergence(ends=False, because="the condition does not read a column that is set")
UNKNOWN = Convergence(ends=None, because="nothing matches now")
PRIMARY = index("users_pkey", "id", is_primary=True)
CALM: dict[str, frozenset[str]] = {"set": frozenset(), "where": frozenset()}


def _choose(found: Table, convergence: Convergence, spec: dict[str, Any] | None = None, **volatile: frozenset[str]) -> Strategy:
    return choose_strategy(read_definition(spec or FILL), found, convergence, {**CALM, **volatile})


def test_page_windows_where_the_update_ends_its_condition() -> None:
    chosen = _choose(table(indexes=(PRIMARY,)), ENDS)
    assert (chosen.kind, chosen.passes, chosen.convergent) == ("windows", 8, True)


def test_one_pass_where_an_index_holds_a_column_that_is_set() -> None:
    assert _choose(table(indexes=(PRIMARY, index("by_role", "role", is_unique_key=False))), ENDS).passes == 1


def test_a_summarizing_index_does_not_cost_the_passes() -> None:
    brin = index("by_role", "role", is_unique_key=False, is_btree=False, is_summary=True)
    assert _choose(table(indexes=(PRIMARY, brin)), ENDS).passes == 8


def test_keyset_where_it_does_not_end_or_is_not_known_to() -> None:
    for convergence in (NEVER, UNKNOWN):
        chosen = _choose(table(indexes=(PRIMARY,)), convergence)
        assert chosen.kind == "keyset"
        assert not chosen.convergent
        assert any(convergence.because in reason for reason in chosen.reasons)


def test_without_a_key_page_windows_are_taken_unless_they_are_known_not_to_end() -> None:
    assert _choose(table(), UNKNOWN).kind == "windows"
    with pytest.raises(BackfillRefusedError, match="no unique key"):
        _choose(table(), NEVER)


def test_another_access_method_is_walked_by_key() -> None:
    assert _choose(table(indexes=(PRIMARY,), method="columnar"), ENDS).kind == "keyset"


def test_a_volatile_value_is_computed_once_a_row() -> None:
    assert _choose(table(indexes=(PRIMARY,)), Convergence(ends=True, because="tried"), set=frozenset({"random"})).kind == "keyset"
    chosen = _choose(table(indexes=(PRIMARY,)), ENDS, set=frozenset({"gen_random_uuid"}))
    assert chosen.kind == "windows"
    assert any("gen_random_uuid()" in warning for warning in chosen.warnings)


def test_a_volatile_condition_is_refused() -> None:
    with pytest.raises(BackfillRefusedError, match="random"):
        _choose(table(indexes=(PRIMARY,)), ENDS, where=frozenset({"random"}))


def test_a_reviewer_is_warned_of_triggers_identity_and_generated_columns() -> None:
    columns = (column("id", "bigint", not_null=True), column("role"), column("g", generated="s"))
    found = _choose(table(indexes=(PRIMARY,), columns=columns, triggers=(trigger("touch", "update"),), full_identity=True), ENDS)
    assert len(found.warnings) == 3


def test_a_strategy_can_be_kept_and_read_again() -> None:
    chosen = _choose(table(indexes=(PRIMARY,)), NEVER)
    assert Strategy.from_json(chosen.as_json()) == chosen


def test_the_primary_key_comes_first_then_the_narrowest() -> None:
    columns = (column("a", not_null=True, width=40), column("b", not_null=True, width=4), column("id", "bigint", not_null=True))
    wide, narrow = index("wide", "a"), index("narrow", "b")
    key = choose_key(table(columns=columns, indexes=(wide, narrow)), None)
    assert key is not None
    assert key.index == "narrow"
    key = choose_key(table(columns=columns, indexes=(wide, narrow, PRIMARY)), None)
    assert key is not None
    assert key.index == "users_pkey"
    assert Key.from_json(key.as_json()) == key


def test_a_key_that_can_be_null_is_the_last_choice() -> None:
    nullable, narrow = index("a_nullable", "role"), index("narrow", "state")
    key = choose_key(table(indexes=(nullable,)), None)
    assert key is not None
    assert (key.index, key.has_nulls) == ("a_nullable", True)
    key = choose_key(table(indexes=(nullable, narrow)), None)
    assert key is not None
    assert (key.index, key.has_nulls) == ("narrow", False)


def test_an_order_that_a_library_update_changed_is_not_walked() -> None:
    columns = (column("k", not_null=True, is_order_stale=True), column("role"))
    stale = table(columns=columns, indexes=(index("by_k", "k"),))
    assert choose_key(stale, None) is None
    with pytest.raises(BackfillRefusedError, match="another version than its indexes"):
        choose_key(stale, ("k",))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (index("k", "id", "state", descending=(False, True)), "different directions"),
        (index("k", "id", is_unique_key=False), "not a plain"),
        (index("other", "state"), "no index has exactly"),
    ],
)
def test_a_named_key_that_does_not_fit_is_refused_with_the_reason(found: Any, words: str) -> None:
    wanted = found.key_columns if found.name == "k" else ("id",)
    assert choose_key(table(indexes=(found,)), None) is None or found.name == "other"
    with pytest.raises(BackfillRefusedError, match=words):
        choose_key(table(indexes=(found,)), wanted)
