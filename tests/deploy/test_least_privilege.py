"""The roles in deploy/ hold what pult asks for and no more: everything it can do, done once, beside the server's log.

What is added to bot/adapters/kubernetes is added to ``everything``; a call that is missing there fails the second test.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import flux_hand, resources
from bot.adapters.kubernetes.anatomies import KubernetesAnatomies
from bot.adapters.kubernetes.census import Gathered
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.diagnoses import KubernetesDiagnoses
from bot.adapters.kubernetes.happenings import KubernetesHappenings
from bot.adapters.kubernetes.inquiry import Inquiry
from bot.adapters.kubernetes.jobs import KubernetesJobs
from bot.adapters.kubernetes.logs import KubernetesLogs
from bot.adapters.kubernetes.machines import WorkloadMachine
from bot.adapters.kubernetes.secrets import KubernetesSecrets
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.watch import feeds
from bot.domain import failover
from bot.domain.errors import PultError
from bot.domain.services import Environment, GitOps
from bot.domain.sights import Kind, Place
from bot.domain.trouble import Limits
from bot.engine.watching import Watches
from bot.ports.cluster import Workload
from bot.ports.diagnoses import Health
from bot.ports.logs import Wanted
from bot.ports.scaling import Autoscaler
from bot.ports.watching import State
from bot.simulator.kubernetes import images, kubeconfig, objects
from bot.simulator.kubernetes.cluster import Call, Cluster
from bot.simulator.kubernetes.kinds import CRONJOB, DAEMONSET, ROLLOUT, STATEFULSET
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "bot" / "adapters" / "kubernetes"
ROLES = {
    ("production", "pult"), ("default", "pult-nodes"), ("argocd", "pult-argocd"), ("flux-system", "pult-flux"),
    ("production", "pult-connections"),
}  # fmt: skip
"""Where the shipped bindings put each role: the namespaces in which the department works."""
NAMED = frozenset({"secrets"})
"""Never granted but by name: a right to all of them would be one to every password."""
EVERYBODY = {("create", "authorization.k8s.io", "selfsubjectaccessreviews")}
"""What system:basic-user lets every account do."""
METHOD = re.compile(r"(get|read|list|patch|delete|create|replace)_[a-z_]*[a-z]")
KINDS = ("deployment", "statefulset", "daemonset", "rollout")
Right = tuple[str, str, str]


def environment(kind: str, tool: str = "none") -> Environment:
    gitops = GitOps(tool, {"argocd": "api", "flux": "web"}.get(tool, ""))
    return Environment("production", "nyc2", "production", kind, "api", gitops)


def populated(cluster: Cluster) -> None:
    """An api of every kind, and a Rollout that waits at a step."""
    now = cluster.now()
    base = objects.deployment("production", "api", 1)
    report = {"metadata": {"name": "report", "namespace": "production"}, "spec": {"schedule": "0 3 * * *"}}
    cluster.store.create(CRONJOB, report, now)
    for kind in (STATEFULSET, DAEMONSET, ROLLOUT):
        cluster.store.create(kind, base | {"spec": base["spec"] | {"strategy": {"canary": {"steps": []}}}}, now)


async def everything(cluster: KubernetesCluster) -> None:
    """Each call of each port. What the simulator refuses for other reasons was asked for all the same."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    for kind in KINDS:
        workload = Workload("nyc2", "production", kind, "api")
        state = await cluster.rollout(workload)
        kept = await cluster.rollouts.revisions(workload) or [None]
        asked: list[Any] = [
            cluster.pods(workload),
            *(cluster.changes(environment(kind, tool), since) for tool in ("none", "argocd", "flux")),
            KubernetesHappenings(cluster.apis).happenings(environment(kind), since),
            KubernetesAnatomies(cluster.apis).anatomy(environment(kind)),
            KubernetesDiagnoses(cluster.apis, SystemClock()).diagnosis(environment(kind)),
            cluster.rollouts.undo(workload, kept[0].revision if kept[0] else "1", "other"),
            cluster.rollouts.pause(workload),
            cluster.rollouts.unpause(workload),
            cluster.rollouts.advance(workload, "op-1", full=True),
            cluster.rollouts.abort(workload),
            cluster.set_image(workload, images.image("api", "1.8.0"), state.template),
            cluster.scaling.autoscaler(workload),
            cluster.scaling.scale(workload, 2, "op-4"),
            cluster.scaling.allowed(workload),
            cluster.restart(workload, "op-2", since),
            cluster.evictions.pods(workload),
            WorkloadMachine(cluster.apis, workload).stop(),
            WorkloadMachine(cluster.apis, workload).stopped(),
            WorkloadMachine(cluster.apis, workload).allowed(),
            WorkloadMachine(cluster.apis, workload).start(),
        ]
        for each in asked:
            with suppress(PultError):
                await each
    pods = await cluster.pods(Workload("nyc2", "production", "deployment", "api"))
    logs = KubernetesLogs(cluster.apis, SystemClock())
    await logs.lines(environment("deployment"), Wanted(since, datetime.now(UTC)))
    await cluster.delete_pod(Workload("nyc2", "production", "deployment", "api"), pods[0].name, pods[0].uid)
    await inquired(cluster)
    await KubernetesJobs(cluster.apis, SystemClock()).jobs(environment("deployment"), ("cronjob/report", "job/x"))
    await cluster.scaling.bound(Workload("nyc2", "production", "deployment", "web"), Autoscaler("web", 3, 6))
    await nodes(cluster)
    await gitops(cluster)
    await connections(cluster)
    await cluster.may("nyc2", "production", "list", "pods")
    await cluster.version("nyc2")
    await watched(cluster)


