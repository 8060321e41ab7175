"""One question about the rows of a target, and its answer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

#: values are cut to so many characters before they leave the target
SHOWN_CHARACTERS = 120
Kind = Literal["nulls", "duplicates", "orphans", "check", "values", "conversion", "exclusion", "rows", "bound"]
AnswerState = Literal["fits", "fails", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What must not be found, and what happens where it is."""

    kind: Kind
    #: qualified
    relation: str
    #: ``{n} of public.users hold NULL in nickname``; ``{n}`` is the count with its noun
    found: str
    #: what follows: ``SET NOT NULL fails``
    effect: str
    #: SELECT of what must not be there, a row for each; None where it can't be asked
    question: str | None
    #: why it can't be asked
    why_not: str = ""
    #: what is counted
    noun: str = "row"
    #: the number of the statement in the input, and its step
    statement: int = 0
    step: str | None = None
    #: what changes these rows earlier in the plan, so that the answer may be another by then
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the target said."""

    probe: Probe
    state: AnswerState
    #: how many were found; None where nobody knows
    count: int | None = None
    #: there are more than ``count``: it was not counted to the end
    is_more: bool = False
    #: names and values of up to five of them, as text
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str | None, ...], ...] = ()
    #: why it is not known, or the error that a conversion ended with
    reason: str = ""
    took_ms: float = 0.0

    def sentence(self) -> str:
        """``12 rows of public.users hold NULL in nickname: SET NOT NULL fails``; for people."""
        probe = self.probe
        if self.state == "not known":
            return f"{probe.found.format(n=f'Whether {probe.noun}s')} is not known: {self.reason}"
        if self.state == "fits":
            return probe.found.format(n=f"No {probe.noun}")
        if self.count is None:
            return f"{probe.effect}: {self.reason}"
        more = "more than " if self.is_more else ""
        noun = probe.noun if self.count == 1 and not self.is_more else f"{probe.noun}s"
        return f"{probe.found.format(n=f'{more}{self.count:,} {noun}')}: {probe.effect}"

    def as_json(self) -> dict[str, Any]:
        """As the contract says."""
        content = asdict(self)
        probe = content.pop("probe")
        return {**probe, **content, "sentence": self.sentence()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Answer":
        """The answer that ``as_json`` wrote."""
        probe = Probe(**{name: content[name] for name in Probe.__dataclass_fields__ if name in content})
        own: dict[str, Any] = {name: content[name] for name in ("state", "count", "is_more", "reason", "took_ms")}
        return cls(
            probe=probe,
            columns=tuple(content["columns"]),
            sample=tuple(tuple(row) for row in content["sample"]),
            **own,
        )
