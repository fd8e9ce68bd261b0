"""Releases: what is known of one version of one service, gathered from webhooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.codec import stored

STAGES = ("built", "scanned", "tested", "staging", "ready", "released", "failed")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Release:
    """``stage`` is one of STAGES; ``evidence`` maps tests/trivy/e2e to the pipeline's word; ``digest`` is sha256:….

    ``prerelease`` is None as long as nobody said.
    """

    service: str
    version: str
    stage: str
    at: datetime
    image: str = ""
    digest: str = ""
    commit: str = ""
    url: str = ""
    environment: str = ""
    notes: str = ""
    prerelease: bool | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.service}/{self.version}"


class Fate(StrEnum):
    """What became of a version in an environment."""

    WAITING = "waiting"
    RUNNING = "running"
    GOOD = "good"
    BAD = "bad"
    BACK = "back"
    """Rolled back: another version was put in its place."""
    ENDED = "ended"
    """It never got there: rejected, expired, cancelled or undone before it was in."""


@dataclass(frozen=True)
class Deployment:
    """One version on its way to one environment, and there. ``operation`` is pult's own, or empty for what it heard of.

    ``at``: of the latest change of ``fate``; ``since``: when it came to run, None before. ``commit``: the one in the
    deployment repository that brought it.
    """

    service: str
    environment: str
    version: str
    digest: str
    fate: Fate
    at: datetime
    operation: str = ""
    commit: str = ""
    since: datetime | None = None


def merge(known: Release | None, told: Release) -> Release:
    """What is known after *told*: later words win, silence keeps what was said, evidence adds up."""
    if known is None:
        return told
    kept = {
        name: getattr(told, name) or getattr(known, name)
        for name in ("image", "digest", "commit", "url", "environment", "notes")
    }
    prerelease = known.prerelease if told.prerelease is None else told.prerelease
    return replace(told, evidence={**known.evidence, **told.evidence}, prerelease=prerelease, **kept)


stored(Release, Fate, Deployment)
