"""PromQL of what was asked for and used: kube-state-metrics and the kubelet's cAdvisor, as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from bot.domain.costs import Place
from bot.ports.metrics import Sample, Series

GIB: Final = 2**30
SAFE: Final = "[bcdfghjklmnpqrstvwxz2456789]"
"""The alphabet of generated names (kubernetes/apimachinery, pkg/util/rand): no vowels, so that they spell nothing."""
POD: Final = f"(.+?)(?:-{SAFE}{{6,10}}-{SAFE}{{5}}|-[0-9]{{8,10}}-{SAFE}{{5}}|-{SAFE}{{5}}|-[0-9]+)"
"""A pod's name and the name of what it belongs to: of a Deployment, a CronJob, a DaemonSet or Job, a StatefulSet."""
ONE: Final = "region, cluster, namespace, pod, container"
RUNNING: Final = 'unless on (region, namespace, pod) (kube_pod_status_phase{phase=~"Pending|Succeeded|Failed"} == 1)'
REAL: Final = '{container!="",container!="POD"}'


def _claimed(inner: str) -> str:
    """*inner* of each container, once however often it is scraped, summed over the pods of a workload."""
    pods = f"max by ({ONE}) ({inner})"
    named = f'label_replace({pods}, "workload", "$1", "pod", "{POD}")'
    return f"sum by (region, cluster, namespace, workload) ({named})"


def _asked(resource: str) -> str:
    return _claimed(f'kube_pod_container_resource_requests{{resource="{resource}"}} {RUNNING}')


def _there(resource: str) -> str:
    nodes = f'max by (region, cluster, node) (kube_node_status_capacity{{resource="{resource}"}})'
    return f"sum by (region, cluster) ({nodes})"


CPU_ASKED: Final = _asked("cpu")
CPU_USED: Final = _claimed(f"rate(container_cpu_usage_seconds_total{REAL}[1h])")
MEMORY_ASKED: Final = _asked("memory")
MEMORY_USED: Final = _claimed(f"container_memory_working_set_bytes{REAL}")
CPU_THERE, MEMORY_THERE = _there("cpu"), _there("memory")
REPLICAS: Final = "max by (region, cluster, namespace, deployment) (kube_deployment_status_replicas_available)"
SCALED: Final = (
    "max by (region, cluster, namespace, scaletargetref_name)"
    ' (kube_horizontalpodautoscaler_info{scaletargetref_kind="Deployment"})'
)
Named = Callable[[Mapping[str, str]], str]
"""The cluster that labels speak of; empty for none of ours."""


def naming(regions: Mapping[str, str]) -> Named:
    """By the label ``cluster`` where it is one of ours, else by ``region``; without either there must be one only."""
    owners: dict[str, list[str]] = {}
    for cluster, region in regions.items():
        owners.setdefault(region, []).append(cluster)

    def named(labels: Mapping[str, str]) -> str:
        if labels.get("cluster", "") in regions:
            return labels["cluster"]
        found = owners.get(labels["region"], ()) if labels.get("region") else tuple(regions)
        return found[0] if len(found) == 1 else ""

    return named


def values(series: Iterable[Series], named: Named, unit: float = 1.0) -> dict[Place, dict[datetime, float]]:
    """By workload, in so many of *unit*. Pieces of one series are joined; what two have at one moment is added."""
    found: dict[Place, dict[datetime, float]] = {}
    for each in series:
        cluster = named(each.labels)
        if cluster:
            place = Place(cluster, each.labels.get("namespace", ""), each.labels.get("workload", ""))
            sums = found.setdefault(place, {})
            for at, value in each.points:
                sums[at] = sums.get(at, 0.0) + value / unit
    return found


def capacities(series: Iterable[Series], named: Named, unit: float = 1.0) -> dict[str, dict[datetime, float]]:
    """By cluster."""
    return {place.cluster: hours for place, hours in values(series, named, unit).items()}


def counts(samples: Iterable[Sample], named: Named, label: str) -> dict[Place, int]:
    """How many of each workload, which *label* names."""
    found = ((named(each.labels), each) for each in samples)
    return {
        Place(cluster, each.labels.get("namespace", ""), each.labels.get(label, "")): int(each.value)
        for cluster, each in found
        if cluster and each.value == each.value  # NaN equals nothing
    }
