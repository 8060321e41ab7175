"""YAML text -> values that know their line and column, so that every refusal can point at the character.

A subset on purpose: no anchors, aliases, tags or second documents, and plain ``yes``, ``on``, ``010`` and ``1:30`` are text
(YAML 1.1 reads them as true, true, 8 and 90).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from app.plan.errors import PlanError

MAXIMUM_BYTES = 5 * 1024 * 1024
MAXIMUM_DEPTH = 32

#: Python refuses to read longer numbers, for they take quadratic time
_MAXIMUM_DIGITS = 4000
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
#: libyaml where the wheel has it: 20 times faster, same events
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A value of the document and where it begins; lines and columns count from 1."""

    #: text, number, truth, None, a tuple of Located, or a mapping of names to Located
    value: Any
    line: int
    column: int
    #: line of the text's first character: for a ``|`` block the line below the ``|``
    text_line: int
    #: for a mapping: where each key is written
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value as JSON values, without places."""
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {name: item.plain() for name, item in self.value.items()}
        return self.value


def read_yaml(text: str, *, file: str) -> Located:
    """The single document in a YAML text.

    Raises PlanError for what is no YAML, too large, too deep, or outside the subset.
    """
    if len(text) * 4 > MAXIMUM_BYTES and len(text.encode(errors="surrogatepass")) > MAXIMUM_BYTES:
        raise PlanError(
            f"The document is larger than {MAXIMUM_BYTES // 1024**2} MiB.",
            hint="Split the plan, or load bulk data by a step of its own outside the document.",
            file=file,
        )
    return _Composer(text, file).document()


class _Composer:
    """Builds the tree from libyaml's events."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._text = text
        self._events: Iterator[Any] = iter(())

    def document(self) -> Located:
        """The whole stream as one value."""
        try:
            self._events = iter(yaml.parse(self._text, Loader=_LOADER))
            return self._single_document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise PlanError(
                f"This is not YAML: {error.problem or error.context}.",
                hint="Indent with spaces, and write SQL as a block after a `|`.",
                file=self._file,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            ) from error
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            raise PlanError(
                f"This is not YAML: {_reason(error)}.", hint="Remove the control characters.", file=self._file
            ) from error

    def _single_document(self) -> Located:
        self._next()
        if isinstance(first := self._next(), yaml.StreamEndEvent):
            raise self._refuse(first, "The document is empty.", "Begin it with `headgate: 1` and `name:`.")
        root = self._node(self._next(), depth=1)
        self._next()
        if not isinstance(second := self._next(), yaml.StreamEndEvent):
            raise self._refuse(second, "There is a second document after `---`.", "Write one plan per file.")
        return root

    def _next(self) -> Any:
        return next(self._events)

    def _node(self, event: Any, *, depth: int) -> Located:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, f"The alias *{event.anchor} is not accepted.", "Write the value out.")
        if event.anchor is not None:
            raise self._refuse(event, f"The anchor &{event.anchor} is not accepted.", "Write the value out where it is used.")
        if event.tag is not None and event.tag != "!":
            raise self._refuse(event, f"The tag {event.tag} is not accepted.", "Write the plain value.")
        if depth > MAXIMUM_DEPTH:
            raise self._refuse(event, f"The document nests more than {MAXIMUM_DEPTH} levels.", "Flatten it.")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _scalar(self, event: Any) -> Located:
        is_block = event.style in ("|", ">")
        value = event.value if event.style or event.tag == "!" else _resolve(event.value)
        return _at(event, value, text_offset=1 if is_block else 0)

    def _sequence(self, start: Any, depth: int) -> Located:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth=depth + 1))
        return _at(start, tuple(items))

    def _mapping(self, start: Any, depth: int) -> Located:
        values: dict[str, Located] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth=depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "A field's name must be plain text.", "Write `name: value`.")
            if event.value in values:
                raise self._refuse(event, f"The field {event.value} is there twice.", "Keep one of them.")
            values[event.value] = self._node(self._next(), depth=depth + 1)
            keys[event.value] = (key.line, key.column)
        return _at(start, values, keys=keys)

    def _refuse(self, event: Any, message: str, hint: str) -> PlanError:
        mark = event.start_mark
        return PlanError(message, hint=hint, file=self._file, line=mark.line + 1, column=mark.column + 1)


def _at(event: Any, value: Any, *, text_offset: int = 0, keys: Mapping[str, tuple[int, int]] | None = None) -> Located:
    line = event.start_mark.line + 1
    return Located(value=value, line=line, column=event.start_mark.column + 1, text_line=line + text_offset, keys=keys or {})


def _resolve(plain: str) -> str | int | float | bool | None:
    """What an unquoted word means."""
    if plain in _WORDS:
        return _WORDS[plain]
    if _INTEGER.fullmatch(plain) and len(plain) <= _MAXIMUM_DIGITS:
        return int(plain)
    return float(plain) if _FLOAT.fullmatch(plain) else plain


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).strip().splitlines()[0].rstrip(".")
