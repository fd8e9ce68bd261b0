"""How a revision of git, of an artifact or of a chart is written and shown."""

from __future__ import annotations

SHORT = 7
"""Digits of a commit, as git shows it."""


def commit(revision: str) -> str:
    """The bare sha of ``main@sha1:731f7ead…``; a chart's version as it is."""
    digits = revision.rpartition("@")[2].rpartition(":")[2]
    return digits if len(digits) in {40, 64} and set(digits) <= set("0123456789abcdef") else revision


def short(revision: str) -> str:
    """A commit as git shows it; a chart's version as it is."""
    bare = commit(revision)
    return bare[:SHORT] if len(bare) in {40, 64} else revision
