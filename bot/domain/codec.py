"""Domain values to JSON-ready data and back, so that a store need not know their shapes.

A dataclass becomes ``{"~": "Name", field: …}``; defaults are left out, so a field added later reads old rows, and a
field that is gone since is passed over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | float | bool | None

_types: dict[str, type[Any]] = {}


def stored(*classes: type[Any]) -> None:
    """Make *classes* (frozen dataclasses and enums) readable by :func:`decode`. Names must be unique."""
    for cls in classes:
        if _types.setdefault(cls.__name__, cls) is not cls:
            raise TypeError(f"two stored types are called {cls.__name__}")


_defaults: dict[str, tuple[tuple[str, object], ...]] = {}


def _fields(cls: type[Any]) -> tuple[tuple[str, object], ...]:
    found = _defaults.get(cls.__name__)
    if found is None:
        found = _defaults[cls.__name__] = tuple((f.name, f.default) for f in dataclasses.fields(cls))
    return found


def encode(value: object) -> Json:  # noqa: C901 - one flat choice by type
    """*value* as data that any JSON writer takes. TypeError for what was never :func:`stored`."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value  # type: ignore[return-value]
    if kind is float:  # JSON has no NaN and no infinities
        return value if isfinite(value) else {"~": "float", "of": str(value)}  # type: ignore[arg-type, return-value]
    if kind is tuple or kind is list:
        return [encode(item) for item in value]  # type: ignore[attr-defined]
    if isinstance(value, Mapping):
        return {"~": "map", "of": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, datetime):
        return {"~": "at", "of": value.isoformat()}
    if isinstance(value, timedelta):
        return {"~": "for", "of": value.total_seconds()}
    name = kind.__name__
    if _types.get(name) is not kind:
        raise TypeError(f"{name} is not a stored type")
    if isinstance(value, Enum):
        return {"~": name, "of": value.value}
    data: dict[str, Any] = {"~": name}
    for field, default in _fields(kind):
        item = getattr(value, field)
        if item is not default and (default is dataclasses.MISSING or item != default):
            data[field] = encode(item)
    return data


def decode(data: Json) -> Any:  # noqa: ANN401 - the caller knows what it stored
    """The value that :func:`encode` was given. KeyError for a type this build doesn't know."""
    if isinstance(data, list):
        return tuple(decode(item) for item in data)
    if not isinstance(data, dict):
        return data
    match data["~"]:
        case "map":
            return {decode(key): decode(item) for key, item in data["of"]}
        case "at":
            return datetime.fromisoformat(data["of"])
        case "for":
            return timedelta(seconds=data["of"])
        case "float":
            return float(data["of"])
        case name:
            cls = _types[name]
            if "of" in data and issubclass(cls, Enum):
                return cls(data["of"])
            known = {field for field, _ in _fields(cls)}
            return cls(**{key: decode(item) for key, item in data.items() if key in known})
