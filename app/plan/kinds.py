"""The fields of each kind of step, as one table: the YAML reader, the pages and docs/plan-format.md are derived from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.plan import fields as types
from app.plan.backfills import LIMITS
from app.plan.errors import PlanError, did_you_mean
from app.plan.fields import FieldType, Unfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a step's spec."""

    name: str
    type: FieldType
    sentence: str
    required: bool = False
    #: what applies where it is left out, in words; "" where that needs no words
    default: str = ""
    #: the field of the spec that it is stored as, where that has another name (``lock_timeout`` -> ``lock_timeout_ms``)
    stored: str = ""

    @property
    def key(self) -> str:
        """Its name in Step.spec."""
        return self.stored or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of step: its fields, and whether it changes the target and so needs a rollback."""

    name: str
    sentence: str
    fields: tuple[Field, ...]
    needs_rollback: bool = False
    #: groups of fields that belong together, of which exactly one must be given
    alternatives: tuple[tuple[str, ...], ...] = ()

    def field(self, name: str) -> Field | None:
        """The field by the name a document or a spec gives it."""
        return next((field for field in self.fields if name in (field.name, field.key)), None)


def _duration(name: str, sentence: str, default: str) -> Field:
    return Field(name=name, stored=f"{name}_ms", type=types.DURATION, sentence=sentence, default=default)


_SQL = Kind(
    name="sql",
    needs_rollback=True,
    sentence="Runs statements in the order written.",
    fields=(
        Field(name="sql", type=types.TEXT, required=True, sentence="One or more statements, each ended by a semicolon."),
        _duration(
            "lock_timeout",
            "How long a statement waits for a lock, and for all its locks together, before it tries again.",
            "policy",
        ),
        _duration("statement_timeout", "How long one statement may take.", "policy"),
        _duration("transaction_timeout", "How long one transaction may take; PostgreSQL 17 and newer.", "policy"),
        Field(
            name="attempts",
            type=types.whole(1, 1000),
            default="policy",
            sentence="How often it asks for a lock.",
        ),
        _duration("patience", "How long it waits outside the lock queue for an old transaction to end.", "policy"),
        _duration("queue_tolerance", "What those who queue behind it may wait, all together, before it gives way.", "policy"),
        Field(
            name="queue_sessions",
            type=types.whole(0, 1000),
            default="policy",
            sentence="So many sessions behind it make it give way at once; 0 means that only the time counts.",
        ),
        Field(
            name="transaction",
            type=types.BOOLEAN,
            default="true",
            sentence="True: neighbours that can share a transaction do. False: each statement commits by itself.",
        ),
    ),
)
_BACKFILL = Kind(
    name="backfill",
    needs_rollback=True,
    sentence="Updates, deletes or copies many rows in small committed batches that can be paused and resumed.",
    alternatives=(("set",), ("delete",), ("into",)),
    fields=(
        Field(name="table", type=types.RELATION, required=True, sentence="The table whose rows are walked."),
        Field(name="set", type=types.ASSIGNMENTS, sentence="What is assigned to each row."),
        Field(name="delete", type=types.BOOLEAN, sentence="True: each row is deleted."),
        Field(name="into", type=types.RELATION, sentence="The other table that each row is copied into."),
        Field(
            name="columns",
            type=types.COLUMNS,
            default="all columns of the same name",
            sentence="What is copied: each column or expression with the name of the column it fills.",
        ),
        Field(
            name="where",
            type=types.CONDITION,
            required=True,
            sentence="Which rows are still to be done; an update must make it false, or every row is visited once.",
        ),
        Field(name="key", type=types.NAMES, default="the best unique key", sentence="The unique key that it walks by."),
        Field(
            name="profile",
            type=types.one_of("gentle", "balanced", "fast"),
            default="balanced",
            sentence="How much of the server it may take.",
        ),
        Field(name="max_rate", type=types.whole(1, 10_000_000), default="no limit", sentence="Rows a second at most."),
        Field(
            name="limits",
            type=types.numbers_of(LIMITS),
            default="see below",
            sentence="What it may do to the server before it goes slower or waits.",
        ),
        Field(name="workers", type=types.whole(1, 32), default="1", sentence="Ranges walked at the same time."),
        Field(
            name="strategy",
            type=types.one_of("auto", "windows", "keyset"),
            default="auto",
            sentence="Page windows (convergent updates), keyset (any), or let Headgate choose.",
        ),
        Field(
            name="max_quarantine",
            type=types.whole(0, 1_000_000),
            default="0",
            sentence="Rows that fail and may be set aside before the run stops.",
        ),
    ),
)
_CHECK = Kind(
    name="check",
    sentence="Asks the database a question; the run stops where the answer is another one.",
    alternatives=(("query", "expect"), ("statement", "refused_with")),
    fields=(
        Field(name="query", type=types.TEXT, sentence="A query that changes nothing."),
        Field(name="expect", type=types.EXPECTED, sentence="What it must return: one value, or all rows in order."),
        Field(name="statement", type=types.TEXT, sentence="A statement that must be refused; it is always rolled back."),
        Field(name="refused_with", type=types.SQLSTATE, sentence="The SQLSTATE it must be refused with."),
        _duration("timeout", "How long the question may take.", "policy"),
    ),
)
_GATE = Kind(
    name="gate",
    sentence="Waits until a person confirms something that Headgate can't see.",
    fields=(
        Field(name="ask", type=types.TEXT, required=True, sentence="The sentence that is confirmed."),
        Field(
            name="who",
            type=types.one_of("author", "approver", "operator", "admin"),
            default="operator",
            sentence="The least role that may confirm.",
        ),
    ),
)
_HOOK = Kind(
    name="hook",
    sentence="Calls another system: deploy the application, clear a cache, wait for CI.",
    fields=(
        Field(name="url", type=types.URL, required=True, sentence="Where to."),
        Field(name="method", type=types.one_of("GET", "POST", "PUT", "PATCH", "DELETE"), default="POST", sentence="How."),
        Field(name="body", type=types.MAPPING, default="the run and the step", sentence="Sent as JSON."),
        Field(name="expect_status", type=types.whole(100, 599), default="200", sentence="The HTTP status that means success."),
        _duration("timeout", "How long to wait for the answer.", "30s"),
    ),
)
_BACKUP = Kind(
    name="backup",
    sentence="Takes a backup with pg_dump and verifies it.",
    fields=(
        Field(name="tables", type=types.RELATIONS, default="the whole database", sentence="Only these tables."),
        Field(
            name="format",
            type=types.one_of("directory", "custom"),
            default="directory",
            sentence="Of pg_dump; only a directory is written in parallel.",
        ),
        Field(name="jobs", type=types.whole(1, 64), default="policy", sentence="Tables that are dumped at the same time."),
    ),
)
_WAIT = Kind(
    name="wait",
    sentence="Lets time pass, for replicas or caches to catch up.",
    fields=(Field(name="seconds", type=types.whole(1, 604_800), required=True, sentence="How long."),),
)

#: by the name that a plan uses, in the order of the documentation
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (_SQL, _BACKFILL, _CHECK, _GATE, _HOOK, _BACKUP, _WAIT)}


def missing_fields(kind: Kind, given: Iterable[str]) -> str | None:
    """What a step of this kind lacks or has too much of, as a sentence; None where it is whole. ``given`` are names of fields."""
    names = {field.name for name in given if (field := kind.field(name)) is not None}
    for field in kind.fields:
        if field.required and field.name not in names:
            return f"{field.name} is missing: {field.sentence}"
    if not kind.alternatives:
        return None
    complete = [group for group in kind.alternatives if names.issuperset(group)]
    offered = " or ".join(" with ".join(group) for group in kind.alternatives)
    if not complete:
        return f"a {kind.name} step needs {offered}."
    if any(name in names for group in kind.alternatives if group not in complete[:1] for name in group):
        return f"a {kind.name} step takes {offered}, not both."
    return None


def check_spec(kind_name: str, spec: Mapping[str, Any]) -> None:
    """Refuse a spec (JSON values, as Step.spec holds it) that a step of that kind can't have.

    Raises PlanError.
    """
    kind = KINDS.get(kind_name)
    if kind is None:
        raise PlanError(f"There is no kind of step named {kind_name}.", hint=did_you_mean(kind_name, KINDS), field="kind")
    for name, value in spec.items():
        field = next((field for field in kind.fields if field.key == name), None)
        if field is None:
            keys = [field.key for field in kind.fields]
            raise PlanError(f"A {kind_name} step has no field {name}.", hint=did_you_mean(name, keys), field=name)
        try:
            (types.MILLISECONDS if field.stored else field.type).read(value)
        except Unfit as error:
            raise PlanError(f"{name} {error}.", hint=field.sentence, field=name) from error
    if missing := missing_fields(kind, spec):
        raise PlanError(missing[0].upper() + missing[1:], field=kind_name)


def kinds_table() -> str:
    """The fields of every kind as Markdown, for docs/plan-format.md."""
    limits = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in LIMITS.items())
    return "\n\n".join(_kind_section(kind) for kind in KINDS.values()) + _LIMITS + limits + "\n"


_LIMITS = """

### `limits` of a backfill

The signal that holds a backfill back is named on the run's page and in its events. What the server does not tell (a role without
`pg_monitor`) keeps the speed from rising, and stops the walk where the step sets a limit for it.

| limit | unit (default); what passing it means |
| --- | --- |
"""


def _kind_section(kind: Kind) -> str:
    lines = [f"### `{kind.name}`", "", kind.sentence + (" Needs a `rollback`." if kind.needs_rollback else "")]
    if kind.alternatives:
        lines.append(
            "Exactly one of: " + "; ".join(" with ".join(f"`{name}`" for name in group) for group in kind.alternatives) + "."
        )
    lines += ["", "| field | type | required | default | meaning |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{field.name}` | {field.type.name} | {'yes' if field.required else 'no'} | {field.default} | {field.sentence} |"
        for field in kind.fields
    ]
    return "\n".join(lines)
