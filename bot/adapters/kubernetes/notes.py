"""What an object's metadata tells: what pult noted there, so that an answer is known for whose it is, and who controls
it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
OPERATION = "pult.dev/operation"
"""Annotation: which operation asked last."""
BEFORE = "pult.dev/before"
"""Annotation: the revision that was known when it asked. While the tool sees only that, git's news are not there."""


def annotation(obj: Object, name: str) -> str:
    """Empty where it is not set."""
    return str((obj["metadata"].get("annotations") or {}).get(name) or "")


def controller(meta: Object) -> Object:
    """The one of its owners that makes it anew, by *meta* (its metadata); empty without one."""
    found: Object = next((each for each in meta.get("ownerReferences") or () if each.get("controller")), {})
    return found


def time(text: str | None) -> datetime | None:
    """A moment as Kubernetes writes it, in whole seconds."""
    return datetime.fromisoformat(text) if text else None
