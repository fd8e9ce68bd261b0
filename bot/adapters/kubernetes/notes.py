"""What pult notes on the objects that it asks, so that an answer is known for whose it is. Pure."""

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


def time(text: str | None) -> datetime | None:
    """A moment as Kubernetes writes it, in whole seconds."""
    return datetime.fromisoformat(text) if text else None
