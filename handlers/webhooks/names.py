"""Which service and environment the names of other tools stand for, by the service catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.services import Catalogue, Environment, Service

_VERSION = re.compile(r"v?\d+(?:\.\d+)+(?:[-+.]\w[\w.+-]*)?")
_SEPARATORS = "-/@_"


@dataclass(frozen=True)
class Stop:
    """One environment of one service."""

    service: Service
    environment: Environment

    @property
    def production(self) -> bool:
        return self.environment in self.service.production


class Names:
    """Read from *services* once."""

    def __init__(self, services: Catalogue) -> None:
        self._stops = tuple(Stop(service, each) for service in services for each in service.environments)
        self._repos: dict[str, list[str]] = {}
        for service in services:
            if service.repo:
                self._repos.setdefault(service.repo.lower(), []).append(service.name)

    def listed(self, repo: str) -> bool:
        """Whether a service of the catalogue is built from *repo*."""
        return repo.lower() in self._repos

    def services(self, repo: str) -> tuple[str, ...]:
        """Who is built from *repo*; a repository that nobody named stands for a service of its own name."""
        return tuple(self._repos.get(repo.lower(), ())) or (repo.rpartition("/")[2],)

    def versions(self, repo: str, tag: str) -> tuple[tuple[str, str], ...]:
        """Services and the version that *tag* gives them: ``v1.8.0``, or ``api-v1.8.0`` where several share *repo*."""
        services = self.services(repo)
        for name in sorted(services, key=len, reverse=True):
            if tag.startswith(name) and tag[len(name) : len(name) + 1] in {*_SEPARATORS} and tag[len(name) + 1 :]:
                return ((name, tag[len(name) + 1 :].removeprefix("v")),)
        return tuple((name, tag.removeprefix("v")) for name in services)

    def gated(self, repo: str, gate: str) -> Iterator[Stop]:
        """Environments that GitHub calls *gate*, of the services built from *repo*."""
        services = self.services(repo)
        for stop in self._stops:
            if stop.service.name in services and gate == (stop.environment.gate or stop.environment.name):
                yield stop

    def applied(self, tool: str, place: tuple[str, str], cluster: str = "", environment: str = "") -> tuple[Stop, ...]:
        """Environments that the object at *place* (namespace, name) of *tool* applies; narrowed where it says more."""
        return tuple(
            stop
            for stop in self._stops
            if stop.environment.gitops.tool == tool
            and stop.environment.gitops.place == place
            and cluster in {"", stop.environment.cluster}
            and environment in {"", stop.environment.name}
        )


def versioned(tag: str) -> bool:
    """Whether *tag* looks like a version, alone or after a service's name."""
    last = re.split(rf"[{_SEPARATORS}](?=v?\d)", tag, maxsplit=1)[-1]
    return any(_VERSION.fullmatch(each) for each in (tag, last))
