"""The clusters of the department, and the loop that drives their controllers."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import (
    argocd,
    autoscalers,
    budgets,
    deployments,
    environment,
    flux,
    images,
    nodes,
    pods,
    rollouts,
    seeding,
)
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.gitops import Repositories, image_of
from bot.simulator.kubernetes.kinds import DEPLOYMENT, EVENT, POD
from bot.simulator.kubernetes.wire import Json, meta, name_of, namespace_of, spec_of
from bot.simulator.world import World

REGIONS: Final = ("nyc2", "sfo3")
STEP: Final = 0.2
"""Simulated seconds between two ticks while something moves."""
IDLE: Final = 1.0
"""Wall seconds between two ticks while nothing moves; any change wakes the loop at once."""
SEED_AGE: Final = timedelta(days=2)
"""How long the seeded pods have been running."""
SETTLING: Final = 20
"""Simulated seconds a new cluster is driven before anybody sees it: all pods ready, autoscalers in step."""

log = logging.getLogger(__name__)


class Clusters:
    """State class for the rest of the world and for tests: what runs where, and knobs to break it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clusters = {name: Cluster(name, world, images.exists) for name in REGIONS}
        self._git: Repositories | None = None
        for cluster in self._clusters.values():
            self._seed(cluster)

    def cluster(self, region: str) -> Cluster:
        return self._clusters[region]

    @property
    def git(self) -> Repositories | None:
        """Where the GitOps controllers read; they stand still, and have no objects, until there is a forge."""
        if self._git is None and isinstance(self._world.github, Forge):
            self._git = self._world.github
            for cluster in self._clusters.values():
                earlier = cluster.now() - SEED_AGE
                seeding.gitops(cluster, self._git, earlier)
                flux.advance(cluster, self._git, earlier)  # what it applied is as old as the pods
        return self._git

    def image(self, region: str, namespace: str, service: str) -> str:
        """The image most ready pods run, the newer one on a tie; without any, what the Deployment asks for.

        Empty when there is no such Deployment.
        """
        good = [pod for pod in self._pods(region, namespace, service) if pods.ready(pod)]
        counts: dict[str, int] = {}
        for pod in sorted(good, key=lambda pod: -int(meta(pod)["resourceVersion"])):
            reference = spec_of(pod)["containers"][0]["image"]
            counts[reference] = counts.get(reference, 0) + 1
        if counts:
            return max(counts, key=lambda reference: counts[reference])
        deployment = self._clusters[region].store.find(DEPLOYMENT, namespace, service)
        return image_of(deployment) if deployment else ""

    def ready(self, region: str, namespace: str, service: str) -> int:
        """Pods of the service that serve traffic; none while the region is down."""
        if self._clusters[region].down:
            return 0
        return sum(map(pods.ready, self._pods(region, namespace, service)))

    def restarts(self, region: str, namespace: str, service: str) -> int:
        """Container restarts summed over the service's present pods."""
        return sum(map(pods.restarts, self._pods(region, namespace, service)))

    def databases(self, region: str, namespace: str, service: str) -> tuple[str, ...]:
        """The database's host that each serving pod of the service was told of; none for those that have no use."""
        found = (pod for pod in self._pods(region, namespace, service) if pods.ready(pod))
        hosts = (environment.database(self._clusters[region], pod) for pod in found)
        return tuple(host for host in hosts if host is not None)

    def crash(self, region: str, namespace: str, service: str, *, reason: str = "Error", forever: bool = False) -> str:
        """Kill the container of one pod of the service; answers the pod's name. KeyError without pods."""
        found = self._pods(region, namespace, service)
        if not found:
            raise KeyError(f"{region}/{namespace}/{service} has no pods")
        name = str(meta(found[0])["name"])
        pods.crash(self._clusters[region], namespace, name, reason=reason, forever=forever)
        return name

    def tick(self, region: str, now: datetime) -> bool:
        """One round of every controller of a region. True while something moves. A dead region does nothing."""
        cluster = self._clusters[region]
        if cluster.down:
            return False
        git, before = self.git, cluster.store.version
        nodes.advance(cluster, now)
        autoscalers.advance(cluster, now)
        moving = [
            pods.advance(cluster, now),
            deployments.advance(cluster, now),
            rollouts.advance(cluster, now),
            argocd.advance(cluster, git, now),
            flux.advance(cluster, git, now),
        ]
        budgets.advance(cluster, now)
        return any(moving) or cluster.store.version != before

    async def run(self, region: str) -> None:
        """Tick until the cluster's store is closed."""
        cluster = self._clusters[region]
        while not cluster.store.closed:
            moving = self._round(region)
            wait = min(self._world.seconds(STEP), IDLE) if moving else IDLE
            await cluster.store.news(wait)
            # A burst of writes is one round, and an endless one leaves time for everybody else.
            await asyncio.sleep(0)

    def _round(self, region: str) -> bool:
        try:
            return self.tick(region, self._clusters[region].now())
        except Exception:
            # As in the real controller manager: one bad object must not stop the loop for ever.
            log.exception("simulated controllers of %s failed", region)
            return False

    def _pods(self, region: str, namespace: str, service: str) -> list[Json]:
        store = self._clusters[region].store
        return [pod for pod in store.all(POD, namespace) if meta(pod).get("labels", {}).get("app") == service]

    def _seed(self, cluster: Cluster) -> None:
        """Start everything in the past and let it settle, so that the world begins at rest."""
        now = cluster.now()
        earlier = now - SEED_AGE
        seeding.seed(cluster, earlier)
        self.tick(cluster.name, earlier)
        moment, pace = earlier, timedelta(seconds=self._world.seconds(1))
        for _ in range(SETTLING):
            moment += pace
            self.tick(cluster.name, moment)
        for event in cluster.store.all(EVENT):  # two days old by now: long forgotten
            cluster.store.remove(EVENT, namespace_of(event), name_of(event))
        cluster.store.compact()
