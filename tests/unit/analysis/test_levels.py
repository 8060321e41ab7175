"""Levels follow size and traffic where they are known, and are never lowered without proof."""

import pytest

from app.analysis.analyse import Script, analyse_script, analyse_scripts
from app.analysis.basis import Basis
from app.analysis.duration import estimate, in_words
from app.catalog.records import Statistics
from tests.doubles.shop import a_shop, sizes

SMALL = sizes(mebibytes=1, rows=1_000)
MIDDLE = sizes(mebibytes=200, rows=900_000)
LARGE = sizes(mebibytes=3_000, rows=20_000_000)
IDLE = sizes(mebibytes=200, rows=900_000, per_second=0.0)


@pytest.mark.parametrize(
    ("sql", "small", "middle", "large"),
    [
        ("CREATE INDEX i ON users (age)", "low", "medium", "high"),
        ("ALTER TABLE users ALTER COLUMN age SET NOT NULL", "low", "medium", "medium"),
        ("ALTER TABLE users ADD CONSTRAINT u UNIQUE (age)", "low", "medium", "high"),
        ("ALTER TABLE orders ALTER COLUMN qty TYPE bigint", "medium", "high", "high"),
        ("UPDATE users SET age = 1", "low", "high", "high"),
        ("DELETE FROM users", "high", "high", "high"),
        ("DROP TABLE users", "high", "high", "high"),
        ("ALTER TABLE users DROP COLUMN age", "high", "high", "high"),
        ("ALTER TABLE users ADD COLUMN extra text", "low", "low", "low"),
    ],
)
def test_size_moves_what_costs_time_and_nothing_moves_what_loses_data(sql: str, small: str, middle: str, large: str) -> None:
    def level(statistics: Statistics, *, assume_large: bool = False) -> str:
        return analyse_script(sql, schema=a_shop(), statistics=statistics, assume_large=assume_large).risk

    assert (level(SMALL), level(MIDDLE), level(LARGE)) == (small, middle, large)
    assert level(SMALL, assume_large=True) == level(Statistics())


def test_a_table_that_nobody_uses_is_one_level_less() -> None:
    sql = "CREATE INDEX i ON users (age)"
    assert analyse_script(sql, schema=a_shop(), statistics=IDLE).risk == "low"
    assert analyse_script("DROP TABLE users", schema=a_shop(), statistics=IDLE).risk == "high"


def test_the_message_names_the_size_and_the_time() -> None:
    found = analyse_script("CREATE INDEX i ON users (age)", schema=a_shop(), statistics=LARGE)
    message = next(hit.message for hit in found.findings() if hit.rule == "index-blocks-writes")
    assert "3,000.0 MiB, about 20,000,000 rows: 6.6 s to 46.5 s" in message
    assert found.statements[0].blocked_ms == (6600.0, 46500.0)


def test_assumptions_are_stated() -> None:
    nothing = analyse_script("SELECT 1")
    assert nothing.assumptions[0] == "table size unknown: taken as large and busy"
    known = analyse_script("SELECT 1", schema=a_shop(17), statistics=SMALL)
    assert known.assumptions == ()


def test_estimates_grow_with_the_table() -> None:
    assert estimate("scan", 1024 * 1024**2).high_ms == pytest.approx(1536)
    assert [in_words(ms) for ms in (85, 3200, 720_000)] == ["85 ms", "3.2 s", "12 min"]


def test_the_targets_policy_gives_a_rule_its_level_and_the_finding_says_so() -> None:
    basis = Basis(schema=a_shop(), statistics=LARGE, severities={"index-blocks-writes": "low"})
    found = analyse_scripts([Script(text="CREATE INDEX i ON users (age)")], basis=basis)
    finding = next(hit for hit in found.findings() if hit.rule == "index-blocks-writes")
    assert (found.risk, finding.risk, finding.judged) == ("low", "low", "high")
    raised = Basis(schema=a_shop(), statistics=SMALL, severities={"index-blocks-writes": "high"})
    assert analyse_scripts([Script(text="CREATE INDEX i ON users (age)")], basis=raised).risk == "high"
