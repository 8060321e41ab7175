"""docs/events.md and docs/run-states.md out of the code: `python -m app.run.pages` writes both, a house test compares them."""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from app.run import events
from app.run.events import EVENTS, Event, Gauge
from app.run.states import ACTIVE, DRIVEN, FINISHED, TRANSITIONS, RunState, StepState

_GROUPS = {
    "work": "What was done",
    "decision": "What Headgate decided by itself",
    "person": "What people did",
    "state": "How the run moved",
}
#: What needs no comment beside the code.
_USUAL = {
    "step": "The step's id in the plan.",
    "kind": "The step's kind.",
    "attempt": "Which attempt it is, from 1.",
    "attempts": "How many attempts there are at most.",
    "duration_ms": "How long it took.",
    "seconds": "How long it took.",
    "waited_ms": "How long was waited before that.",
    "retry_in_ms": "The rest before the next attempt.",
    "sqlstate": "PostgreSQL's code of the error.",
    "message": "The sentence for people; an error's own words where it is one.",
    "detail": "PostgreSQL's DETAIL.",
    "hint": "The way out.",
    "statement": "The SQL.",
    "sql": "The SQL.",
    "index": "Which statement of the step it is, from 1.",
    "unit": "Which unit of work of the step it is, from 1.",
    "of": "How many there are.",
    "fence": "The number that every write of this holder carries.",
    "worker": "The name of the worker's process.",
    "reason": "Why, in a sentence.",
    "table": "The table, with its schema.",
    "blockers": "One sentence for each session that stands in the way.",
    "pid": "The backend on the target.",
    "plan": "The name of the plan, or of the migration.",
    "digest": "SHA-256 of what runs.",
    "direction": "`forward` or `rollback`.",
}
_COMMENTED_FIELD = re.compile(r"((?:^ {4}#: .*\n)*)^ {4}(\w+): ", re.MULTILINE)


def event_page() -> str:
    """docs/events.md."""
    return "\n".join(_event_lines()) + "\n"


def state_page() -> str:
    """docs/run-states.md."""
    return "\n".join(_state_lines()) + "\n"


def _event_lines() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "Everything that can be said about a run. Generated from `app/run/events` by `python -m app.run.pages`; don't edit."
    yield ""
    yield (
        "An event is stored, streamed and printed as one JSON object: `contract` (1), `number` (from 1 in each run), `at` "
        "(ISO 8601, UTC), `type`, and the fields below. Types and fields are only ever added. A field whose value is not known "
        "is `null`."
    )
    for group, title in _GROUPS.items():
        yield ""
        yield f"## {title}"
        for name, cls in EVENTS.items():
            if cls.group == group:
                yield from _one_event(name, cls)
    yield ""
    yield "## Gauges"
    yield ""
    yield f"{_sentence(Gauge)} Gauges are shown live and not printed by the command line; what is not known is left out."
    yield ""
    yield from _field_table(Gauge)


def _one_event(name: str, cls: type[Event]) -> Iterator[str]:
    yield ""
    yield f"### {name}"
    yield ""
    yield _sentence(cls)
    if dataclasses.fields(cls):
        yield ""
        yield from _field_table(cls)


def untold() -> tuple[str, ...]:
    """Fields whose meaning is written nowhere, as ``event.field``."""
    found = []
    named: Mapping[str, type[Event | Gauge]] = {**EVENTS, "gauge": Gauge}
    for name, cls in named.items():
        told = _comments(cls)
        found += [
            f"{name}.{field.name}" for field in dataclasses.fields(cls) if not (told.get(field.name) or field.name in _USUAL)
        ]
    return tuple(found)


def _field_table(cls: type[Event] | type[Gauge]) -> Iterator[str]:
    comments = _comments(cls)
    yield "| field | type | meaning |"
    yield "| --- | --- | --- |"
    for field in dataclasses.fields(cls):
        told = comments.get(field.name) or _USUAL.get(field.name, "")
        yield f"| `{field.name}` | {_type_name(field.type)} | {told.replace('|', ', ')} |"


def _comments(cls: type) -> Mapping[str, str]:
    """Field -> the ``#:`` lines above it, in the class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith(events.__name__):
            continue
        for match in _COMMENTED_FIELD.finditer(inspect.getsource(base)):
            text = " ".join(line.strip().removeprefix("#:").strip() for line in match[1].splitlines())
            found[match[2]] = text[:1].upper() + text[1:] + ("." if text and not text.endswith(".") else "")
    return found


def _type_name(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    for python, json in (
        ("collections.abc.Mapping[str, collections.abc.Mapping[str, typing.Any]]", "object"),
        ("tuple[str, ...]", "list of strings"),
        ("tuple[float, float]", "list of two numbers"),
        ("str", "string"),
        ("int", "integer"),
        ("float", "number"),
        ("bool", "boolean"),
        ("None", "null"),
        (" | ", " or "),
    ):
        text = re.sub(rf"(?<![a-z]){re.escape(python)}(?![a-z])", json, text) if python.isalpha() else text.replace(python, json)
    return text


def _sentence(cls: type) -> str:
    return " ".join((inspect.getdoc(cls) or "").split())


def _state_lines() -> Iterator[str]:
    yield "# States of a run"
    yield ""
    yield "Generated from `app/run/states.py` by `python -m app.run.pages`; don't edit."
    yield ""
    yield (
        "Every move is one row of a table. Buttons, the database's CHECK constraint, the live page and recovery are derived from "
        "it. A move is a compare-and-set: it happens only while the run is still in the state that was seen."
    )
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {RunState.SCHEDULED.value}"
    for row in TRANSITIONS:
        yield f"    {row.source.value} --> {row.target.value}: {row.move.value}"
    for state in (state for state in RunState if state in FINISHED):
        yield f"    {state.value} --> [*]"
    yield "```"
    yield ""
    yield "| state | a worker drives it | holds its target | ends it |"
    yield "| --- | --- | --- | --- |"
    for state in RunState:
        marks = ("yes" if state in group else "" for group in (DRIVEN, ACTIVE, FINISHED))
        yield f"| `{state.value}` | " + " | ".join(marks) + " |"
    yield ""
    yield "| from | move | to | what it means |"
    yield "| --- | --- | --- | --- |"
    for row in TRANSITIONS:
        yield f"| `{row.source.value}` | `{row.move.value}` | `{row.target.value}` | {row.reason} |"
    yield ""
    yield "## States of a step"
    yield ""
    yield ", ".join(f"`{state.value}`" for state in StepState) + "."


#: Page -> what makes it.
PAGES: Mapping[str, Callable[[], str]] = {"docs/events.md": event_page, "docs/run-states.md": state_page}


def main() -> int:
    """Write the pages below the present directory, which must be the repository's root."""
    for name, make in PAGES.items():
        Path(name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
