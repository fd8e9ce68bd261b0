"""What is watched, whose trouble it is, and whether somebody else has told of it already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.alerts import OWN, Alert, Group
from bot.domain.services import Catalogue, Environment, Service
from bot.domain.sights import Kind, Owner, Place
from bot.domain.trouble import Limits, Trouble

MARKED = "workload"
"""The label by which pult knows its own alerts about workloads again."""
ALWAYS = (Kind.POD, Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET, Kind.JOB, Kind.CERTIFICATE)
JUDGED: Mapping[Trouble, tuple[Kind, ...]] = {
    Trouble.RESTARTS: (Kind.POD,),
    Trouble.MEMORY: (Kind.POD,),
    Trouble.PENDING: (Kind.POD,),
    Trouble.IMAGES: (Kind.POD,),
    Trouble.ROLLOUTS: (Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET, Kind.ROLLOUT),
    Trouble.JOBS: (Kind.JOB,),
    Trouble.CERTIFICATES: (Kind.CERTIFICATE,),
}
"""By trouble, the kinds of objects that show it."""
SAME: Mapping[Trouble, frozenset[str]] = {
    Trouble.RESTARTS: frozenset({"PodRestarting", "KubePodCrashLooping", "PodCrashLooping", "ContainerRestarting"}),
    Trouble.MEMORY: frozenset({
        "ContainerOOMKilled", "KubeContainerOOMKilled", "OOMKilled", "KubernetesContainerOomKiller",
    }),
    Trouble.PENDING: frozenset({"PodPending", "KubePodNotReady", "KubePodPending"}),
    Trouble.IMAGES: frozenset({"ImagePullBackOff", "KubeContainerWaiting"}),
    Trouble.ROLLOUTS: frozenset({
        "KubeDeploymentRolloutStuck", "KubeStatefulSetUpdateNotRolledOut", "KubeDaemonSetRolloutStuck",
    }),
    Trouble.JOBS: frozenset({"KubeJobFailed", "JobFailed"}),
    Trouble.CERTIFICATES: frozenset({
        "CertManagerCertExpirySoon", "CertManagerCertNotReady", "CertificateExpiring", "CertificateNotReady",
    }),
}  # fmt: skip
"""Alerts of Prometheus that mean the same: deploy/monitoring/rules, kubernetes-mixin, cert-manager-mixin, and the names
that circulate. One that fires for the same workload is enough."""
NAMED = ("service", "deployment", "statefulset", "daemonset", "job_name", "cronjob", "exported_name", "name")
"""Labels that may name the workload."""


@dataclass(frozen=True)
class Watch:
    """Where trouble is looked for, from when on it is some, and how loudly each is told."""

    places: frozenset[Place] = frozenset()
    limits: Limits = field(default_factory=Limits)
    severities: Mapping[Trouble, str] = field(default_factory=dict)


def places(services: Iterable[Service]) -> frozenset[Place]:
    """Every namespace in which a service runs; Rollouts of Argo only where one is configured."""
    found: set[Place] = set()
    for service in services:
        for cluster, namespace, kind, _ in _homes(service):
            found.update(Place(cluster, namespace, each) for each in ALWAYS)
            if kind == Kind.ROLLOUT:
                found.add(Place(cluster, namespace, Kind.ROLLOUT))
    return frozenset(found)


def _homes(service: Service) -> Mapping[tuple[str, str, str, str], Environment]:
    """By cluster, namespace and workload; an environment may stand for several clusters that one file is applied in."""
    everywhere = ((cluster, service.namespace, service.kind, service.workload) for cluster in service.clusters)
    own = {(e.cluster, e.namespace, e.kind, e.workload): e for e in service.environments}
    return dict.fromkeys(everywhere, service.primary) | own


def home(services: Catalogue, place: Place, owner: Owner) -> tuple[Service, Environment] | None:
    """The service, and the environment of it, that *owner* is; a certificate goes by the service's name."""
    for service in services:
        for (cluster, namespace, *workload), environment in _homes(service).items():
            here = (cluster, namespace) == (place.cluster, place.namespace)
            named = owner.name == service.name and owner.kind == Kind.CERTIFICATE
            if here and (named or tuple(workload) == owner or str(owner) in service.jobs):
                return service, environment
    return None


def told_elsewhere(groups: Iterable[Group], trouble: Trouble, labels: Mapping[str, str]) -> bool:
    """Whether an alert of the same meaning fires for the workload that *labels* name."""
    return any(
        group.source != OWN and group.name in SAME[trouble] and any(_about(alert, labels) for alert in group.firing)
        for group in groups
    )


def _about(alert: Alert, labels: Mapping[str, str]) -> bool:
    """What an alert does not say of a place contradicts nothing."""
    places = all(alert.labels.get(name, labels[name]) == labels[name] for name in ("namespace", "region"))
    return places and any(name in {labels["service"], labels["workload"].partition("/")[2]} for name in _names(alert))


def _names(alert: Alert) -> Iterator[str]:
    yield from (alert.labels[label] for label in NAMED if label in alert.labels)
    pod = alert.labels.get("pod", "")
    for parts in (2, 1):  # of a Deployment's pod two parts are added to its name, of others one
        yield pod.rsplit("-", parts)[0]
