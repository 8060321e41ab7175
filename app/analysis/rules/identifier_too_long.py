"""A name that PostgreSQL cuts."""

import re
from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.tree import walk

_LIMIT_BYTES = 63
_LONG = re.compile(r"[^\W\d]\w{31,}")  # half the limit, because a character may take several bytes
#: characters of a statement that are looked at: names stand at its beginning, data after them
_LOOKED_AT = 100_000
_KEYS = ("relname", "colname", "conname", "idxname", "newname", "trigname", "policy_name")


def check(context: Context) -> Iterator[Hit]:
    """Hit for the first name that is as long as the limit, which is what the parser leaves of a longer one."""
    if not _LONG.search(context.statement.text, 0, _LOOKED_AT):
        return
    for _, body in walk(context.statement.node):
        for key in _KEYS:
            name = body.get(key)
            if isinstance(name, str) and len(name.encode()) >= _LIMIT_BYTES and f"{name}" in context.statement.text:
                after = context.statement.text.partition(name)[2][:1]
                if after.isalnum() or after == "_":
                    yield Hit(
                        risk="medium", message=f"The name is cut to {_LIMIT_BYTES} bytes: {name}", location=body.get("location")
                    )
                    return


RULE = Rule(
    id="identifier-too-long",
    title="A name is longer than 63 bytes",
    why="PostgreSQL cuts it with no more than a notice: two long names may become one, and code does not find what it made.",
    source=manual("sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"),
    level="medium",
    bad="CREATE INDEX CONCURRENTLY an_index_with_a_name_that_is_a_good_deal_longer_than_postgresql_will_take ON users (age);",
    good="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);",
    check=check,
)
