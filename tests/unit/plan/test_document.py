"""Reading and writing plan.yaml: what comes back is what went in, and every refusal points at the character."""

import pytest

from app.plan.document import PlanError, read_plan, write_plan
from app.plan.model import AcceptedRisk, Phase, Plan, Rollback, Step

GOOD = """\
headgate: 1
name: Add user roles
brief:
  summary: |
    Users get a role.
    Nothing breaks.
accepted:
  - {rule: index-blocks-writes, step: index, reason: The table is small.}
phases:
  - name: expand
    steps:
      - id: add-column
        kind: sql
        lock_timeout: 2s
        statement_timeout_ms: 1500
        sql: |
          -- a comment
          ALTER TABLE public.users ADD COLUMN role text;
        rollback: ALTER TABLE public.users DROP COLUMN role;
      - id: index
        kind: sql
        title: Index the role
        sql: CREATE INDEX CONCURRENTLY users_role_idx ON public.users (role);
        rollback: {sql: DROP INDEX CONCURRENTLY users_role_idx, grade: lossless, reason: An index holds no data.}
  - name: migrate
    steps:
      - id: fill
        kind: backfill
        table: public.users
        set: role = 'user'
        where: role IS NULL
        key: [id]
        rollback: {nothing: The column goes with its step.}
      - {id: check, kind: check, query: SELECT count(*) FROM public.users WHERE role IS NULL, expect: 0, timeout: 250ms}
  - name: contract
    steps:
      - {id: gate, kind: gate, ask: The release is live}
      - {id: hook, kind: hook, url: "https://ci.example/deploy", body: {ref: main, deep: [1, {a: null}]}}
      - {id: save, kind: backup, tables: [public.users]}
      - {id: rest, kind: wait, seconds: 30}
      - id: drop
        kind: sql
        sql: DROP TABLE public.old_roles;
        rollback: {irreversible: The rows are gone.}
"""


def refused(text: str | bytes, **options: object) -> PlanError:
    with pytest.raises(PlanError) as caught:
        read_plan(text, file="plan.yaml", **options)
    return caught.value


