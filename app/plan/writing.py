"""Plan -> plan.yaml: what ``read_plan`` reads back with the same digest, in a form that people like to review."""

from typing import Any

import yaml

from app.plan.fields import write_duration
from app.plan.kinds import KINDS
from app.plan.model import Plan, Step
from app.plan.undo import rollback_value

#: wider than any line worth folding: a folded SQL line would be a different text to the eye
_WIDTH = 10_000
#: what YAML takes for ends of lines, and would turn into others
_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Writes lines of text as a ``|`` block, lists indented, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write equal values out each time: the reader refuses aliases."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        """Indent the items of a list below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if _OTHER_BREAKS.intersection(value):
        style = '"'
    elif "\n" in value and "\t" not in value.split("\n", maxsplit=1)[0]:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def write_plan(plan: Plan) -> str:
    """The plan as a YAML document."""
    content: dict[str, Any] = {"headgate": 1, "name": plan.name}
    if plan.tool:
        content["tool"] = plan.tool
    if brief := {name: text for name in plan.brief.__dataclass_fields__ if (text := getattr(plan.brief, name))}:
        content["brief"] = brief
    if plan.accepted:
        content["accepted"] = [
            {"rule": risk.rule, **({"step": risk.step} if risk.step else {}), "reason": risk.reason} for risk in plan.accepted
        ]
    content["phases"] = [{"name": phase.name, "steps": [_step(step) for step in phase.steps]} for phase in plan.phases]
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _step(step: Step) -> dict[str, Any]:
    content: dict[str, Any] = {"id": step.id, "kind": step.kind, "title": step.title}
    for name, value in step.spec.items():
        field = KINDS[step.kind].field(name)
        if field is not None and field.stored:
            content[field.name] = write_duration(value)
        else:
            content[name] = value
    if step.rollback is not None:
        content["rollback"] = rollback_value(step.rollback)
    # a place in a plan document is where this very text is, and so would be wrong as soon as a line is added above it
    if step.source_file is not None and not step.source_file.endswith((".yaml", ".yml", ".md")):
        content["source"] = {"file": step.source_file, **({"line": step.source_line} if step.source_line else {})}
    return content


def write_value(value: Any) -> str:
    """A JSON value on one line of YAML."""
    return (
        yaml.dump(value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=_WIDTH).removesuffix("...\n").strip()
    )
