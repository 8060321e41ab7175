"""The base of every refusal: a sentence, a way out, and the HTTP status that an edge shows it with."""

from typing import Any


class HeadgateError(Exception):
    """Something was refused or failed in a way that a person can act on."""

    status = 400
    #: 1 done and not good, 2 the call or the input is wrong, 3 a database or service could not be reached (contract.md)
    exit_code = 2

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        sqlstate: str | None = None,
    ) -> None:
        """``message`` defaults to the class's own docstring; ``line`` and ``column`` count from 1."""
        self.message = message or (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        self.hint = hint
        self.file = file
        self.line = line
        self.column = column
        self.sqlstate = sqlstate
        super().__init__(self.message)

    def as_json(self) -> dict[str, Any]:
        """The error object of the contract: message, file, line, column, sqlstate, hint."""
        return {
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "sqlstate": self.sqlstate,
            "hint": self.hint,
        }


class NotFoundError(HeadgateError):
    """There is nothing by that name, or it belongs to a project you are not a member of."""

    status = 404


class NotAllowedError(HeadgateError):
    """Your role does not allow this."""

    status = 403


class MovedMeanwhileError(HeadgateError):
    """Somebody was faster: this is no longer in the state that your page showed."""

    status = 409


class InvalidInputError(HeadgateError):
    """A field of the form is missing or wrong."""

    status = 422

    def __init__(self, message: str | None = None, *, fields: dict[str, str] | None = None, hint: str | None = None) -> None:
        """``fields`` maps the name of a form field to what is wrong with it."""
        super().__init__(message, hint=hint)
        self.fields = fields or {}
