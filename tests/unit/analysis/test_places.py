"""Directives, places, tables and formats: what surrounds the findings."""

import json

from app.analysis.analyse import analyse_plan, analyse_script
from app.analysis.formats import as_github, as_sarif, as_text
from app.plan.model import AcceptedRisk, Phase, Plan, Step
from tests.doubles.shop import a_shop


def test_a_finding_stands_where_its_cause_stands() -> None:
    found = analyse_script(
        "\n\nALTER TABLE users\n  ADD COLUMN é int,\n  ADD COLUMN c uuid DEFAULT gen_random_uuid();", file="1.sql"
    )
    hit = next(hit for hit in found.findings() if hit.rule == "volatile-default-rewrites")
    assert (hit.line, hit.column) == (5, 21)


def test_a_comment_with_a_reason_accepts_a_finding_of_the_next_statement_only() -> None:
    script = (
        "-- headgate: allow index-blocks-writes nobody works at night\nCREATE INDEX i ON users (a);\nCREATE INDEX j ON users (a);"
    )
    found = analyse_script(script)
    assert [report.risk for report in found.statements] == ["low", "high"]
    assert found.findings()[0].accepted == "nobody works at night"


def test_a_comment_without_a_reason_accepts_nothing() -> None:
    assert analyse_script("-- headgate: allow index-blocks-writes\nCREATE INDEX i ON users (a);").risk == "high"


def test_tables_are_told_apart_as_modified_new_and_removed() -> None:
    found = analyse_script(
        "CREATE TABLE fresh (id int); ALTER TABLE users ADD COLUMN x int; DROP TABLE orders; ALTER TABLE log RENAME TO diary; SELECT 1",
        schema=a_shop(),
    )
    assert found.tables.new == ("public.fresh",)
    assert found.tables.modified == ("public.log", "public.users")
    assert "public.orders" in found.tables.removed


def test_names_follow_the_search_path() -> None:
    found = analyse_script(
        "SET search_path = app; CREATE TABLE t (id int); CREATE INDEX ON t (id); CREATE INDEX ON public.t (id)"
    )
    assert [report.risk for report in found.statements] == ["low", "low", "low", "high"]
    assert found.statements[2].relations == ("app.t",)


def test_a_plan_is_judged_step_by_step_as_the_engine_runs_it() -> None:
    def step(name: str, sql: str, **spec: object) -> Step:
        return Step(id=name, kind="sql", title=name, spec={"sql": sql, **spec})

    two = "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 1) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT c;"
    steps = (
        step("together", two),
        step("apart", two.replace("CONSTRAINT c", "CONSTRAINT d"), transaction=False),
        step("index", "CREATE INDEX CONCURRENTLY i ON users (age);"),
        Step(id="stop", kind="gate", title="stop", spec={"ask": "go on"}),
    )
    plan = Plan(name="p", phases=(Phase(name="expand", steps=steps),), accepted=(AcceptedRisk(rule="opaque", reason="x"),))
    found = analyse_plan(plan, schema=a_shop(), assume_large=True)
    assert [(report.step, report.phase, report.risk) for report in found.statements] == [
        ("together", "expand", "low"),
        ("together", "expand", "medium"),
        ("apart", "expand", "low"),
        ("apart", "expand", "low"),
        ("index", "expand", "low"),
    ]
    assert not [hit for hit in found.findings() if hit.rule == "no-lock-timeout"]


def test_a_plans_own_acceptance_counts_for_its_step() -> None:
    steps = tuple(Step(id=name, kind="sql", title=name, spec={"sql": "CREATE INDEX i ON users (a)"}) for name in ("a", "b"))
    risks = (AcceptedRisk(rule="index-blocks-writes", reason="small", step="a"),)
    found = analyse_plan(Plan(name="p", phases=(Phase(name="expand", steps=steps),), accepted=risks))
    assert [report.risk for report in found.statements] == ["low", "high"]


def test_rollbacks_come_with_the_statements() -> None:
    report = analyse_script("ALTER TABLE users ADD COLUMN x int", schema=a_shop()).statements[0]
    assert report.rollback is not None
    assert "DROP COLUMN x" in (report.rollback.sql or "")


def test_text_names_place_level_reason_and_safe_way() -> None:
    text = as_text(analyse_script("CREATE INDEX i ON users (a)", file="1.sql"))
    assert "HIGH    1.sql:1  CREATE INDEX i ON users (a)" in text
    assert "CREATE INDEX CONCURRENTLY i ON users (a);" in text
    assert text.splitlines()[-5].endswith("risk: high")
    assert text.splitlines()[-4].startswith("Worst moment: writes on public.users would wait")


def test_github_gets_one_annotation_for_each_finding() -> None:
    script = "-- headgate: allow no-lock-timeout fine\nCREATE INDEX i ON users (a)"
    lines = as_github(analyse_script(script, file="a,b.sql"), path_of=lambda name: f"db/{name}").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=db/a%2Cb.sql,line=2,col=1,title=index-blocks-writes (high)::Writes to public.users")


def test_sarif_has_rules_results_and_suppressions() -> None:
    script = "-- headgate: allow no-lock-timeout fine\nCREATE INDEX i ON users (a)"
    log = as_sarif(analyse_script(script, file="1.sql"), path_of=str, version="1")
    (run,) = json.loads(json.dumps(log))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["index-blocks-writes", "no-lock-timeout"]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    assert by_rule["index-blocks-writes"]["level"] == "error"
    assert by_rule["no-lock-timeout"]["suppressions"][0]["justification"] == "fine"


def test_an_index_on_only_an_unknown_table_says_what_it_is_taken_as():
    found = analyse_script("CREATE INDEX i ON ONLY measurements (at)")
    (finding,) = [each for each in found.findings() if each.rule == "index-blocks-writes"]
    assert (finding.risk, found.risk) == ("low", "low")
    assert "taken as partitioned" in finding.message
