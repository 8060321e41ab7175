"""One step as a form, and the plan file that the filled form makes: the plan's own reader judges it."""

from typing import Any

import yaml

from app.plan.model import Plan as Content
from app.plan.model import Step
from app.plan.writing import write_plan
from app.web.forms import Form

_FIXED = ("id", "kind", "title", "rollback", "source", "sql")


def _document(content: Content) -> dict[str, Any]:
    loaded = yaml.safe_load(write_plan(content))
    return loaded if isinstance(loaded, dict) else {}


def _find(document: dict[str, Any], step_id: str) -> dict[str, Any]:
    return next(step for phase in document["phases"] for step in phase["steps"] if step["id"] == step_id)


def step_values(content: Content, step: Step) -> dict[str, Any]:
    """What the form shows at first."""
    found = _find(_document(content), step.id)
    parameters = {name: value for name, value in found.items() if name not in _FIXED}
    rollback = step.rollback
    written = rollback is not None and rollback.origin == "written"
    return {
        "title": step.title,
        "sql": found.get("sql", ""),
        "spec": yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True) if parameters else "",
        "rollback_sql": (rollback.sql or "") if rollback and written else "",
        "grade": rollback.grade if rollback and written else "",
        "reason": rollback.reason if rollback and written else "",
    }


def sent_values(form: Form) -> dict[str, Any]:
    """What the form holds, to be shown again where it is refused."""
    return {
        "title": form.text("title", required=True),
        "sql": form.long_text("sql"),
        "spec": form.long_text("spec"),
        "rollback_sql": form.long_text("rollback_sql"),
        "grade": form.text("grade"),
        "reason": form.text("reason"),
    }


def edited_document(content: Content, step: Step, values: dict[str, Any]) -> str:
    """The plan file with the step as the form has it.

    Raises yaml.YAMLError where the parameters are no YAML.
    """
    document = _document(content)
    found = _find(document, step.id)
    found["title"] = values["title"]
    if step.kind == "sql":
        found["sql"] = values["sql"]
    else:
        parameters = yaml.safe_load(values["spec"]) or {}
        for name in [name for name in found if name not in _FIXED]:
            del found[name]
        found.update(parameters if isinstance(parameters, dict) else {"spec": parameters})
    if step.kind in ("sql", "backfill"):
        found.pop("rollback", None)
        rollback = _rollback(values)
        if rollback:
            found["rollback"] = rollback
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _rollback(values: dict[str, Any]) -> Any:
    sql, grade, reason = values["rollback_sql"].strip(), values["grade"], values["reason"]
    if grade == "irreversible" and not sql:
        return {"irreversible": reason}
    rollback: dict[str, Any] = {"sql": values["rollback_sql"]} if sql else {}
    if grade and sql:
        rollback["grade"] = grade
    if reason and sql:
        rollback["reason"] = reason
    return rollback
