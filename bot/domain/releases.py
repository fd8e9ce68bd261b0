"""Releases: what is known of one version of one service, gathered from webhooks, and where it went."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.codec import stored
from bot.domain.evidence import Result, Scan

STAGES = ("built", "scanned", "tested", "staging", "ready", "released", "failed")
"""What a pipeline may say."""
TAGGED, PUBLISHED, READY, FAILED = "tagged", "published", "ready", "failed"
RANKS = {stage: rank for rank, stage in enumerate((TAGGED, PUBLISHED, *STAGES[:-1]))}
"""How far each stage is. FAILED has no rank: it can come after any of them."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SHORTEST = 7
"""Characters of a commit that name it well enough; git's own default."""
RUNS_KEPT = 20
"""Workflows of one commit that are remembered."""


@dataclass(frozen=True)
class Ran:
    """One run of a workflow over a commit. ``state``: success, failure or running; ``attempt`` rises with re-runs."""

    workflow: str
    id: int
    attempt: int
    state: str
    sha: str
    url: str = ""

    @property
    def order(self) -> tuple[int, int, bool]:
        """Later runs, later attempts, and the end of each after its beginning."""
        return self.id, self.attempt, self.state != "running"


@dataclass(frozen=True)
class Release:
    """``stage`` is one of RANKS or FAILED; ``evidence`` maps tests/trivy/e2e to the pipeline's word, ``results`` and
    ``scan`` to what of it can be reckoned with; ``digest`` is sha256:….
    ``url`` is its pipeline's, ``page`` the forge's.

    ``prerelease`` and ``migrations`` (it changes data) are None as long as nobody said. ``conflict``: another digest
    that was reported for the same version; ``moved``: another commit that its tag was put on. Either way nobody can
    tell what the version is, and it must not be promoted.
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
    results: Mapping[str, Result] = field(default_factory=dict)
    scan: Scan | None = None
    migrations: bool | None = None
    conflict: str = ""
    moved: str = ""
    runs: tuple[Ran, ...] = ()
    page: str = ""
    times: Mapping[str, datetime] = field(default_factory=dict)
    """When what is known was told, piece by piece, where that was not ``at``."""

    @property
    def id(self) -> str:
        return f"{self.service}/{self.version}"

    def time(self, name: str) -> datetime:
        """When *name* (a field, a piece of evidence) was told."""
        return self.times.get(name, self.at)

    @property
    def disputed(self) -> bool:
        """Whether nobody can tell what this version is."""
        return bool(self.conflict or self.moved)

    @property
    def sound(self) -> bool:
        """Whether it is known what it is, and its pipeline did not fail: else no promotion of it could begin."""
        return bool(self.digest) and not self.disputed and self.stage != FAILED

    @property
    def rank(self) -> int:
        """How far the pipeline is; -1 where it failed."""
        return RANKS.get(self.stage, -1)


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


_TEXTS = ("image", "url", "environment", "page")
_FLAGS = ("prerelease", "migrations")
PROOF, STAGE = "evidence ", "stage "
"""Before the names of evidence and of stages, where fields have names too."""


def merge(known: Release | None, told: Release) -> Release:
    """What is known after *told*: the word of the later time wins, silence keeps what was said, evidence adds up.

    Nothing moves a release back, and the order in which words arrive means nothing. What is told of another digest is
    never taken over, only that it was told.
    """
    if known is None:
        return told
    if known.digest and told.digest and known.digest != told.digest:
        return replace(known, conflict=known.conflict or told.digest, at=max(known.at, told.at))
    words = {name: _later(known, told, name, getattr) for name in (*_TEXTS, *_FLAGS)}
    proofs = {name: _later(known, told, PROOF + name, _evidence) for name in {**known.evidence, **told.evidence}}
    stages, notes = _stages(known, told), _noted(known, told)
    every = {**words, **{PROOF + name: word for name, word in proofs.items()}, "notes": notes}
    return replace(
        known,
        at=max(known.at, told.at),
        stage=_stage(stages),
        notes=notes.notes,
        digest=known.digest or told.digest,
        commit=_commit(known.commit, told.commit),
        conflict=known.conflict or told.conflict,
        moved=known.moved or told.moved or ("" if same_commit(known.commit, told.commit) else told.commit),
        evidence={name: word.evidence[name] for name, word in sorted(proofs.items())},
        results={name: word.results[name] for name, word in sorted(proofs.items()) if name in word.results},
        scan=proofs["trivy"].scan if "trivy" in proofs else None,
        runs=with_runs(known.runs, told.runs),
        times={name: word.time(name) for name, word in every.items()}
        | {STAGE + name: at for name, at in stages.items()},
        **{name: getattr(words[name], name) for name in _TEXTS},
        prerelease=words["prerelease"].prerelease,
        migrations=words["migrations"].migrations,
    )


def with_runs(known: Iterable[Ran], told: Iterable[Ran]) -> tuple[Ran, ...]:
    """The latest run of each workflow, the last RUNS_KEPT of them."""
    found: dict[str, Ran] = {}
    for run in (*known, *told):
        if run.workflow not in found or run.order > found[run.workflow].order:
            found[run.workflow] = run
    return tuple(sorted(found.values(), key=lambda run: run.order)[-RUNS_KEPT:])


def same_commit(one: str, other: str) -> bool:
    """Whether both may name the same commit: one is unknown, or a shorter way to write the other."""
    return one.startswith(other) or other.startswith(one)


def names_commit(one: str, other: str) -> bool:
    """Whether both are known, are long enough to name a commit, and name the same."""
    return min(len(one), len(other)) >= SHORTEST and same_commit(one, other)


def current(deployments: Iterable[Deployment]) -> Deployment | None:
    """What runs in an environment, of all that went to this one; None when nobody knows."""
    came = [each for each in deployments if each.since and each.fate in {Fate.GOOD, Fate.BAD}]
    return max(came, key=lambda each: each.since or each.at, default=None)


_FATES = (Fate.ENDED, Fate.WAITING, Fate.RUNNING, Fate.BAD, Fate.BACK, Fate.GOOD)
"""In the order in which words of the same second are to be believed."""


def heard_of(known: Deployment | None, told: Deployment, now_there: Deployment | None) -> Deployment | None:
    """*known* after what was heard of it, or None when that is no news; *now_there* is what runs there.

    Late words change nothing. What once came up and is ill now has not been put in place badly: its alert says so.
    """
    if known is None:
        return told
    if (told.at, _FATES.index(told.fate)) <= (known.at, _FATES.index(known.fate)):
        return None
    there = now_there is not None and now_there.version == known.version
    if known.since and there and (told.fate is known.fate or told.fate in {Fate.RUNNING, Fate.WAITING, Fate.BAD}):
        return None
    if told.fate is known.fate and told.fate is not Fate.GOOD:
        return None
    came = told.since or (known.since if told.fate in {Fate.BAD, Fate.BACK} else None)
    return replace(told, since=came, commit=told.commit or known.commit, digest=told.digest or known.digest)


def _later(known: Release, told: Release, name: str, said: Callable[[Release, str], object]) -> Release:
    """Whose word on *name* counts: an empty one says nothing."""
    if said(told, name) in {"", None}:
        return known
    return known if said(known, name) not in {"", None} and known.time(name) > told.time(name) else told


def _evidence(release: Release, name: str) -> str | None:
    return release.evidence.get(name.removeprefix(PROOF))


def _noted(known: Release, told: Release) -> Release:
    """Whose notes count: those of the forge are written for people, a pipeline's may be a list of commits."""
    if known.notes and told.notes and bool(known.page) != bool(told.page):
        return max(known, told, key=lambda each: bool(each.page))
    return _later(known, told, "notes", getattr)


def _stages(known: Release, told: Release) -> dict[str, datetime]:
    """When each stage was told last."""
    found = {name.removeprefix(STAGE): at for name, at in known.times.items() if name.startswith(STAGE)}
    for word in (told,) if found else (known, told):
        found[word.stage] = max(word.at, found.get(word.stage, word.at))
    return found


def _stage(told: Mapping[str, datetime]) -> str:
    """The furthest. A failure ends what was told before it; only READY or more, told later, ends a failure."""
    failed = told.get(FAILED)
    standing = {name for name, at in told.items() if name != FAILED and (failed is None or _ends(name, at, failed))}
    return max(standing, key=RANKS.__getitem__, default=FAILED)


def _ends(stage: str, at: datetime, failed: datetime) -> bool:
    return RANKS[stage] >= RANKS[READY] and at > failed


def _commit(known: str, told: str) -> str:
    return told if told.startswith(known) else known


stored(Ran, Release, Fate, Deployment)
