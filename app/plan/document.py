"""plan.yaml -> Plan; every refusal names the file, line, column and field, and the way out. The format: docs/plan-format.md."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.errors import HeadgateError
from app.plan.errors import PlanError, did_you_mean
from app.plan.fields import MILLISECONDS, Unfit, kind_of
from app.plan.kinds import KINDS, Field, Kind, missing_fields
from app.plan.model import PHASES, AcceptedRisk, Brief, Phase, PhaseName, Plan, Rollback, Step
from app.plan.undo import ROLLBACK_WAYS, read_rollback
from app.plan.writing import write_plan
from app.plan.yaml_tree import Located, read_yaml

__all__ = ["FORMAT_VERSION", "PlanError", "read_plan", "write_plan"]

FORMAT_VERSION = 1
#: how a caller derives the rollback of a step's SQL; app.plan knows no SQL itself
Derive = Callable[[str], Rollback | None]

_TOP = ("headgate", "name", "tool", "brief", "accepted", "phases")
_STEP = ("id", "kind", "title", "rollback", "source")
_STEP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_plan(content: str | bytes, *, file: str = "plan.yaml", derive: Derive | None = None) -> Plan:
    """The plan that a YAML document describes.

    ``derive`` is asked for the rollback of every ``sql`` step in order, and used where the step states none; it answers None
    where it can't tell.
    Raises PlanError.
    """
    text = _decode(content, file) if isinstance(content, bytes) else content
    reader = _Reader(file=file, derive=derive)
    return reader.plan(read_yaml(text.removeprefix("\ufeff"), file=file))


def _decode(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanError(
            f"The file is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}.",
            hint="Save it as UTF-8.",
            file=file,
            line=line,
            column=error.start - content.rfind(b"\n", 0, error.start),
        ) from error


@dataclass(slots=True, kw_only=True)
class _Reader:
    """One reading: the file's name, and the step ids seen so far with their lines."""

    file: str
    derive: Derive | None
    _ids: dict[str, int] = field(default_factory=dict)

    def plan(self, root: Located) -> Plan:
        """The plan from the root of the document."""
        top = self._mapping(root, "", _TOP, "A plan is a mapping that begins with `headgate: 1` and `name:`.")
        self._version(root, top)
        if "name" not in top:
            raise self._refuse(root, "name", "The plan has no name.", 'Write `name: "Add user roles"`.')
        phases = self._phases(root, top.get("phases"))
        plan = Plan(
            name=self._text(top["name"], "name"),
            tool=self._text(top["tool"], "tool") if "tool" in top else "",
            brief=self._brief(top.get("brief")),
            phases=phases,
        )
        return replace(plan, accepted=tuple(self._accepted(top.get("accepted"), plan)))

    def _version(self, root: Located, top: dict[str, Located]) -> None:
        version = top.get("headgate")
        if version is None:
            raise self._refuse(root, "headgate", "The format's version is missing.", "Begin the document with `headgate: 1`.")
        if version.value != FORMAT_VERSION or isinstance(version.value, bool):
            raise self._refuse(
                version,
                "headgate",
                f"This Headgate reads version {FORMAT_VERSION} of the format, not {version.plain()!r}.",
                f"Write `headgate: {FORMAT_VERSION}`.",
            )

    def _brief(self, node: Located | None) -> Brief:
        if node is None or node.value is None:
            return Brief()
        parts = self._mapping(node, "brief", tuple(Brief.__dataclass_fields__), "The brief is a mapping of its sections.")
        return Brief(**{name: self._text(part, f"brief.{name}", may_be_empty=True) for name, part in parts.items()})

    def _accepted(self, node: Located | None, plan: Plan) -> Iterable[AcceptedRisk]:
        for index, item in enumerate(self._items(node, "accepted")):
            path = f"accepted[{index}]"
            parts = self._mapping(item, path, ("rule", "step", "reason"), "An accepted risk has rule, step and reason.")
            for name in ("rule", "reason"):
                if name not in parts:
                    raise self._refuse(item, f"{path}.{name}", f"An accepted risk needs its {name}.", f"Add `{name}:`.")
            step = self._text(parts["step"], f"{path}.step") if "step" in parts and parts["step"].value is not None else None
            if step is not None and step not in self._ids:
                raise self._refuse(
                    parts["step"], f"{path}.step", f"There is no step {step}.", did_you_mean(step, [s.id for s in plan.steps()])
                )
            yield AcceptedRisk(
                rule=self._text(parts["rule"], f"{path}.rule"), reason=self._text(parts["reason"], f"{path}.reason"), step=step
            )

    def _phases(self, root: Located, node: Located | None) -> tuple[Phase, ...]:
        items = self._items(node, "phases")
        if not items:
            raise self._refuse(
                node or root, "phases", "The plan is empty: it has no phases.", "Add a phase with at least one step."
            )
        phases: list[Phase] = []
        for index, item in enumerate(items):
            phases.append(self._phase(item, f"phases[{index}]", [phase.name for phase in phases]))
        if not any(phase.steps for phase in phases):
            raise self._refuse(
                items[0], "phases", "The plan is empty: no phase has a step.", "Add a step, or leave the plan out."
            )
        return tuple(phases)

    def _phase(self, node: Located, path: str, before: list[PhaseName]) -> Phase:
        parts = self._mapping(node, path, ("name", "steps"), "A phase has a name and steps.")
        if "name" not in parts:
            raise self._refuse(node, f"{path}.name", "The phase has no name.", f"Write one of {', '.join(PHASES)}.")
        named = parts["name"]
        name = next((phase for phase in PHASES if phase == named.value), None)
        if name is None:
            raise self._refuse(
                named, f"{path}.name", f"There is no phase {named.plain()!r}.", did_you_mean(str(named.value), PHASES)
            )
        if name in before:
            raise self._refuse(named, f"{path}.name", f"The phase {name} is there twice.", "Put its steps into one list.")
        if before and PHASES.index(name) < PHASES.index(before[-1]):
            hint = f"The order is {', '.join(PHASES)}; steps that must come later belong to a later phase."
            raise self._refuse(named, f"{path}.name", f"The phase {name} can't follow {before[-1]}.", hint)
        items = self._items(parts.get("steps"), f"{path}.steps")
        return Phase(name=name, steps=tuple(self._step(item, f"{path}.steps[{index}]") for index, item in enumerate(items)))

    def _step(self, node: Located, path: str) -> Step:
        if not isinstance(node.value, dict):
            raise self._refuse(node, path, f"A step is a mapping, not {kind_of(node.plain())}.", "Write `- id:` and its fields.")
        kind = self._kind(node, path)
        names = (*_STEP, *(name for item in kind.fields for name in dict.fromkeys((item.name, item.key))))
        parts = self._mapping(node, path, names, "A step is a mapping.")
        step_id = self._step_id(node, path, parts)
        spec = {
            item.key: self._spec_value(part, item, f"{path}.{item.name}") for item, part in self._spec_parts(kind, parts, path)
        }
        if missing := missing_fields(kind, spec):
            raise self._refuse(node, path, f'Step "{step_id}": {missing}', "Every field is explained in docs/plan-format.md.")
        title = self._text(parts["title"], f"{path}.title") if "title" in parts else step_id.replace("-", " ").capitalize()
        source_file, source_line = self._source(parts, path)
        return Step(
            id=step_id,
            kind=kind.name,
            title=title,
            spec=spec,
            rollback=self._rollback(node, path, kind, parts),
            source_file=source_file,
            source_line=source_line,
        )

    def _kind(self, node: Located, path: str) -> Kind:
        part = node.value.get("kind")
        if part is None:
            raise self._refuse(node, f"{path}.kind", "The step has no kind.", f"Add `kind:` with one of {', '.join(KINDS)}.")
        kind = KINDS.get(str(part.value))
        if kind is None:
            hint = did_you_mean(str(part.value), KINDS)
            raise self._refuse(part, f"{path}.kind", f"There is no kind of step named {part.plain()!r}.", hint)
        return kind

    def _step_id(self, node: Located, path: str, parts: dict[str, Located]) -> str:
        if "id" not in parts:
            raise self._refuse(node, f"{path}.id", "The step has no id.", "Add a short `id:` such as add-role-column.")
        part = parts["id"]
        step_id = self._text(part, f"{path}.id")
        if _STEP_ID.fullmatch(step_id) is None:
            hint = "Letters, digits, dots, dashes and underscores, at most 100."
            raise self._refuse(part, f"{path}.id", f"The step id {step_id!r} is not usable.", hint)
        if step_id in self._ids:
            message = f'The step id "{step_id}" is there twice: first in line {self._ids[step_id]}.'
            raise self._refuse(part, f"{path}.id", message, "Give one of the two another id.")
        self._ids[step_id] = part.line
        return step_id

    def _spec_parts(self, kind: Kind, parts: dict[str, Located], path: str) -> Iterable[tuple[Field, Located]]:
        for item in kind.fields:
            given = [name for name in dict.fromkeys((item.name, item.key)) if name in parts]
            if len(given) > 1:
                message = f"{item.name} and {item.key} say the same thing."
                raise self._refuse(parts[given[1]], f"{path}.{item.key}", message, f"Keep {item.name}.")
            if given:
                # the unit is in the name of the second spelling
                yield (item if given[0] == item.name else replace(item, type=MILLISECONDS)), parts[given[0]]

    def _spec_value(self, part: Located, item: Field, path: str) -> Any:
        try:
            return item.type.read(part.plain())
        except Unfit as error:
            raise self._refuse(part, path, f"{item.name} {error}.", item.sentence) from error

    def _source(self, parts: dict[str, Located], path: str) -> tuple[str, int | None]:
        """Where findings of the step point to: what ``source`` says, else the first line of its SQL in this document."""
        if "source" not in parts:
            text = parts.get("sql") or parts["kind"]
            return self.file, text.text_line
        part = parts["source"]
        source = self._mapping(part, f"{path}.source", ("file", "line"), "A source has a file and a line.")
        if "file" not in source:
            raise self._refuse(part, f"{path}.source.file", "The source has no file.", "Add `file:`, or leave source out.")
        line = source["line"].value if "line" in source else None
        if line is not None and (isinstance(line, bool) or not isinstance(line, int) or line < 1):
            raise self._refuse(source["line"], f"{path}.source.line", "line must be a whole number from 1.", "Correct it.")
        return self._text(source["file"], f"{path}.source.file"), line

    def _rollback(self, node: Located, path: str, kind: Kind, parts: dict[str, Located]) -> Rollback | None:
        part = parts.get("rollback")
        # asked for every statement, since a deriver judges each one by those before it
        derived = self._derived(parts["sql"]) if kind.name == "sql" else None
        if part is not None and part.value is not None:
            try:
                return read_rollback(part.plain())
            except Unfit as error:
                raise self._refuse(part, f"{path}.rollback", f"rollback {error}.", ROLLBACK_WAYS) from error
        if not kind.needs_rollback:
            return None
        if derived is not None:
            return derived
        message = f'Step "{parts["id"].value}" changes the database but does not say how it is undone.'
        raise self._refuse(part or node, f"{path}.rollback", message, ROLLBACK_WAYS)

    def _derived(self, part: Located) -> Rollback | None:
        if self.derive is None:
            return None
        try:
            return self.derive(part.value)
        except HeadgateError as error:
            # what is wrong with the SQL is told with its place in this document
            error.file = self.file
            error.line = part.text_line - 1 + (error.line or 1)
            if part.text_line > part.line:
                error.column = None
            raise

    def _mapping(self, node: Located, path: str, known: tuple[str, ...], sentence: str) -> dict[str, Located]:
        if not isinstance(node.value, dict):
            raise self._refuse(node, path, f"{sentence} Here is {kind_of(node.plain())}.", "See docs/plan-format.md.")
        for name in node.value:
            if name not in known:
                line, column = node.keys[name]
                raise PlanError(
                    f"Unknown field {name}.",
                    hint=did_you_mean(name, known),
                    file=self.file,
                    line=line,
                    column=column,
                    field=f"{path}.{name}" if path else name,
                )
        return dict(node.value)

    def _items(self, node: Located | None, path: str) -> tuple[Located, ...]:
        if node is None or node.value is None:
            return ()
        if not isinstance(node.value, tuple):
            raise self._refuse(node, path, f"{path} must be a list, not {kind_of(node.plain())}.", "Begin each item with `- `.")
        return node.value

    def _text(self, node: Located, path: str, *, may_be_empty: bool = False) -> str:
        if node.value is None and may_be_empty:
            return ""
        if not isinstance(node.value, str):
            raise self._refuse(node, path, f"{path} must be text, not {kind_of(node.plain())}.", "Put it in quotes.")
        if not node.value.strip() and not may_be_empty:
            raise self._refuse(node, path, f"{path} must not be empty.", "Write it, or leave the field out.")
        return node.value

    def _refuse(self, node: Located, path: str, message: str, hint: str) -> PlanError:
        return PlanError(message, hint=hint, file=self.file, line=node.line, column=node.column, field=path or None)
