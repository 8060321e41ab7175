"""Rules as records: a rule is what it says, where PostgreSQL says so, one bad and one good example, and one function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from app.analysis.context import Context

Risk = Literal["low", "medium", "unknown", "high"]
#: from the least to the worst; what can't be judged stands above medium
RISKS: tuple[Risk, ...] = ("low", "medium", "unknown", "high")
_MANUAL = "https://www.postgresql.org/docs/18/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a rule found in one statement."""

    risk: Risk
    message: str
    #: SQL of the safe way, with the statement's own names; None where there is none
    safer: str | None = None
    #: overrides the rule's own reason
    why: str | None = None
    #: byte offset in the script, as the syntax tree has it; None means the statement's first token
    location: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; docs/rules has a page for each, generated from this record."""

    #: kebab-case, stable for ever: it is what people accept and suppress
    id: str
    title: str
    #: why it matters, for somebody who has not met it before
    why: str
    #: where PostgreSQL says so, or how it was measured
    source: str
    #: the level when tables are large and busy
    level: Risk
    bad: str
    good: str | None
    check: Callable[["Context"], Iterable[Hit]]
    #: what has to hold on a target for its example to be found; empty where the text alone says it
    needs_target: str = ""


def manual(page: str) -> str:
    """The address of a page of PostgreSQL's manual."""
    return _MANUAL + page


def worst(risks: Iterable[Risk]) -> Risk:
    """The highest of some levels; low where there is none."""
    return max(risks, key=RISKS.index, default="low")


def lowered(risk: Risk) -> Risk:
    """One level less; unknown stays unknown, because nothing was proven."""
    return {"high": "medium", "medium": "low"}.get(risk, risk)  # type: ignore[return-value]  # the values are levels
