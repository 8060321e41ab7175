"""Which changes of a column's type write the table anew; the same list is measured in tests/postgres/analysis."""

import pytest

from app.analysis.type_change import judge

UTC_ONLY = ("timestamp without time zone", "timestamp with time zone")


@pytest.mark.parametrize(
    ("old", "new", "work"),
    [
        ("character varying(40)", "character varying(80)", "nothing"),
        ("character varying(40)", "character varying(20)", "rewrite"),
        ("character varying(40)", "text", "nothing"),
        ("text", "character varying", "nothing"),
        ("text", "character varying(10)", "rewrite"),
        ("text", "citext", "nothing"),
        ("citext", "text", "nothing"),
        ("character(4)", "text", "rewrite"),
        ("character(4)", "character(4)", "nothing"),
        ("numeric(10,2)", "numeric(12,2)", "nothing"),
        ("numeric(10,2)", "numeric", "nothing"),
        ("numeric(10,2)", "numeric(12,4)", "rewrite"),
        ("numeric", "numeric(10,2)", "rewrite"),
        ("integer", "bigint", "rewrite"),
        ("integer", "numeric", "rewrite"),
        ("json", "jsonb", "rewrite"),
        ("timestamp(3) without time zone", "timestamp without time zone", "nothing"),
        ("timestamp without time zone", "timestamp(6) without time zone", "nothing"),
        ("timestamp without time zone", "timestamp(0) without time zone", "rewrite"),
        (*UTC_ONLY, "nothing"),
        ("interval(2)", "interval", "nothing"),
        ("cidr", "inet", "nothing"),
        ("inet", "cidr", "rewrite"),
        ("bit(4)", "bit varying", "nothing"),
        ("bit(4)", "bit varying(8)", "rewrite"),
        ("bit varying(8)", "bit varying(4)", "rewrite"),
        ("xml", "text", "nothing"),
        ("text[]", "character varying[]", "rewrite"),
        ("text[]", "text[]", "nothing"),
        ("order_state", "text", "rewrite"),
        (None, "text", "unknown"),
    ],
)
def test_a_change_is_free_only_where_both_types_are_stored_alike(old: str | None, new: str, work: str) -> None:
    assert judge(old, new, using=None, column="c").work == work


def test_the_time_zone_of_the_session_decides_about_timestamps() -> None:
    assert judge(*UTC_ONLY, using=None, column="c", is_utc=False).work == "rewrite"


def test_narrowing_is_said() -> None:
    assert judge("bigint", "integer", using=None, column="c").narrows
    assert not judge("integer", "bigint", using=None, column="c").narrows


def test_indexes_follow_where_the_operators_change() -> None:
    assert judge("text", "citext", using=None, column="c").rebuilds_indexes
    assert not judge("character varying(4)", "text", using=None, column="c").rebuilds_indexes
