"""What Argo CD and Flux tell has in common: places in the catalogue, what was seen there, and how the object fares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts import CRITICAL, WARNING
from bot.domain.releases import Fate
from bot.domain.sightings import Sighting, Trouble
from handlers.webhooks.names import Stop

FAILED, DEGRADED = "GitopsSyncFailed", "GitopsDegraded"
"""Pult's own alerts; their pages are in docs/runbooks."""
LONGEST = 600
"""Characters of the tool's own words that are kept: Flux sends up to 39,000."""


@dataclass(frozen=True)
class Object:
    """An Argo CD Application, a Flux Kustomization or HelmRelease, and the environments it applies: none that pult
    knows, one, or several."""

    tool: str
    namespace: str
    name: str
    stops: tuple[Stop, ...]
    kind: str = ""
    cluster: str = ""

    @property
    def key(self) -> str:
        return " ".join(filter(None, ("gitops", self.tool, self.cluster, self.kind, self.namespace, self.name)))

    def sightings(
        self, fate: Fate, at: datetime, commits: tuple[str, ...], images: tuple[str, ...] = (), version: str = ""
    ) -> Iterator[Sighting]:
        """One for each service; none where the same object stands in several clusters and nobody says which."""
        for stop in self.stops:
            twins = [each for each in self.stops if each.service is stop.service]
            if len(twins) == 1:
                yield Sighting(stop.service.name, stop.environment.name, fate, at, version, commits, images)

    def fares(self, alert: str, at: datetime, *, fires: bool, said: str = "", url: str = "") -> Trouble:
        """*alert* of this object. Degraded production is critical; what could not be applied left it as it was."""
        severity = CRITICAL if alert == DEGRADED and any(stop.production for stop in self.stops) else WARNING
        labels = {
            "alertname": alert, "severity": severity, "service": self._service, "application": self.name,
            **self._place(),
        }  # fmt: skip
        return Trouble(
            key=f"{self.key} {alert}", order=self.key, alert=alert, fires=fires, at=at,
            labels=tuple(labels.items()), said=said[:LONGEST], url=url,
        )  # fmt: skip

    @property
    def _service(self) -> str:
        """The one service it applies, else its own name: alerts are routed by it."""
        names = {stop.service.name for stop in self.stops}
        return names.pop() if len(names) == 1 else self.name

    def _place(self) -> Mapping[str, str]:
        environments = sorted({stop.environment.name for stop in self.stops})
        found = {"tool": self.tool, "namespace": self.namespace, "environment": ", ".join(environments)}
        return {name: value for name, value in {**found, "cluster": self.cluster}.items() if value}
