"""The service catalogue: what runs where, and whose hand changes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.codec import stored
from bot.domain.errors import UserError
from bot.domain.phrases import Code

NO_TOOL = "none"
NEAR = 3
"""Names offered for one that there is not."""
NAMESPACES = {"argocd": "argocd", "flux": "flux-system"}
"""Where each tool's own manifests put its objects."""
TOOLS = {"argocd": "Argo CD", "flux": "Flux"}
"""As people call them."""


@dataclass(frozen=True)
class GitOps:
    """``tool`` is argocd, flux or none; ``path`` is the file of ``repo`` on ``branch`` that names the image.

    ``application`` is the tool's object, NAMESPACE/NAME where it is not in the tool's own namespace.
    With NO_TOOL and a ``path``, nothing applies the file: a promotion patches the workload itself.
    ``by`` is commit or pull (request); ``key`` is the dotted path of the digest in Helm values, empty where the file
    tells by itself.
    """

    tool: str = NO_TOOL
    application: str = ""
    repo: str = ""
    path: str = ""
    branch: str = "main"
    by: str = "commit"
    key: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name of the tool's object."""
        namespace, _, name = self.application.rpartition("/")
        return namespace or NAMESPACES.get(self.tool, ""), name


@dataclass(frozen=True)
class Probed:
    """An address that must answer 2xx, and hold the text ``contains`` where one is given."""

    url: str
    contains: str = ""


@dataclass(frozen=True)
class Verification:
    """How a new version is judged where it runs, all through ``bake`` and at least once.

    It is bad when a probe fails, when an SLO of the service burns its budget ``burn`` times as fast as it may and
    faster than before, or when there are ``errors`` times as many error lines as before. ``on_bad``: propose a
    rollback, or roll back at once.
    """

    bake: timedelta = timedelta(0)
    probes: tuple[Probed, ...] = ()
    burn: float = 6.0
    errors: float = 3.0
    on_bad: str = "propose"

    @property
    def asked(self) -> bool:
        """Whether anybody asked for it: then what nobody knows stops a promotion."""
        return self != Verification()


@dataclass(frozen=True)
class Environment:
    """One stop of a release. ``kind`` and ``workload`` name the Kubernetes object: deployment, api.

    ``after``: the environment that a promotion to this one goes through first, verified there. ``gate`` is a GitHub
    environment and ``workflow`` the file of the workflow that deploys to it, where the pipeline is what deploys.
    ``on_ready``: what pult does when a version's pipeline says that it is ready, tell it or propose it here.
    """

    name: str
    cluster: str
    namespace: str
    kind: str
    workload: str
    gitops: GitOps = GitOps()
    after: str = ""
    gate: str = ""
    workflow: str = ""
    verification: Verification = Verification()
    on_ready: str = "tell"


@dataclass(frozen=True)
class Service:
    """``clusters``: where production runs, the primary first. ``environments``: in order of promotion, never empty.

    ``jobs``: what runs to an end beside it, as ``cronjob/report``.
    """

    name: str
    namespace: str
    kind: str
    workload: str
    clusters: tuple[str, ...]
    environments: tuple[Environment, ...]
    repo: str = ""
    jobs: tuple[str, ...] = ()

    @property
    def last(self) -> Environment:
        """Where a promotion goes when nobody says where (ruling 8)."""
        return self.environments[-1]

    @property
    def primary(self) -> Environment:
        """Production in the primary cluster: what a command means that names no environment."""
        own = [e for e in self.environments if e.namespace == self.namespace and e.cluster == self.clusters[0]]
        return own[-1] if own else self.last

    @property
    def production(self) -> tuple[Environment, ...]:
        """Production in every cluster, in the order of promotion."""
        own = tuple(e for e in self.environments if e.namespace == self.namespace and e.cluster in self.clusters)
        return own or (self.last,)

    def environment(self, name: str) -> Environment:
        """The one of this *name*, in any case of letters; of a cluster's name, the service's only one there.

        Where several stand in a cluster, production's is meant. UserError, with the names there are, when that tells
        none.
        """
        wanted = name.lower()
        for environment in self.environments:
            if environment.name.lower() == wanted:
                return environment
        there = [environment for environment in self.environments if environment.cluster.lower() == wanted]
        own = [environment for environment in there if environment.namespace == self.namespace] or there
        if len(own) == 1:
            return own[0]
        names = ", ".join(environment.name for environment in own or self.environments)
        if own:
            raise UserError(
                "{service} has several environments in {cluster}: {names}. Name one of them.",
                service=self.name, cluster=Code(own[0].cluster), names=names,
            )  # fmt: skip
        raise UserError(
            "{service} has no environment {name}. It has: {names}.", service=self.name, name=Code(name), names=names
        )


class Catalogue:
    """Every service, in the configuration's order. Names are unique (the settings loader checks)."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {service.name: service for service in services}

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._services)

    @property
    def example(self) -> str:
        """A name for examples: of the first service."""
        return next(iter(self._services), "api")

    def find(self, name: str) -> Service | None:
        """The service of this *name*; people type it in any case."""
        return self._services.get(name.lower())

    def named(self, name: str) -> Service:
        """The service of this *name*. UserError, with the nearest names, when there is none."""
        found = self.find(name)
        if found is not None:
            return found
        if near := self._near(name.lower()):
            raise UserError(
                "There is no service {name}. Did you mean {near}?", name=Code(name), near=Code(", ".join(near))
            )
        raise UserError("There is no service {name}. Known are: {names}.", name=Code(name), names=", ".join(self.names))

    def _near(self, name: str) -> list[str]:
        """Names that are written alike, and those of which *name* is a part."""
        alike = difflib.get_close_matches(name, self._services, n=NEAR)
        parts = [each for each in self._services if len(name) > 1 and name in each]
        return list(dict.fromkeys([*alike, *parts]))[:NEAR]


stored(GitOps, Probed, Verification, Environment)
