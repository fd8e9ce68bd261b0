"""How Argo CD and Flux write the revisions that they bring. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
SHORT = 7
"""Digits of a commit, as git shows it."""
OPERATION = "pult.dev/operation"
"""Annotation: which operation asked last."""
BEFORE = "pult.dev/before"
"""Annotation: the revision that was known when it asked. While the tool sees only that, git's news are not there."""


def commit(revision: str) -> str:
    """The bare sha of ``main@sha1:731f7ead…``; a chart's version as it is."""
    digits = revision.rpartition("@")[2].rpartition(":")[2]
    return digits if len(digits) in {40, 64} and set(digits) <= set("0123456789abcdef") else revision


def short(revision: str) -> str:
    """A commit as git shows it; a chart's version as it is."""
    bare = commit(revision)
    return bare[:SHORT] if len(bare) in {40, 64} else revision


def time(text: str | None) -> datetime | None:
    """A moment as Kubernetes writes it, in whole seconds."""
    return datetime.fromisoformat(text) if text else None


def annotation(obj: Object, name: str) -> str:
    """Empty where it is not set."""
    return str((obj["metadata"].get("annotations") or {}).get(name) or "")
