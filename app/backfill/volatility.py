"""Which functions of an expression give another value each time, and what Headgate may do with them."""

from collections.abc import Iterable
from typing import Any

import psycopg

FUNCTIONS = """
SELECT n.nspname, p.proname, p.provolatile::text, n.nspname = 'pg_catalog'
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.proname = ANY (%(names)s) AND p.provolatile <> 'i'
"""


def read_volatile(
    connection: psycopg.Connection[Any], functions: Iterable[tuple[str, ...]]
) -> tuple[frozenset[str], frozenset[str]]:
    """The volatile ones among functions as written, and those of them that a person made (they may act outside the row)."""
    wanted = {function[-1]: function[:-1] for function in functions if function}
    if not wanted:
        return frozenset(), frozenset()
    volatile, foreign = set(), set()
    for schema, name, kind, is_builtin in connection.execute(FUNCTIONS, {"names": list(wanted)}):
        written = wanted[name]
        if kind != "v" or (written and written[-1] != schema):
            continue
        volatile.add(name)
        if not is_builtin:
            foreign.add(name)
    return frozenset(volatile), frozenset(foreign)
