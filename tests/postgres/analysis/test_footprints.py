"""The locks, rewrites and scans that the analysis claims are what real servers do, statement by statement, on each version."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.analysis.analyse import analyse_script
from app.catalog.records import Schema
from app.catalog.schema import read_schema
from app.sql.lock_levels import MODES
from tests.doubles.databases import Database, fresh_database
from tests.postgres.analysis.tracing import Trace, Tracer

HERE = Path(__file__).parent
CASES = [line for line in (HERE / "cases.sql").read_text().splitlines() if line and not line.startswith("--")]


#: every case is measured on 18, and on one of the older servers
SHARES = {18: slice(None), 17: slice(0, None, 2), 15: slice(1, None, 2)}


@pytest.fixture(params=["postgres_server", "postgres_17", "postgres_15"], ids=["18", "17", "15"])
def shop(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with the shop of schema.sql; every measured statement is undone."""
    server = request.getfixturevalue(request.param)
    with fresh_database(server) as made:
        made.execute((HERE / "schema.sql").read_text())
        yield made
    Database(name="postgres", server=server).execute("DROP ROLE trace_ro")


def schema_of(database: Database) -> Schema:
    with database.connect() as connection:
        return read_schema(connection)


def claims(case: str, schema: Schema) -> tuple[Trace, str]:
    """What the analysis says of all statements of a case together, and its level."""
    found = analyse_script(case, schema=schema, assume_large=True)
    known = {*schema.relations, *schema.sequences}
    locks: dict[str, str] = {}
    for lock in (lock for statement in found.statements for lock in statement.locks if lock.relation in known):
        locks[lock.relation] = max(locks.get(lock.relation, "ACCESS SHARE"), lock.mode, key=MODES.index)
    rewrites = frozenset(name for statement in found.statements for name in statement.rewrites if name in known)
    scans = frozenset(name for statement in found.statements for name in statement.scans if name in known)
    return Trace(locks=locks, rewrites=rewrites, scans=scans), found.risk


def difference(case: str, claimed: Trace, seen: Trace) -> str | None:
    """What is wrong with a claim; ``~`` leaves further scans to the planner's choice on tables this small."""
    if claimed.locks != seen.locks:
        return f"{case}\n  locks claimed {claimed.locks}\n  locks seen {seen.locks}"
    if claimed.rewrites != seen.rewrites:
        return f"{case}\n  rewrites claimed {set(claimed.rewrites)}, seen {set(seen.rewrites)}"
    if claimed.scans != seen.scans and not (case.startswith("~") and claimed.scans <= seen.scans):
        return f"{case}\n  scans claimed {set(claimed.scans)}, seen {set(seen.scans)}"
    return None


def test_statements_do_what_the_analysis_says(shop: Database) -> None:
    # about a thousand statements, five milliseconds each: together they need longer than a test usually may
    schema = schema_of(shop)
    cases = CASES[SHARES[schema.server_version_num // 10_000]]
    wrong, refused = [], 0
    with Tracer(shop.dsn) as tracer:
        for case in cases:
            script = case.removeprefix("~ ").removeprefix("! ")
            claimed, risk = claims(script, schema)
            seen = tracer.trace(script)
            if seen.error is not None:
                refused += 1
                wrong += [f"{case}\n  is {risk}, but refused: {seen.error}"] if risk != "high" else []
            elif case.startswith("!"):
                wrong.append(f"{case}\n  was expected to be refused")
            else:
                wrong += filter(None, [difference(case, claimed, seen)])
    assert not wrong, "\n".join(wrong)
    assert refused < len(cases) / 5
