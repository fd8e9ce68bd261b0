"""Every line of the department by its stream, as collectors on the nodes would have sent it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.faults import REGIONS
from bot.simulator.kubernetes.chatter import Life, Said, lives, said
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.kubernetes.wire import Json, labels_of, name_of, namespace_of, spec_of, status_of
from bot.simulator.world import World

RETENTION: Final = timedelta(hours=3)
"""Short, since every line is made anew for each question."""
LATE: Final = timedelta(seconds=1)
"""How long a collector keeps a line before it sends it."""
Stream = Mapping[str, str]


def select(
    world: World, selects: Callable[[Stream], bool], begin: datetime, end: datetime
) -> Iterator[tuple[Stream, Said]]:
    """The lines of every stream that is selected, from *begin* on and before *end*."""
    clusters, now = world.clusters, world.clock.now()
    if not isinstance(clusters, Clusters):
        return
    until, since = min(end, now - LATE), max(begin, now - RETENTION)
    for region in REGIONS:
        cluster = clusters.cluster(region)
        for pod, ended in _pods(cluster):
            stream = labels(pod, region)
            if stream and selects(stream):
                for life in _lives(pod, ended):
                    yield from ((stream, line) for line in said(cluster, pod, life, since, until))


def every(world: World) -> Iterator[Stream]:
    """All streams there are."""
    clusters = world.clusters
    if isinstance(clusters, Clusters):
        for region in REGIONS:
            found = (labels(pod, region) for pod, _ in _pods(clusters.cluster(region)))
            yield from (stream for stream in found if stream)


def labels(pod: Json, region: str) -> dict[str, str]:
    """A stream's labels as the usual relabelling of promtail and Alloy makes them; none for a pod that never ran."""
    app, container = labels_of(pod).get("app", ""), spec_of(pod)["containers"][0]["name"]
    if not status_of(pod).get("containerStatuses"):
        return {}
    return {
        "app": app, "cluster": region, "container": container, "job": f"{namespace_of(pod)}/{app}",
        "namespace": namespace_of(pod), "pod": name_of(pod), "stream": "stderr",
    }  # fmt: skip


def _pods(cluster: Cluster) -> Iterator[tuple[Json, datetime | None]]:
    yield from cluster.notes.gone
    yield from ((pod, None) for pod in cluster.store.all(POD))


def _lives(pod: Json, ended: datetime | None) -> Iterator[Life]:
    """Both lives that the pod's status still tells of."""
    over, present = lives(pod)
    if over:
        yield over
    if present:
        yield Life(present.began, ended, "OOMKilled") if ended else present  # who is stopped has no last words either
