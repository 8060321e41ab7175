"""A reason why PostgreSQL will refuse a statement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """``sqlstate`` and what stands in the way, in words that follow "The statement fails: "."""

    sqlstate: str
    reason: str
    safer: str | None = None
    #: byte offset in the script, as the syntax tree has it
    location: int | None = None
