"""Domain values to JSON-ready data and back, so that a store need not know their shapes.

A dataclass becomes ``{"~": "Name", field: …}``; defaults are left out, so a field added later reads old rows, and a
field that is gone since is passed over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
Encode = Callable[[Any], Json]
Decode = Callable[[dict[str, Any]], Any]


def stored(*classes: type[Any]) -> None:
    """Make *classes* (frozen dataclasses and enums) readable by :func:`decode`. Names must be unique."""
    for cls in classes:
        if _types.setdefault(cls.__name__, cls) is not cls:
            raise TypeError(f"two stored types are called {cls.__name__}")
        if cls not in _encoders:
            of = _enum if issubclass(cls, Enum) else _record
            _encoders[cls], _decoders[cls.__name__] = of(cls)


def encode(value: object) -> Json:
    """*value* as data that any JSON writer takes. TypeError for what was never :func:`stored`."""
    kind = type(value)
    return (_encoders.get(kind) or _encoder(kind))(value)


def decode(data: Json) -> Any:  # noqa: ANN401 - the caller knows what it stored
    """The value that :func:`encode` was given. KeyError for a type this build doesn't know."""
    if isinstance(data, list):
        return tuple([decode(item) for item in data])
    return _decoders[data["~"]](data) if isinstance(data, dict) else data


def _encoder(kind: type[Any]) -> Encode:
    """For another kind of mapping, or of time, than those that everybody uses."""
    for base in (Mapping, datetime, timedelta):
        if issubclass(kind, base):
            return _encoders[dict if base is Mapping else base]
    raise TypeError(f"{kind.__name__} is not a stored type")


def _enum(cls: type[Enum]) -> tuple[Encode, Decode]:
    return lambda value: {"~": cls.__name__, "of": value.value}, lambda data: cls(data["of"])


def _record(cls: type[Any]) -> tuple[Encode, Decode]:
    fields = {field.name: field.default for field in dataclasses.fields(cls)}

    def encoded(value: object) -> Json:
        data: dict[str, Any] = {"~": cls.__name__}
        for name, default in fields.items():  # MISSING equals nothing
            item = getattr(value, name)
            if item is not default and item != default:
                data[name] = encode(item)
        return data

    def decoded(data: dict[str, Any]) -> object:
        return cls(**{name: decode(item) for name, item in data.items() if name in fields})

    return encoded, decoded


def _same(value: Any) -> Any:  # noqa: ANN401 - JSON has it too
    return value


def _items(value: tuple[object, ...] | list[object]) -> Json:
    return [encode(item) for item in value]


def _map(value: Mapping[object, object]) -> Json:
    return {"~": "map", "of": [[encode(key), encode(item)] for key, item in value.items()]}


def _float(value: float) -> Json:
    """JSON has no NaN and no infinities."""
    return value if isfinite(value) else {"~": "float", "of": str(value)}


_types: dict[str, type[Any]] = {}
_encoders: dict[type[Any], Encode] = {
    **dict.fromkeys((str, int, bool, type(None)), _same),
    **dict.fromkeys((tuple, list), _items),
    dict: _map,
    float: _float,
    datetime: lambda value: {"~": "at", "of": value.isoformat()},
    timedelta: lambda value: {"~": "for", "of": value.total_seconds()},
}
_decoders: dict[str, Decode] = {
    "map": lambda data: {decode(key): decode(item) for key, item in data["of"]},
    "at": lambda data: datetime.fromisoformat(data["of"]),
    "for": lambda data: timedelta(seconds=data["of"]),
    "float": lambda data: float(data["of"]),
}
