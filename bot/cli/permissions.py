"""What pult has to be allowed in each namespace, by what the configuration says runs there and who brings it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.domain.services import Environment, Service

Permission = tuple[str, str]
"""Verb and resource, as ``KubernetesCluster.may`` takes them."""
WORKLOADS: Mapping[str, str] = {
    "deployment": "apps/deployments", "statefulset": "apps/statefulsets", "daemonset": "apps/daemonsets",
    "rollout": "argoproj.io/rollouts",
}  # fmt: skip
TOOLS: Mapping[str, tuple[str, ...]] = {
    "argocd": ("argoproj.io/applications",),
    "flux": (
        "kustomize.toolkit.fluxcd.io/kustomizations", "helm.toolkit.fluxcd.io/helmreleases",
        "source.toolkit.fluxcd.io/gitrepositories",
    ),
}  # fmt: skip
"""What each tool's object, and the source it follows, is; other kinds of source are rare, and named when they fail."""
LOOKS: tuple[Permission, ...] = (
    ("list", "apps/replicasets"), ("list", "apps/controllerrevisions"), ("list", "events"),
    ("list", "policy/poddisruptionbudgets"), ("list", "networking.k8s.io/networkpolicies"),
    ("list", "autoscaling/horizontalpodautoscalers"), ("get", "metrics.k8s.io/pods"),
    ("get", "batch/cronjobs"), ("list", "batch/jobs"),
)  # fmt: skip
"""Without these an alert's card can't say what changed in the cluster, nothing can be undone by its own history, and
posture, right-sizing and ``pods`` do not know all."""
SEES: tuple[Permission, ...] = (("list", "nodes"), ("list", "pods"))
"""In all of a cluster: without these ``pods`` can't tell which node lacks what for a pod that is pending."""

MOVES: tuple[Permission, ...] = (("patch", "autoscaling/horizontalpodautoscalers"),)
"""Where a failover is configured: without it the region that takes over keeps no room where an autoscaler counts."""


WATCHES: tuple[Permission, ...] = tuple(
    (verb, what)
    for what in ("pods", "apps/deployments", "apps/statefulsets", "apps/daemonsets", "batch/jobs")
    for verb in ("list", "watch")
)
"""Without these trouble in the cluster is noticed only by what Prometheus is told."""


DRAINS: tuple[Permission, ...] = (
    ("get", "nodes"), ("list", "nodes"), ("patch", "nodes"), ("list", "pods"), ("create", "/pods/eviction"),
)  # fmt: skip
"""In all of a cluster: without these nobody can close, open or empty its nodes, which may be meant."""


def needed(services: Iterable[Service], cluster: str) -> Mapping[str, tuple[Permission, ...]]:
    """By namespace; anything missing there would fail at night."""
    found: dict[str, dict[Permission, None]] = {}
    for environment in _of(services, cluster):
        found.setdefault(environment.namespace, {}).update(dict.fromkeys(_workload(environment)))
        if resources := TOOLS.get(environment.gitops.tool):
            namespace, _ = environment.gitops.place
            asked = dict.fromkeys((verb, what) for what in resources for verb in ("get", "patch"))
            found.setdefault(namespace, {}).update(asked)
    return {namespace: tuple(permissions) for namespace, permissions in found.items()}


def namespaces(services: Iterable[Service], cluster: str) -> tuple[str, ...]:
    """Where services of *cluster* run."""
    return tuple(dict.fromkeys(environment.namespace for environment in _of(services, cluster)))


def _of(services: Iterable[Service], cluster: str) -> Iterable[Environment]:
    return (each for service in services for each in service.environments if each.cluster == cluster)


def _workload(environment: Environment) -> tuple[Permission, ...]:
    what = WORKLOADS[environment.kind]
    orders = (("patch", f"{what}/status"),) if environment.kind == "rollout" else ()
    scaler = "autoscaling/horizontalpodautoscalers"
    scaled = () if environment.kind == "daemonset" else (("list", scaler), ("patch", scaler))
    pods = (("list", "pods"), ("delete", "pods"), ("get", "/pods/log"), ("create", "/pods/eviction"))
    return (("get", what), ("patch", what), *orders, *scaled, *pods)
