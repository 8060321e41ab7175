import pytest

from app.target.dsn import parse_dsn
from app.target.errors import TargetUnreachableError


def test_a_uri_and_keywords_mean_the_same():
    uri = parse_dsn("postgresql://app:pw%40x@db.example:6432/shop?sslmode=require")
    words = parse_dsn("host=db.example port=6432 dbname=shop user=app password='pw@x' sslmode=require")
    assert uri.values == words.values
    assert uri.summary == words.summary == "db.example:6432/shop as app"


def test_its_repr_has_no_password():
    assert "hunter2" not in repr(parse_dsn("postgresql://app:hunter2@db/shop"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("mysql://app:hunter2@db/shop", "scheme"),
        ("postgresql://app:hunter2%zz@db/shop", "%"),
        ("host=db hunter2=x", "option"),
        ("postgres:/app:hunter2@db", "can't be read"),
        ("postgresql://app:hunter2@db:99999/shop", "port"),
        ("postgresql://app:hunter2@db:http/shop", "port"),
        ("host=db\npassword=hunter2", "line break"),
    ],
)
def test_a_malformed_string_is_refused_without_repeating_it(text, word):
    with pytest.raises(TargetUnreachableError) as caught:
        parse_dsn(text)
    assert caught.value.kind == "malformed"
    assert word in caught.value.message
    assert "hunter2" not in str(caught.value.as_json())
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 2


def test_several_hosts_with_their_ports_are_read():
    assert parse_dsn("postgresql://app@a:5432,b:5433/shop?target_session_attrs=read-write").values["port"] == "5432,5433"
