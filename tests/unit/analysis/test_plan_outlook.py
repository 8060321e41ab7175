"""A plan is judged as a whole: what a later step settles is not held against an earlier one."""

from app.analysis.analyse import Script, analyse_plan, analyse_scripts
from app.analysis.basis import Basis
from app.plan.model import Phase, Plan, Step

ADD = "ALTER TABLE users ADD CONSTRAINT role_there CHECK (role IS NOT NULL) NOT VALID"
VALIDATE = "ALTER TABLE users VALIDATE CONSTRAINT role_there"


def plan_of(*texts: str) -> Plan:
    steps = tuple(Step(id=f"step-{n}", kind="sql", title=text, spec={"sql": text}) for n, text in enumerate(texts))
    return Plan(name="A plan", phases=(Phase(name="contract", steps=steps),))


def rules(report) -> set[str]:
    return {finding.rule for statement in report.statements for finding in statement.findings}


def test_a_constraint_that_a_later_step_validates_is_not_left_not_valid():
    assert "constraint-left-not-valid" not in rules(analyse_plan(plan_of(ADD, VALIDATE)))
    assert "constraint-left-not-valid" in rules(analyse_plan(plan_of(VALIDATE, ADD)))


def test_a_constraint_that_a_later_file_validates_is_not_left_not_valid():
    read = analyse_scripts([Script(text=ADD, file="1.sql"), Script(text=VALIDATE, file="2.sql")], basis=Basis())
    assert "constraint-left-not-valid" not in rules(read)
