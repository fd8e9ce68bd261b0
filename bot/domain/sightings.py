"""Sightings: what the tools that change production say of it, in pult's words, whoever asked them to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.codec import stored
from bot.domain.releases import Fate, Release, names_commit

GATES_KEPT = 10
"""Runs waiting at one gate that are remembered: who keeps more of them waiting has forgotten them."""


@dataclass(frozen=True)
class Sighting:
    """One tool's word on one environment, true at ``at``. What names the version: whatever the tool knows of it.

    ``commits``: of the service or of its deployment files; ``images`` as the tool writes them.
    """

    service: str
    environment: str
    fate: Fate
    at: datetime
    version: str = ""
    commits: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mark that keeps the latest one: a release may be told of only after it was seen."""
        return f"seen:{self.service}/{self.environment}"

    def matches(self, releases: Iterable[Release]) -> tuple[Release, ...]:
        """Those it can be: by version, else by digest, else by tag, else by commit."""
        known = tuple(releases)
        for test in (self._version, self._digest, self._tag, self._commit):
            if found := tuple(each for each in known if test(each)):
                return found
        return ()

    def _version(self, release: Release) -> bool:
        return bool(self.version) and release.version == self.version

    def _digest(self, release: Release) -> bool:
        return bool(release.digest) and any(image.endswith(f"@{release.digest}") for image in self.images)

    def _tag(self, release: Release) -> bool:
        wanted = {f"{release.image}:{release.version}", f"{release.image}:v{release.version}"}
        return bool(release.image) and not wanted.isdisjoint(self.images)

    def _commit(self, release: Release) -> bool:
        return any(names_commit(commit, release.commit) for commit in self.commits)


@dataclass(frozen=True)
class Gate:
    """A workflow *run* of *repo* that waits before the GitHub environment *gate* until its protection rule is answered.

    ``version``: of the tag that it runs for, or empty.
    """

    service: str
    environment: str
    repo: str
    run: int
    gate: str
    sha: str
    at: datetime
    version: str = ""

    @property
    def name(self) -> str:
        return gates_name(self.service, self.environment)

    def waits_for(self, release: Release) -> bool:
        """Whether it is this *release* that the run would deploy."""
        if self.version:
            return self.version == release.version
        return names_commit(release.commit, self.sha)


def gates_name(service: str, environment: str) -> str:
    """The mark that keeps the runs that wait before an *environment* (pult's name of it): a tuple of Gate."""
    return f"gates:{service}/{environment}"


def gate_for(gates: Iterable[Gate] | None, release: Release) -> Gate | None:
    """The latest run that waits to deploy *release*; *gates* as their mark holds them."""
    found = [gate for gate in gates or () if gate.waits_for(release)]
    return max(found, key=lambda gate: (gate.at, gate.run), default=None)


@dataclass(frozen=True)
class Finished:
    """A workflow run that waits at no gate any more."""

    service: str
    run: int


@dataclass(frozen=True)
class Trouble:
    """How a GitOps tool's object fares in one respect, ``alert`` by name; ``fires`` or is over.

    ``key`` names object and respect, ``labels`` are the alert's; ``said``: the tool's own words. ``order``: the mark
    that keeps the time of the latest word on the object, so that a late one changes nothing.
    """

    key: str
    order: str
    alert: str
    fires: bool
    at: datetime
    labels: tuple[tuple[str, str], ...] = ()
    said: str = ""
    url: str = ""


stored(Sighting, Gate)
