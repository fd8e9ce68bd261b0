"""Fills a new cluster with the department's workloads, already running."""

from datetime import datetime

from bot.simulator.kubernetes import objects
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.gitops import Repositories
from bot.simulator.kubernetes.kinds import (
    APPLICATION,
    AUTOSCALER,
    BUDGET,
    CONFIGMAP,
    DEPLOYMENT,
    GITREPOSITORY,
    HELMRELEASE,
    HELMREPOSITORY,
    KUSTOMIZATION,
    NAMESPACE,
    NODE,
    SECRET,
    SERVICE,
)
from bot.simulator.kubernetes.objects import PRIMARY


def seed(cluster: Cluster, now: datetime) -> None:
    """Namespaces, nodes, workloads and their budgets; staging and GitOps live in the primary cluster only."""
    store = cluster.store
    for name in objects.NAMESPACES:
        store.create(NAMESPACE, objects.namespace(name), now)
    for number in range(1, objects.NODES + 1):
        store.create(NODE, objects.node(cluster.name, number), now)
    for service, count in objects.REPLICAS[cluster.name].items():
        store.create(DEPLOYMENT, objects.deployment("production", service, count), now)
        store.create(SERVICE, objects.service_of("production", service), now)
        store.create(BUDGET, objects.budget(service), now)
    metadata = {"name": "pult-config", "namespace": "pult"}
    store.create(CONFIGMAP, {"metadata": metadata, "data": {"locale": "en"}}, now)
    store.create(SECRET, {"metadata": metadata, "type": "Opaque", "data": {"token": "c2ltdWxhdGVk"}}, now)
    store.create(SECRET, objects.database(cluster.name), now)
    if cluster.name == PRIMARY:
        _primary(cluster, now)


def gitops(cluster: Cluster, git: Repositories, now: datetime) -> None:
    """The GitOps objects, once there is a Git to read: Argo CD for api, Flux for web and worker."""
    if cluster.name != PRIMARY or cluster.store.all(APPLICATION):
        return
    store = cluster.store
    store.create(APPLICATION, objects.application("api", git.head("dept/api", "main") or ""), now)
    store.create(GITREPOSITORY, objects.gitrepository("web"), now)
    store.create(KUSTOMIZATION, objects.kustomization("web"), now)
    store.create(HELMREPOSITORY, objects.helmrepository("dept"), now)
    store.create(HELMRELEASE, objects.helmrelease("worker"), now)


def _primary(cluster: Cluster, now: datetime) -> None:
    for service in objects.REPLICAS[PRIMARY]:
        cluster.store.create(DEPLOYMENT, objects.deployment("staging", service, 1), now)
        cluster.store.create(SERVICE, objects.service_of("staging", service), now)
    cluster.store.create(AUTOSCALER, objects.autoscaler("web", 2, 6), now)
