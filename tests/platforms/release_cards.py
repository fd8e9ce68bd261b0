"""Releases in every state they live through, as their cards are to show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.evidence import Finding, Result, Scan
from bot.domain.releases import Deployment, Fate, Ran, Release
from bot.domain.sightings import Gate
from bot.domain.standing import Stay
from handlers.cards.release_seen import Seen

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST, OTHER = "sha256:" + "5a" * 32, "sha256:" + "e1" * 32
SHA = "9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293"
NOTES = """## What's Changed
* feat: **cursor** pagination by @anna in https://github.com/dept/api/pull/12
* fix: close [idle](https://evil.example) connections (#13)

**Full Changelog**: https://github.com/dept/api/compare/v1.7.2...v1.8.0
"""
TAGGED = Release("api", "1.8.0", "tagged", NOW, commit=SHA)
PUBLISHED = replace(TAGGED, stage="published", notes=NOTES, page="https://github.com/dept/api/releases/tag/v1.8.0")
BUILT = replace(
    PUBLISHED, stage="built", image="registry.example/dept/api", digest=DIGEST, url="https://ci.example/dept/api/42",
    runs=(Ran("CI", 7, 1, "running", SHA, "https://github.com/dept/api/actions/runs/7"),),
)  # fmt: skip
RAN = (
    Ran("CI", 7, 2, "success", SHA, "https://github.com/dept/api/actions/runs/7"),
    Ran("Docs", 8, 1, "failure", SHA),
)
FINDINGS = (Finding("critical", "CVE-2019-14697", "musl", fixed=True), Finding("high", "CVE-2099-10001", "left-tool"))
SCANNED = replace(
    BUILT, stage="scanned", runs=RAN, evidence={"trivy": "1 critical, 1 high, 1 of them with a fix"},
    scan=Scan(1, 1, 1, FINDINGS, unsupported=True),
)  # fmt: skip
TESTED = replace(
    BUILT, stage="tested", runs=RAN, scan=Scan(0, 0, 0),
    evidence={"trivy": "none critical, none high", "tests": "412 passed, 3 skipped"},
    results={"tests": Result(True, 412, 0, 3)},
)  # fmt: skip
READY = replace(
    TESTED, stage="ready", evidence={**TESTED.evidence, "e2e": "passed", "load": "p99 240 ms"}, migrations=True
)
FAILED = replace(
    TESTED, stage="failed", evidence={"tests": "1 failed, 411 passed"}, results={"tests": Result(False, 411, 1)}
)


def stay(environment: str, fate: Fate, hours: float, operation: str = "", approved: tuple[str, ...] = ()) -> Stay:
    at = NOW - hours * HOUR
    since = at if fate in {Fate.GOOD, Fate.BAD} else None
    row = Deployment("api", environment, "1.8.0", DIGEST, fate, at, operation, since=since)
    return Stay(row, environment != "staging", proposer="anna" if operation else "", approved=approved)


def seen(release: Release, *stays: Stay, gates: tuple[Gate, ...] = ()) -> Seen:
    return Seen(release, stays, gates, known=True, before=True)


STAGING = stay("staging", Fate.GOOD, 2)
GATE = Gate("api", "production", "dept/api", 7245634518, "prod", SHA, NOW)
GOOD = replace(stay("production", Fate.GOOD, 1, "op-41c9", ("boris", "chen")))
SEEN = {
    "tagged": seen(TAGGED),
    "published": seen(PUBLISHED),
    "built": seen(BUILT),
    "scanned": seen(SCANNED),
    "tested": seen(TESTED),
    "staging": seen(TESTED, STAGING),
    "ready": seen(READY, STAGING),
    "gate": seen(READY, STAGING, gates=(GATE,)),
    "waiting": seen(READY, STAGING, stay("production", Fate.WAITING, 0, "op-41c9")),
    "moving": seen(READY, STAGING, stay("production", Fate.RUNNING, 0.1, "op-41c9", ("boris",))),
    "production": seen(READY, STAGING, GOOD),
    "regions": seen(READY, STAGING, stay("nyc2", Fate.GOOD, 1, "op-41c9", ("boris",)), stay("sfo3", Fate.GOOD, 0.5)),
    "bad": seen(READY, STAGING, stay("production", Fate.BAD, 0.2, "op-41c9", ("boris",))),
    "bad-staging": seen(TESTED, stay("staging", Fate.BAD, 0.2)),
    "rolled-back": seen(READY, STAGING, stay("production", Fate.BACK, 0.1, "op-41c9", ("boris",))),
    "replaced": seen(READY, replace(GOOD, replaced_by="1.9.0", until=NOW)),
    "failed": seen(FAILED),
    "conflict": seen(replace(READY, conflict=OTHER), STAGING),
    "moved": seen(replace(READY, moved="b" * 40), STAGING),
    "prerelease": seen(replace(READY, prerelease=True, version="1.9.0-rc.1")),
}
