"""Records as JSON values and back, so that what a worker read is kept and shown without asking the target again.

A field that has its default is left out, which makes a stored schema a third of the size; an unknown field, written by a
newer Headgate, is passed over.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from app.catalog.records import Schema, Statistics

_T = TypeVar("_T")
_MISSING = dataclasses.MISSING


def to_json(record: Any) -> dict[str, Any]:
    """A frozen record (Schema, Statistics, Vitals, ...) as JSON values."""
    return cast("dict[str, Any]", _encode(record))


def from_json(cls: type[_T], content: Mapping[str, Any]) -> _T:
    """The record that ``to_json`` wrote.

    Raises TypeError where a field without default is missing.
    """
    decoders = _decoders(cast("Any", cls))
    return cls(**{name: decoders[name](value) for name, value in content.items() if name in decoders})


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """A schema as JSON values."""
    return to_json(schema)


def schema_from_json(content: Mapping[str, Any]) -> Schema:
    """The schema that ``schema_to_json`` wrote."""
    return from_json(Schema, content)


def statistics_to_json(statistics: Statistics) -> dict[str, Any]:
    """Statistics as JSON values."""
    return to_json(statistics)


def statistics_from_json(content: Mapping[str, Any]) -> Statistics:
    """The statistics that ``statistics_to_json`` wrote."""
    return from_json(Statistics, content)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    encoded = {}
    for name, default in _defaults(cast("Any", type(value))):
        item = getattr(value, name)
        if default is _MISSING or item != default:
            encoded[name] = _encode(item)
    return encoded


@cache
def _defaults(cls: type) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (field.name, field.default_factory() if field.default_factory is not _MISSING else field.default)
        for field in dataclasses.fields(cls)
    )


@cache
def _decoders(cls: type) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(cls)
    return {field.name: _decoder(hints[field.name]) for field in dataclasses.fields(cls) if field.init}


def _as_it_is(value: Any) -> Any:
    return value


def _decoder(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional(arguments)
    if dataclasses.is_dataclass(hint):
        return lambda value: from_json(cast("type[Any]", hint), value)
    if origin is tuple:
        item = _decoder(arguments[0])
        return tuple if item is _as_it_is else lambda value: tuple(item(part) for part in value)
    if origin is Mapping:
        item = _decoder(arguments[1])
        return dict if item is _as_it_is else lambda value: {key: item(part) for key, part in value.items()}
    return _as_it_is


def _optional(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    inner = _decoder(next(argument for argument in arguments if argument is not types.NoneType))
    return inner if inner is _as_it_is else lambda value: None if value is None else inner(value)
