"""Names and types have one form, and are quoted only where PostgreSQL needs it."""

import pytest

from app.sql.names import from_type_name, quote_identifier, quote_qualified, split_qualified
from app.sql.parser import parse_json


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("users", "users"),
        ("User", '"User"'),
        ("select", '"select"'),
        ("a b", '"a b"'),
        ('a"b', '"a""b"'),
        ("int", '"int"'),
        ("é", '"é"'),
    ],
)
def test_an_identifier_is_quoted_where_it_must_be(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted


def test_a_qualified_name_is_quoted_part_by_part() -> None:
    assert quote_qualified("public.Order") == 'public."Order"'
    assert split_qualified('"a.b".c') == ("a.b", "c")


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("int", "integer"),
        ("int8", "bigint"),
        ("varchar(80)", "character varying(80)"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
        ("timestamp", "timestamp without time zone"),
        ("numeric(10)", "numeric(10,0)"),
        ("text[]", "text[]"),
        ("char(4)", "character(4)"),
        ("app.color", "app.color"),
        ("bool", "boolean"),
        ("bigserial", "bigint"),
    ],
)
def test_a_type_is_printed_as_format_type_prints_it(written: str, printed: str) -> None:
    tree = parse_json(f"CREATE TABLE t (c {written})")
    node = tree["stmts"][0]["stmt"]["CreateStmt"]["tableElts"][0]["ColumnDef"]["typeName"]
    assert from_type_name(node) == printed