async def inquired(cluster: KubernetesCluster) -> None:
    """What is asked of a pod that was killed for its memory, and of one that no node takes."""
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-24T08:00:00Z"}}
    limits = {"resources": {"limits": {"memory": "1Gi"}}}
    pod = {
        "metadata": {"name": "api-1"}, "spec": {"containers": [{"name": "api"} | limits]},
        "status": {"containerStatuses": [{"name": "api", "lastState": ended}]},
    }  # fmt: skip
    inquiry = Inquiry(cluster.apis["nyc2"], "production", [{"metadata": {"name": "nyc2-pool-a-1"}}])
    for health in (Health.BROKEN, Health.PENDING):
        await inquiry.of(Gathered(health, "", None, pod))


async def nodes(cluster: KubernetesCluster) -> None:
    """A node closed and opened, and pods evicted from it: one of the department's and one of somebody else's."""
    node = (await cluster.nodes.nodes("nyc2"))[0]
    for closed in (True, False):
        await cluster.nodes.mark(node, closed=closed)
    for each in await cluster.nodes.residents(node):
        await cluster.evictions.kin(each.pod)
        await cluster.evictions.evict(each.pod, rehearse=True)


async def connections(cluster: KubernetesCluster) -> None:
    place = failover.Place("nyc2", "production", "api-database", "DATABASE_URL")
    secrets = KubernetesSecrets(cluster.apis)
    assert await secrets.allowed(place) == ""
    assert await secrets.switch(place, "db.two:2", "op-9") == await secrets.switch(place, "db.two:2", "op-9")


async def gitops(cluster: KubernetesCluster) -> None:
    """Both tools, and each kind of source, which the simulator has not all."""
    for tool in ("argocd", "flux"):
        for call in (cluster.gitops.state(environment("deployment", tool)),
                     cluster.gitops.ask(environment("deployment", tool), "", "op-3"),
                     cluster.gitops.progress(environment("deployment", tool), "", "op-3")):  # fmt: skip
            with suppress(PultError):
                await call
    api = cluster.apis["nyc2"]
    for kind in flux_hand.KINDS.values():
        with suppress(PultError):
            await resources.read(api, kind, "flux-system", "web")
        with suppress(PultError):
            await resources.patch(api, kind, "flux-system", "web", {})


