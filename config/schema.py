"""Looks at the settings classes along a key's path: which keys may stand there, and whether one is a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.base import OnDisk
from config.settings import Settings

Loc: TypeAlias = "tuple[int | str, ...]"
"""A key's path: names of tables and keys, positions in lists."""


def keys(loc: Loc) -> Mapping[str, FieldInfo]:
    """The keys that may stand in the table at *loc*, as the file spells them."""
    model: type[BaseModel] = Settings
    for step in loc:
        field = _spelled(model).get(str(step))
        model = (_model(field.annotation) if field else None) or model
    return _spelled(model)


def field_at(loc: Loc) -> FieldInfo | None:
    """The field that *loc* leads to, if it is one."""
    return keys(loc[:-1]).get(str(loc[-1])) if loc else None


def is_secret(loc: Loc) -> bool:
    """Whether the value at *loc* must never be shown."""
    field = field_at(loc)
    return field is not None and _mentions(field.annotation, SecretStr)


def guards_secret(loc: Loc) -> bool:
    """Whether a secret may stand at *loc* by mistake: the field is one, or a table with one inside."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    field = field_at(loc)
    return field is not None and _holds(field.annotation)


def is_path(loc: Loc) -> bool:
    """Whether the value at *loc* names a file, or may do so."""
    field = field_at(loc)
    return field is not None and (_mentions(field.annotation, Path) or _mentions(field.annotation, OnDisk))


def spelled(loc: Loc, data: object) -> str:
    """*loc* as people find it in the file: ``people[anna].slack``, ``routes[#2].to[#1]`` (counted from one)."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list | tuple) and step < len(data) else None
            name = data.get("name") if isinstance(data, dict) else None
            text += f"[{name}]" if isinstance(name, str) else f"[#{step + 1}]"
        else:
            data = data.get(step) if isinstance(data, dict) else None
            text += f".{step}" if text else step
    return text


def _spelled(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model(part))), None)


def _holds(annotation: object) -> bool:
    model = _model(annotation)
    inner = any(_holds(field.annotation) for field in model.model_fields.values()) if model else False
    return inner or _mentions(annotation, SecretStr)


def _mentions(annotation: object, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(part, wanted) for part in get_args(annotation))
