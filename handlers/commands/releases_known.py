"""What is known of the versions that run: by their digests, and since when."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain.phrases import phrase
from bot.domain.releases import Deployment, Fate, Release
from bot.ports.store import Tx

LOOKED_AT = 200
"""Latest releases of a service among which a digest is looked for."""
ROWS = 50
"""Latest deployments to one environment that are looked at."""
FATE_WORDS = {
    Fate.WAITING: phrase("waiting for approval"),
    Fate.RUNNING: phrase("on its way"),
    Fate.GOOD: phrase("runs well"),
    Fate.BAD: phrase("bad"),
    Fate.BACK: phrase("rolled back"),
    Fate.ENDED: phrase("never got there"),
}


def by_digest(tx: Tx, service: str, image: str) -> Release | None:
    """The release whose digest *image* has, None when nobody told of one."""
    digest = image.rpartition("@")[2]
    if not digest.startswith("sha256:"):
        return None
    return next((release for release in tx.releases(service, LOOKED_AT) if release.digest == digest), None)


def deployed(tx: Tx, service: str, environment: str, digest: str) -> Deployment | None:
    """The latest word on *digest* in *environment*, of those times that it came to run; None when nobody told."""
    rows = tx.deployments(service, environment, ROWS)
    came = [row for row in rows if row.digest == digest and row.since and row.fate in {Fate.GOOD, Fate.BAD}]
    return max(came, key=lambda row: row.since or row.at, default=None)


def taken_back(tx: Tx, service: str, environment: str) -> frozenset[str]:
    """Digests that were found bad in *environment*, or taken back from it, when they were there last."""
    latest = {row.digest: row for row in sorted(tx.deployments(service, environment, ROWS), key=lambda row: row.at)}
    return frozenset(digest for digest, row in latest.items() if row.fate in {Fate.BAD, Fate.BACK})


def newest(releases: Iterable[Release]) -> Release | None:
    """The highest version of those that may go to production; where versions do not compare, the last that was told."""
    able = [release for release in releases if release.sound and not release.prerelease]
    return max(able, key=lambda release: (_numbers(release.version), release.at), default=None)


def _numbers(version: str) -> tuple[int, ...]:
    """``1.8.0`` as numbers to compare; nothing where it has none."""
    found = re.match(r"\d{1,9}(?:\.\d{1,9})*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