async def watched(cluster: KubernetesCluster) -> None:
    places = [Place("nyc2", "production", kind) for kind in Kind]
    watches = Watches(feeds(cluster.apis, places), Limits(), SystemClock())
    task = asyncio.create_task(watches.run())
    async with asyncio.timeout(20):
        while any(one.state is not State.LIVE for one in watches.seen().values()):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Call], set[str]]:
    """What the server was asked for, and the methods of the client that did it."""
    return asyncio.run(_run(tmp_path_factory.mktemp("rbac")))


async def _run(folder: Path) -> tuple[list[Call], set[str]]:
    called: set[str] = set()
    real = Api._function

    async def spied(self: Api, group: str, method: str) -> Any:
        called.add(method)
        return await real(self, group, method)

    async with _clusters(folder) as (server, cluster):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Api, "_function", spied)
            server.calls.clear()
            await everything(cluster)
        return list(server.calls), called


@asynccontextmanager
async def _clusters(folder: Path) -> AsyncIterator[tuple[Cluster, KubernetesCluster]]:
    async with simulator(SimulatorSettings(port=0, speed=60)) as running:
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        clusters = running.world.clusters
        assert isinstance(clusters, Clusters)
        server = clusters.cluster("nyc2")
        populated(server)
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        async with open_clusters([settings]) as cluster:
            yield server, cluster


def granted() -> dict[str, set[Right]]:
    """By namespace, what the shipped role gives there."""
    files = [
        ROOT / "deploy" / "base" / "rbac.yaml",
        *sorted((ROOT / "deploy" / "gitops").rglob("role.yaml")),
        *sorted((ROOT / "deploy" / "failover").glob("*.yaml")),
    ]
    documents = [each for path in files for each in yaml.safe_load_all(path.read_text())]
    roles = {each["metadata"]["name"]: each for each in documents if each["kind"] in {"Role", "ClusterRole"}}
    bindings = [each for each in documents if each["kind"] == "RoleBinding"]
    bound = {(each["metadata"]["namespace"], each["roleRef"]["name"]) for each in bindings}
    assert bound == ROLES
    everywhere = [each["roleRef"]["name"] for each in documents if each["kind"] == "ClusterRoleBinding"]
    found: dict[str, set[Right]] = {"": {right for name in everywhere for right in _rights(roles[name])}}
    for space, name in bound:
        found.setdefault(space, set()).update(_rights(roles[name]))
    return found


def _rights(role: dict[str, Any]) -> Iterator[Right]:
    for rule in role["rules"]:
        named = [f" {name}" for name in rule.get("resourceNames", ())] or [""]
        for group in rule["apiGroups"]:
            for what in rule["resources"]:
                yield from ((verb, group, f"{what}{name}") for name in named for verb in rule["verbs"])


def used(calls: list[Call]) -> dict[str, set[Right]]:
    """By namespace; where no role is bound, only what is bound for the whole cluster helps: there under no name."""
    found: dict[str, set[Right]] = {}
    for call in calls:
        right = (call.verb, call.group, f"{call.resource} {call.name}" if call.resource in NAMED else call.resource)
        if right not in EVERYBODY:
            found.setdefault(call.namespace if call.namespace in {space for space, _ in ROLES} else "", set()).add(
                right
            )
    return found


def test_the_roles_hold_exactly_what_is_asked_for(log: tuple[list[Call], set[str]]) -> None:
    have, want = granted(), used(log[0])
    assert {space: rights - have.get(space, set()) for space, rights in want.items()} == {
        space: set() for space in want
    }, "pult asks for what no role grants"
    assert {space: rights - want.get(space, set()) for space, rights in have.items()} == {
        space: set() for space in have
    }, "a role grants what pult never asks for"


def test_no_call_of_the_adapter_was_left_out(log: tuple[list[Call], set[str]]) -> None:
    """Every method of the client that stands in the adapter's source, spelled out or put together, was called."""
    missing = [
        pattern
        for path in FOLDER.glob("*.py")
        for pattern in _methods(ast.parse(path.read_text(encoding="utf-8")))
        if not any(re.fullmatch(pattern, method) for method in log[1])
    ]
    assert missing == []


def _methods(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if METHOD.fullmatch(text):
                yield text
            case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]) if METHOD.match(start):
                yield f"{start}.+"
