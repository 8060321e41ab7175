"""What a transaction keeps: locks until its end, new enum values until its commit, settings for its length."""

import pytest

from app.analysis.analyse import Script, analyse_script, analyse_scripts
from app.analysis.basis import Basis
from tests.doubles.shop import a_shop

NOT_VALID = "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 1) NOT VALID"
VALIDATE = "ALTER TABLE users VALIDATE CONSTRAINT c"


def rules(script: str, *, single: bool = False) -> set[str]:
    found = analyse_script(script, schema=a_shop(), assume_large=True, single_transaction=single)
    return {finding.rule for finding in found.findings() if finding.risk != "low"}


def test_validating_in_the_same_transaction_gains_nothing() -> None:
    assert rules(f"{NOT_VALID}; {VALIDATE}") == set()
    assert rules(f"BEGIN; {NOT_VALID}; {VALIDATE}; COMMIT") == {"scan-while-locked"}
    assert rules(f"{NOT_VALID}; {VALIDATE}", single=True) == {"scan-while-locked"}


def test_a_commit_between_lets_the_locks_go() -> None:
    assert rules(f"BEGIN; {NOT_VALID}; COMMIT; BEGIN; {VALIDATE}; COMMIT") == set()
    assert rules(f"BEGIN; {NOT_VALID}; ROLLBACK; {VALIDATE}") == set()


@pytest.mark.parametrize(
    "second", ["CREATE INDEX i ON orders (qty)", "UPDATE orders SET qty = 1", "INSERT INTO log SELECT id FROM orders"]
)
def test_long_work_after_a_lock_is_named_with_the_lock(second: str) -> None:
    assert "scan-while-locked" in rules(f"BEGIN; ALTER TABLE users ADD COLUMN x int; {second}; COMMIT")


def test_short_work_after_a_lock_is_fine() -> None:
    script = "BEGIN; ALTER TABLE users ADD COLUMN x int; INSERT INTO log VALUES (1); UPDATE users SET x = 1 WHERE id = 1; COMMIT"
    assert rules(script) == set()


def test_two_tables_in_one_transaction_can_deadlock_but_a_parent_and_its_partition_do_not_count() -> None:
    assert rules("BEGIN; ALTER TABLE users ADD COLUMN x int; ALTER TABLE orders ADD COLUMN x int; COMMIT") == {
        "several-exclusive-locks"
    }
    both = "BEGIN; ALTER TABLE events ADD COLUMN x int; ALTER TABLE events_2026_01 ALTER COLUMN kind SET DEFAULT 'a'; COMMIT"
    assert "several-exclusive-locks" not in rules(both)


def test_concurrently_fails_inside_a_transaction_only() -> None:
    concurrent = "CREATE INDEX CONCURRENTLY i ON users (age)"
    assert rules(concurrent) == set()
    assert "needs-own-transaction" in rules(f"BEGIN; {concurrent}; COMMIT")
    assert "needs-own-transaction" in rules(concurrent, single=True)


def test_a_file_that_its_tool_wraps_is_one_transaction_and_the_next_file_another() -> None:
    files = [Script(text=NOT_VALID, file="1.sql", whole="the tool"), Script(text=VALIDATE, file="2.sql", whole="the tool")]
    apart = analyse_scripts(files, basis=Basis(schema=a_shop(), assume_large=True))
    together = analyse_scripts(files, basis=Basis(schema=a_shop(), assume_large=True), single_transaction=True)
    assert (apart.risk, together.risk) == ("low", "medium")


def test_a_new_value_of_a_new_type_may_be_used_at_once() -> None:
    known = "BEGIN; ALTER TYPE order_state ADD VALUE 'lost'; UPDATE orders SET state = 'lost' WHERE id = 1; COMMIT"
    new = "BEGIN; CREATE TYPE mood AS ENUM ('ok'); ALTER TYPE mood ADD VALUE 'sad'; CREATE TABLE m (x mood DEFAULT 'sad'); COMMIT"
    assert rules(known) == {"enum-value-same-transaction"}
    assert rules(new) == set()


def test_lock_timeout_counts_for_as_long_as_it_is_set() -> None:
    def silent(script: str) -> bool:
        return not any(hit.rule == "no-lock-timeout" for hit in analyse_script(script).findings())

    alter = "ALTER TABLE users ADD COLUMN x int"
    assert silent(f"SET lock_timeout = '1s'; {alter}")
    assert silent(f"BEGIN; SET LOCAL lock_timeout = '1s'; {alter}; COMMIT")
    assert not silent(f"BEGIN; SET LOCAL lock_timeout = '1s'; COMMIT; {alter}")
    assert not silent(f"SET lock_timeout = '1s'; RESET lock_timeout; {alter}")
    assert not silent(f"SET lock_timeout = 0; {alter}")


def test_a_block_is_judged_by_what_is_in_it_and_unknown_where_that_is_hidden() -> None:
    def level(body: str) -> str:
        return analyse_script(f"DO $$ BEGIN {body} END $$").risk

    assert level("CREATE TABLE t (id int);") == "low"
    assert level("EXECUTE 'DROP TABLE users';") == "high"
    assert level("EXECUTE format('DROP TABLE %I', x);") == "unknown"
    assert level("LOOP UPDATE users SET a = 1; EXIT; END LOOP;") == "high"
    assert level("PERFORM mystery();") == "unknown"
    assert level("this does not parse") == "unknown"