def place(text: str, piece: str) -> tuple[int, int]:
    before = text[: text.index(piece)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def test_a_plan_is_read_with_all_its_kinds_of_steps() -> None:
    plan = read_plan(GOOD)
    assert [step.kind for step in plan.steps()] == ["sql", "sql", "backfill", "check", "gate", "hook", "backup", "wait", "sql"]
    assert plan.step("add-column").spec["lock_timeout_ms"] == 2000
    assert plan.step("add-column").spec["statement_timeout_ms"] == 1500
    assert plan.step("check").spec == {
        "query": "SELECT count(*) FROM public.users WHERE role IS NULL",
        "expect": 0,
        "timeout_ms": 250,
    }
    assert plan.step("hook").spec["body"] == {"ref": "main", "deep": [1, {"a": None}]}
    assert plan.step("fill").rollback == Rollback(grade="lossless", reason="The column goes with its step.")
    assert plan.step("drop").rollback == Rollback(grade="irreversible", reason="The rows are gone.")
    assert plan.step("add-column").rollback == Rollback(
        grade="loses-new-writes", sql="ALTER TABLE public.users DROP COLUMN role;"
    )
    assert plan.accepted == (AcceptedRisk(rule="index-blocks-writes", step="index", reason="The table is small."),)
    assert plan.brief.summary == "Users get a role.\nNothing breaks.\n"


def test_findings_point_at_the_line_of_the_sql() -> None:
    step = read_plan(GOOD, file="plans/a.yaml").step("add-column")
    assert (step.source_file, step.source_line) == ("plans/a.yaml", place(GOOD, "-- a comment")[0])


def test_a_title_that_is_left_out_is_made_of_the_id() -> None:
    assert read_plan(GOOD).step("add-column").title == "Add column"


@pytest.mark.parametrize(
    ("old", "new", "sentence", "hint"),
    [
        ("rollback: ALTER", "rolback: ALTER", "Unknown field rolback", "rollback"),
        ("brief:", "breif:", "Unknown field breif", "brief"),
        ("where: role", "were: role", "Unknown field were", "where"),
        ("kind: backfill", "kind: bakfill", "no kind of step named 'bakfill'", "backfill"),
        ("kind: backup,", "kind: [sql],", "no kind of step named", ""),
        ("name: migrate", "name: migarte", "no phase 'migarte'", "migrate"),
        ("name: migrate", "name: expand", "expand is there twice", "one list"),
        ("name: migrate\n", "name: contract\n", "contract is there twice", "one list"),
        ("id: index\n", "id: add-column\n", '"add-column" is there twice: first in line 12', "another id"),
        ("id: index\n", "id: a b\n", "'a b' is not usable", "Letters"),
        ("lock_timeout: 2s", "lock_timeout: 2", 'needs a unit: "2ms" or "2s"', "lock"),
        ("lock_timeout: 2s", "lock_timeout: soon", 'duration such as "2s"', "lock"),
        ("lock_timeout: 2s", "lock_timeout: 9999h", "must be from 0 to 2147483647 ms", "lock"),
        ("statement_timeout_ms: 1500", "statement_timeout_ms: 1s", "must be a whole number, not text", "long"),
        ("statement_timeout_ms: 1500", "lock_timeout_ms: 1500", "say the same thing", "lock_timeout"),
        ("seconds: 30", "seconds: yes", "must be a whole number, not text", "How long"),
        ("seconds: 30", "seconds: 0", "must be from 1 to 604800", "How long"),
        ("table: public.users\n", "table: users\n", "must be qualified by its schema: public.users", "table"),
        ("where: role IS NULL", "where: WHERE role IS NULL", "without the word WHERE", "rows"),
        ("set: role = 'user'", "set: role", "must assign columns", "assigned"),
        ("key: [id]", "key: id", "must be a list", "key"),
        (", expect: 0", "", "needs query with expect or statement with refused_with", "plan-format"),
        (", expect: 0", ", expect: 0, statement: SELECT 1", "not both", "plan-format"),
        ("https://ci.example/deploy", "ftp://ci.example", "http:// or https://", "Where"),
        ("https://ci.example/deploy", "https://u:secret@ci.example", "must not hold a password", "Where"),
        ("ask: The release is live", "ask: ''", "must not be empty", "confirmed"),
        ("grade: lossless", "grade: fine", "grades are lossless, loses-new-writes, irreversible", "irreversible"),
        ("{nothing: The column goes with its step.}", "{nothing: ''}", "needs the reason", "nothing"),
        ("{nothing: The column goes with its step.}", "{grade: lossless}", "no sql, and no reason", "rollback: |"),
        ("step: index,", "step: inedx,", "no step inedx", "index"),
        ("headgate: 1", "headgate: 2", "version 1 of the format, not 2", "headgate: 1"),
        ("headgate: 1\n", "", "version is missing", "headgate: 1"),
        ("name: Add user roles\n", "", "has no name", "name:"),
        ("name: Add user roles", "name: 5", "must be text, not a number", "quotes"),
        ("name: Add user roles", "name: &x y", "anchor &x is not accepted", "Write the value out"),
        ("name: Add user roles", "name: *x", "alias *x is not accepted", "Write the value out"),
        ("name: Add user roles", "name: !!python/name:os.system x", "tag tag:yaml.org,2002:python/name:os.system", "plain value"),
        ("name: Add user roles", "name: a\nname: b", "name is there twice", "Keep one"),
        ("name: Add user roles", "name: [a", "not YAML", "|"),
        ("name: Add user roles", "name: a\tb: c: d", "not YAML", "|"),
    ],
)
def test_a_refusal_names_the_place_and_the_way_out(old: str, new: str, sentence: str, hint: str) -> None:
    assert old in GOOD
    error = refused(GOOD.replace(old, new, 1))
    assert sentence in error.message
    assert hint in (error.hint or "")
    assert error.file == "plan.yaml"
    assert error.line is not None
    assert error.column is not None
    assert str(error).startswith(f"plan.yaml:{error.line}:{error.column}: ")
    assert error.as_json()["field"] == error.field


def test_an_unknown_field_is_pointed_at_exactly() -> None:
    text = GOOD.replace("rollback: ALTER", "rolback: ALTER")
    error = refused(text)
    assert (error.line, error.column) == place(text, "rolback")
    assert error.field == "phases[0].steps[0].rolback"


def test_a_step_without_a_way_back_is_refused_with_the_ways_out() -> None:
    error = refused(GOOD.replace("        rollback: ALTER TABLE public.users DROP COLUMN role;\n", ""))
    assert 'Step "add-column" changes the database but does not say how it is undone' in error.message
    assert "irreversible" in (error.hint or "")
    assert error.field == "phases[0].steps[0].rollback"


def test_a_way_back_that_can_be_derived_may_be_left_out() -> None:
    asked: list[str] = []

    def derive(sql: str) -> Rollback | None:
        asked.append(sql)
        return Rollback(grade="lossless", sql="SELECT 1;", origin="derived") if "ADD COLUMN" in sql else None

    text = GOOD.replace("        rollback: ALTER TABLE public.users DROP COLUMN role;\n", "")
    assert read_plan(text, derive=derive).step("add-column").rollback == Rollback(
        grade="lossless", sql="SELECT 1;", origin="derived"
    )
    assert len(asked) == 3, "the deriver sees every statement in order, since each is judged by those before it"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("- a\n- b\n", "mapping"),
        ("just text", "mapping"),
        ("headgate: 1\nname: x\nphases: []\n", "no phases"),
        ("headgate: 1\nname: x\n", "no phases"),
        ("headgate: 1\nname: x\nphases: none\n", "must be a list, not text"),
        ("headgate: 1\nname: x\nphases:\n  - name: expand\n    steps: []\n", "no phase has a step"),
        ("headgate: 1\nname: x\nphases:\n  - name: expand\n    steps:\n      - text\n", "A step is a mapping"),
        ("headgate: 1\n---\nheadgate: 1\n", "second document"),
        ("a: \x07", "not YAML"),
        ("a: \ud800", "not YAML"),
        ("? [a]\n: b\n", "must be plain text"),
        ("a: " + "[" * 200 + "]" * 200, "nests more than"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, sentence: str) -> None:
    assert sentence in refused(text).message


def test_a_document_that_is_too_large_is_refused_at_once() -> None:
    assert "larger than 5 MiB" in refused("a: " + "x" * (5 * 1024 * 1024)).message


def test_bytes_that_are_not_utf8_are_refused_with_their_offset() -> None:
    error = refused(b"headgate: 1\nname: caf\xe9\n")
    assert "byte 21 is 0xe9" in error.message
    assert (error.line, error.column) == (2, 10)


def test_words_that_only_old_yaml_takes_for_values_stay_text() -> None:
    text = GOOD.replace("ask: The release is live", "ask: yes").replace("expect: 0", "expect: [[010, 1:30, on, 2024-01-01]]")
    plan = read_plan(text)
    assert plan.step("gate").spec["ask"] == "yes"
    assert plan.step("check").spec["expect"] == [["010", "1:30", "on", "2024-01-01"]]


def test_a_written_plan_reads_like_one_that_a_person_wrote() -> None:
    text = write_plan(read_plan(GOOD))
    assert "        sql: |\n          -- a comment\n          ALTER TABLE public.users ADD COLUMN role text;\n" in text
    assert "lock_timeout: 2s" in text
    assert "rollback: ALTER TABLE public.users DROP COLUMN role;" in text
    assert "source" not in text


def test_where_an_imported_step_came_from_survives() -> None:
    step = Step(id="a", kind="wait", title="A", spec={"seconds": 1}, source_file="m/001.sql", source_line=4)
    plan = Plan(name="x", phases=(Phase(name="expand", steps=(step,)),))
    assert read_plan(write_plan(plan)).step("a") == step
