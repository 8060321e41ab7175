"""What is wrong with a plan document, where, and what to write instead."""

import difflib
from collections.abc import Iterable
from typing import Any

from app.errors import HeadgateError


class PlanError(HeadgateError):
    """The plan document can't be read as it stands."""

    status = 422

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
    ) -> None:
        """``field`` is the path of the field in the document: ``phases[0].steps[2].rollback``."""
        super().__init__(message, hint=hint, file=file, line=line, column=column)
        self.field = field

    def __str__(self) -> str:
        """The sentence after its place, as compilers print it: ``plan.yaml:12:9: ...``."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}" if place else self.message

    def as_json(self) -> dict[str, Any]:
        """The error object of the contract, and the field."""
        return {**super().as_json(), "field": self.field}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them."""
    candidates = list(known)
    nearest = difflib.get_close_matches(word.lower(), candidates, n=1, cutoff=0.6)
    return f"Did you mean {nearest[0]}?" if nearest else f"Known here: {', '.join(candidates)}."
