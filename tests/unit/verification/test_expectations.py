"""What plans promise."""

from app.plan.model import Phase, Plan, Step
from app.sql.split import split
from app.verification.expectations import expectations
from app.verification.promises import Ledger
from app.verification.report import Item, Verification


def promised(script):
    ledger = Ledger()
    ledger.follow(split(script))
    return ledger.objects


def test_what_is_made_is_there_and_what_is_dropped_is_gone():
    assert promised(
        "CREATE TABLE public.roles (id int); ALTER TABLE users ADD COLUMN role int, DROP COLUMN old; CREATE INDEX i ON users (role);"
        "CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1; DROP TABLE gone; DROP INDEX j"
    ) == {
        ("table", "public.roles"): True,
        ("column", "users.role"): True,
        ("column", "users.old"): False,
        ("index", "i"): True,
        ("view", "v"): True,
        ("materialized view", "m"): True,
        ("table", "gone"): False,
        ("index", "j"): False,
    }


def test_a_later_statement_takes_an_earlier_ones_place():
    assert promised("CREATE INDEX i ON t (a); DROP INDEX i") == {("index", "i"): False}
    assert promised("ALTER TABLE t ADD COLUMN a int; DROP TABLE t") == {("table", "t"): False}


def test_renaming_makes_the_new_name_and_removes_the_old():
    assert promised("ALTER TABLE public.t RENAME TO u; ALTER TABLE public.u RENAME COLUMN a TO b") == {
        ("table", "public.t"): False,
        ("table", "public.u"): True,
        ("column", "public.u.a"): False,
        ("column", "public.u.b"): True,
    }


def test_a_constraint_is_loose_until_it_is_validated():
    ledger = Ledger()
    ledger.follow(split("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID, ADD CONSTRAINT d CHECK (b > 0) NOT VALID"))
    assert ledger.loose == {"t.c", "t.d"}
    ledger.follow(split("ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t DROP CONSTRAINT d"))
    assert ledger.loose == set()


def step(identity, kind, **spec):
    return Step(id=identity, kind=kind, title=identity, spec=spec)


def test_checks_after_the_last_change_are_final_and_those_before_the_first_are_left_out():
    steps = (
        step("before", "check", query="SELECT 1", expect=1),
        step("change", "sql", sql="ALTER TABLE t ADD COLUMN a int"),
        step("between", "check", query="SELECT 1", expect=1),
        step("fill", "backfill", table="t", set="a = 1", where="a IS NULL"),
        step("after", "check", query="SELECT 1", expect=1),
    )
    found = expectations(Plan(name="x", phases=(Phase(name="expand", steps=steps),)))
    assert [(check.step, check.is_final) for check in found.checks] == [("between", False), ("after", True)]
    assert [(backfill.step, backfill.is_final) for backfill in found.backfills] == [("fill", True)]
    skipped = expectations(Plan(name="x", phases=(Phase(name="expand", steps=steps),)), skipped=frozenset({"change", "fill"}))
    assert (skipped.objects, skipped.checks, skipped.backfills) == ({}, (), ())


def test_a_verification_is_as_good_as_its_worst_item():
    def of(*states):
        return Verification(
            items=tuple(Item(id=str(n), title=f"t{n}", state=state, looked_at="") for n, state in enumerate(states))
        )

    assert of("passed", "passed").state == "passed"
    assert of("passed", "unknown").state == "unknown"
    assert of("unknown", "failed", "passed").state == "failed"
    assert of().state == "unknown"
    assert of("passed", "failed", "unknown").sentence() == "1 passed, 1 failed, 1 could not be told: t1"
