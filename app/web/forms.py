"""Fields of a sent form as typed values; what is missing or wrong is collected and named field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from app.errors import HeadgateError, InvalidInputError

MOST_FILES = 5000
MOST_FIELDS = 5000
_TRUE = {"1", "true", "on", "yes"}


class UnreadableFormError(HeadgateError):
    """The form could not be read."""


@dataclass(slots=True)
class Form:
    """A sent form, or the JSON object of a script; ask for fields, then call ``check``."""

    values: Mapping[str, list[str]]
    files: list[UploadFile] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, *, required: bool = False, longest: int = 2000) -> str:
        """The field without white space around it; empty where it is missing."""
        value = (self.values.get(name) or [""])[0].strip()
        if required and not value:
            self.errors[name] = "This is needed."
        elif len(value) > longest:
            self.errors[name] = f"This has {len(value):,} characters; {longest:,} is the most."
        elif "\x00" in value:
            self.errors[name] = "This holds a NUL character, which PostgreSQL can't keep."
        return value

    def long_text(self, name: str, *, required: bool = False) -> str:
        """A text that keeps its white space and may be as long as an upload, with line ends as LF."""
        value = (self.values.get(name) or [""])[0].replace("\r\n", "\n")
        if required and not value.strip():
            self.errors[name] = "This is needed."
        return value

    def number(self, name: str, *, least: int = 0, most: int = 2**53, default: int | None = None) -> int:
        """A whole number within its bounds."""
        raw = (self.values.get(name) or [""])[0].strip()
        if not raw and default is not None:
            return default
        try:
            value = int(raw)
        except ValueError:
            self.errors[name] = "A whole number is needed."
            return least
        if not least <= value <= most:
            self.errors[name] = f"It must be between {least:,} and {most:,}."
            return least
        return value

    def optional_number(self, name: str) -> int | None:
        """A whole number, or None where the field is empty."""
        return self.number(name) if (self.values.get(name) or [""])[0].strip() else None

    def flag(self, name: str) -> bool:
        """True where a checkbox was ticked."""
        return (self.values.get(name) or [""])[0].lower() in _TRUE

    def many(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return list(self.values.get(name) or [])

    def one_of(self, name: str, words: Mapping[str, str] | tuple[str, ...] | list[str], *, default: str | None = None) -> str:
        """One of the words that the form offered."""
        value = (self.values.get(name) or [""])[0]
        if not value and default is not None:
            return default
        if value not in words:
            self.errors[name] = "Choose one of: " + ", ".join(words) + "."
        return value

    def check(self) -> None:
        """Raise InvalidInputError where a field was missing or wrong."""
        if self.errors:
            names = ", ".join(name.replace("_", " ") for name in self.errors)
            raise InvalidInputError(f"Look at: {names}.", fields=dict(self.errors))

    def names(self) -> set[str]:
        """The paths of the uploaded files."""
        return {file.filename for file in self.files if file.filename}

    def contents(self) -> dict[str, bytes]:
        """Every uploaded file by its path as the browser gave it.

        Raises InvalidInputError where two files have the same path: neither may silently replace the other.
        """
        read: dict[str, bytes] = {}
        for file in self.files:
            if file.filename in read:
                raise InvalidInputError(f"Two files are called {file.filename}.", hint="Upload the folder that holds them.")
            if file.filename:
                read[file.filename] = file.file.read()
        return read


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _from_json(content: object) -> Form:
    if not isinstance(content, dict):
        raise UnreadableFormError("The body must be a JSON object.")
    values = {
        str(name): [_as_text(item) for item in value] if isinstance(value, list) else [_as_text(value)]
        for name, value in content.items()
    }
    return Form(values=values)


def _from_data(data: FormData) -> Form:
    values: dict[str, list[str]] = {}
    files: list[UploadFile] = []
    for name, value in data.multi_items():
        if isinstance(value, str):
            values.setdefault(name, []).append(value)
        else:
            files.append(value)
    return Form(values=values, files=files)


async def read_form(request: Request) -> Form:
    """The form of the request, multipart, url-encoded or JSON."""
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            return _from_json(await request.json())
        except (ValueError, RecursionError) as error:
            raise UnreadableFormError("The body is not JSON.", hint=str(error)) from error
    limit = request.app.state.settings.upload_bytes
    try:
        return _from_data(await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=limit))
    except (MultiPartException, HTTPException) as error:
        detail = error.message if isinstance(error, MultiPartException) else str(error.detail)
        raise UnreadableFormError("The form could not be read.", hint=detail) from error


SentForm = Annotated[Form, Depends(read_form)]
