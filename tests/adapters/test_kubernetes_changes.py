"""What a cluster says was changed: done to the simulated one as people and controllers do it, then asked for."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.changes import (
    ClusterChange,
    Loss,
    Lost,
    NodeState,
    NodeTurned,
    Restarted,
    Rolled,
    Scaled,
    Synced,
    SyncState,
)
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.services import Environment, GitOps
from bot.ports.cluster import Workload
from bot.simulator.github.seeding import kustomization
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.api import TOKEN
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings

API = Environment("production", "nyc2", "production", "deployment", "api")
WEB = replace(API, workload="web")
APPS = "/apis/apps/v1/namespaces/production"
STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"
HOUR = timedelta(hours=1)


@dataclass
class Bench:
    """``kubectl`` changes things past pult; ``until`` asks the adapter until it tells something."""

    simulation: Simulation
    cluster: KubernetesCluster
    session: aiohttp.ClientSession

    @property
    def state(self) -> Cluster:
        return self.clusters.cluster("nyc2")

    @property
    def clusters(self) -> Clusters:
        assert isinstance(self.simulation.world.clusters, Clusters)
        return self.simulation.world.clusters

    async def kubectl(self, path: str, patch: Any, content_type: str = STRATEGIC, manager: str = "kubectl") -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type, "User-Agent": "kubectl/v1.34"}
        url = f"{self.simulation.url}/k8s/nyc2{path}?fieldManager={manager}"
        async with self.session.patch(url, data=json.dumps(patch), headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def restart(self, name: str, at: str) -> None:
        template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}
        await self.kubectl(f"{APPS}/deployments/{name}", {"spec": {"template": template}}, manager="kubectl-rollout")

    async def image(self, name: str, image: str) -> None:
        spec = {"containers": [{"name": name, "image": image}]}
        await self.kubectl(f"{APPS}/deployments/{name}", {"spec": {"template": {"spec": spec}}}, manager="kubectl-set")

    async def scale(self, name: str, count: int) -> None:
        await self.kubectl(f"{APPS}/deployments/{name}/scale", {"spec": {"replicas": count}}, MERGE)

    async def told(self, environment: Environment = API) -> tuple[ClusterChange, ...]:
        since = datetime.now(UTC) - HOUR
        return tuple(sorted(await self.cluster.changes(environment, since), key=lambda change: change.at))

    async def until(
        self, enough: Callable[[tuple[ClusterChange, ...]], bool], environment: Environment = API
    ) -> tuple[ClusterChange, ...]:
        async with asyncio.timeout(10):
            while not enough(found := await self.told(environment)):
                await asyncio.sleep(0.02)
            return found

    async def settles(self, name: str = "api") -> None:
        async with asyncio.timeout(10):
            while not (await self.cluster.rollout(Workload("nyc2", "production", "deployment", name))).done:
                await asyncio.sleep(0.02)


def settings(path: Path, **more: Any) -> ClusterSettings:
    return ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2", **more)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=100)) as running, aiohttp.ClientSession() as session:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        async with open_clusters([settings(path)]) as cluster:
            yield Bench(running, cluster, session)


async def test_a_cluster_at_rest_tells_nothing(bench: Bench) -> None:
    for gitops in (GitOps(), GitOps("argocd", "api"), GitOps("flux", "web")):
        assert await bench.told(replace(WEB if gitops.tool == "flux" else API, gitops=gitops)) == ()


async def test_a_restart_with_kubectl(bench: Bench) -> None:
    await bench.restart("api", "2026-03-01T12:00:00+03:00")
    (told,) = await bench.until(bool)
    assert told == Restarted(told.at, "kubectl-rollout")
    assert abs(datetime.now(UTC) - told.at) < timedelta(seconds=30)
    await bench.settles()
    assert await bench.told() == (told,), "the rollout's own steps are no scaling"


async def test_a_restart_through_pult_carries_its_operation(bench: Bench) -> None:
    await bench.cluster.restart(Workload("nyc2", "production", "deployment", "api"), "op-41c9", datetime.now(UTC))
    (told,) = await bench.until(bool)
    assert isinstance(told, Restarted)
    assert told.operation == "op-41c9"


async def test_another_image_and_back_again(bench: Bench) -> None:
    before = (await bench.cluster.rollout(Workload("nyc2", "production", "deployment", "api"))).images[0]
    await bench.image("api", images.image("api", "1.8.0"))
    (rolled,) = await bench.until(bool)
    assert rolled == Rolled(rolled.at, "2", images.image("api", "1.8.0"))
    await bench.settles()
    assert await bench.told() == (rolled,)
    await bench.image("api", before)
    await bench.until(lambda found: len(found) == 2)
    await bench.settles()
    back = next(change for change in await bench.told() if change != rolled)
    assert back == Rolled(back.at, "3", before, back=True)


async def test_other_settings_under_the_same_image(bench: Bench) -> None:
    env = {"containers": [{"name": "api", "env": [{"name": "POOL", "value": "2"}]}]}
    await bench.kubectl(f"{APPS}/deployments/api", {"spec": {"template": {"spec": env}}})
    (told,) = await bench.until(bool)
    assert told == Rolled(told.at, "2")


async def test_scaled_by_hand(bench: Bench) -> None:
    await bench.scale("api", 2)
    (told,) = await bench.until(bool)
    assert told == Scaled(told.at, 4, 2)


async def test_scaled_after_a_rollout(bench: Bench) -> None:
    await bench.image("api", images.image("api", "1.8.0"))
    await bench.until(bool)
    await bench.settles()
    await asyncio.sleep(3)  # a step right after a rollout's last one is taken for one of it
    await bench.scale("api", 5)
    found = await bench.until(lambda found: len(found) == 2)
    assert found[1] == Scaled(found[1].at, 4, 5)


async def test_an_autoscaler_undoes_it(bench: Bench) -> None:
    await bench.scale("web", 5)
    found = await bench.until(lambda found: len(found) == 2, WEB)
    assert Scaled(found[0].at, 2, 5) in found
    assert Scaled(found[1].at, 5, 2, autoscaler=True) in found


async def test_a_node_that_stops_answering_and_comes_back(bench: Bench) -> None:
    node = bench.state.store.all(POD, "production")[0]["spec"]["nodeName"]
    bench.simulation.world.faults.start("node_down", node)
    (told,) = await bench.until(bool)
    assert told == NodeTurned(told.at, node, NodeState.NOT_READY)
    assert bench.clusters.ready("nyc2", "production", "api") < 4
    bench.simulation.world.faults.clear()
    found = await bench.until(lambda found: len(found) == 2)
    assert {change.state for change in found if isinstance(change, NodeTurned)} == {
        NodeState.NOT_READY,
        NodeState.READY,
    }


async def test_a_cordoned_node(bench: Bench) -> None:
    await bench.kubectl("/api/v1/nodes/nyc2-pool-a-1", {"spec": {"unschedulable": True}})
    (told,) = await bench.until(bool)
    assert told == NodeTurned(told.at, "nyc2-pool-a-1", NodeState.CORDONED)


async def test_nodes_without_its_pods_are_nothing_to_it(bench: Bench) -> None:
    await bench.scale("api", 1)
    await bench.until(bool)
    await bench.settles()
    async with asyncio.timeout(5):
        while (
            len(
                pods := [p for p in bench.state.store.all(POD, "production") if p["metadata"]["labels"]["app"] == "api"]
            )
            > 1
        ):
            await asyncio.sleep(0.02)
    others = {f"nyc2-pool-a-{n}" for n in (1, 2, 3)} - {pods[0]["spec"]["nodeName"]}
    bench.simulation.world.faults.start("node_down", others.pop())
    await bench.until(
        lambda found: any(isinstance(change, NodeTurned) for change in found), replace(API, workload="bots")
    )
    assert not any(isinstance(change, NodeTurned) for change in await bench.told())


async def test_pods_out_of_memory(bench: Bench) -> None:
    name = bench.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    (told,) = await bench.until(bool)
    assert told == Lost(told.at, Loss.MEMORY, name)


async def test_an_eviction_is_told_of_the_workload_it_struck(bench: Bench) -> None:
    pods = {pod["metadata"]["labels"]["app"]: pod for pod in bench.state.store.all(POD, "production")}
    for name in ("api", "web"):
        message = "The node was low on resource: memory. "
        bench.state.event(pods[name], "Evicted", message, component="kubelet", warning=True)
    (told,) = await bench.told()
    assert told == Lost(told.at, Loss.EVICTED, pods["api"]["metadata"]["name"])


def commit(bench: Bench, service: str, version: str) -> str:
    forge = bench.simulation.world.github
    assert isinstance(forge, Forge)
    repo, path = forge.repository(f"dept/{service}"), "deploy/production/kustomization.yaml"
    files = {**repo.branch("main").files, path: kustomization(service, "production", version).encode()}
    return repo.commit("main", f"chore: {service} {version}", files, datetime.now(UTC)).sha


async def test_argo_cd_syncs(bench: Bench) -> None:
    owned = replace(API, gitops=GitOps("argocd", "api"))
    revision = commit(bench, "api", "1.8.0")
    body = {"operation": {"sync": {"revision": revision}, "initiatedBy": {"username": "anna"}}}
    await bench.kubectl("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/api", body, MERGE)
    found = await bench.until(lambda found: len(found) == 2 and not _running(found), owned)
    synced = next(change for change in found if isinstance(change, Synced))
    assert synced == Synced(synced.at, "argocd", revision[:7], by="anna")
    assert any(isinstance(change, Rolled) for change in found)
    assert await bench.told(replace(API, gitops=GitOps("argocd", "argocd/api"))) == found


async def test_flux_applies(bench: Bench) -> None:
    owned = replace(WEB, gitops=GitOps("flux", "web"))
    revision = commit(bench, "web", "5.1.0")
    found = await bench.until(lambda found: len(found) == 2 and not _running(found), owned)
    synced = next(change for change in found if isinstance(change, Synced))
    assert synced == Synced(synced.at, "flux", revision[:7])


async def test_flux_applies_what_nobody_can_pull(bench: Bench) -> None:
    owned = replace(WEB, gitops=GitOps("flux", "web"))
    revision = commit(bench, "web", "5.2.0")
    found = await bench.until(lambda found: any(_failed(change) for change in found), owned)
    synced = next(change for change in found if isinstance(change, Synced))
    assert synced == Synced(synced.at, "flux", revision[:7], SyncState.FAILED)


async def test_a_helm_release_of_flux_is_found_where_there_is_no_kustomization(bench: Bench) -> None:
    owned = replace(API, workload="worker", gitops=GitOps("flux", "worker"))
    since = datetime.now(UTC) - timedelta(days=3)
    (told,) = (change for change in await bench.cluster.changes(owned, since) if isinstance(change, Synced))
    assert told == Synced(told.at, "flux", "worker 2.4.0")


def _failed(change: ClusterChange) -> bool:
    return isinstance(change, Synced) and change.state is SyncState.FAILED


def _running(found: tuple[ClusterChange, ...]) -> bool:
    return any(isinstance(change, Synced) and change.state is SyncState.RUNNING for change in found)


# --- trouble ---


async def test_what_may_not_be_read_is_left_out_and_said_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.scale("api", 2)
    await bench.until(bool)
    node = bench.state.store.all(POD, "production")[0]["spec"]["nodeName"]
    bench.simulation.world.faults.start("node_down", node)
    await bench.until(lambda found: len(found) == 2)
    bench.state.deny("list", "events", namespace="default")
    bench.state.deny("list", "replicasets")
    with caplog.at_level(logging.WARNING, "bot.adapters.kubernetes"):
        for _ in range(2):
            (told,) = await bench.told()
    assert told == Scaled(told.at, 4, 2)
    assert sorted(record.part for record in caplog.records) == ["revisions", "turned"]  # type: ignore[attr-defined]
    assert "it may not list events in" in caplog.records[-1].error + caplog.records[0].error  # type: ignore[attr-defined]


async def test_who_may_read_nothing_is_told_so(bench: Bench) -> None:
    bench.state.deny("get", "deployments")
    with pytest.raises(UserError, match="it may not get deployments"):
        await bench.told()
    bench.state.denials.clear()
    with pytest.raises(UserError, match="There is no deployment chekout"):
        await bench.told(replace(API, workload="chekout"))
    with pytest.raises(UserError, match="No cluster fra1"):
        await bench.told(replace(API, cluster="fra1"))


async def test_a_dead_region_is_temporary(bench: Bench) -> None:
    bench.simulation.world.faults.start("region_down", "nyc2")
    with pytest.raises(TemporaryError, match="nyc2 does not answer"):
        await bench.told()


async def test_an_overloaded_server_names_its_delay(bench: Bench) -> None:
    bench.simulation.world.faults.start("ratelimit", "kubernetes")
    with pytest.raises(RateLimitedError) as caught:
        await bench.told()
    assert caught.value.delay == 2


async def test_lists_are_bounded_and_narrow(bench: Bench) -> None:
    bench.state.calls.clear()
    await bench.told()
    kinds = sorted((call.verb, call.resource, call.namespace) for call in bench.state.calls)
    assert kinds == [
        ("get", "deployments", "production"),
        ("list", "events", "default"), *[("list", "events", "production")] * 4,
        ("list", "pods", "production"), ("list", "replicasets", "production"),
    ]  # fmt: skip


Answers = dict[str, tuple[int, Any]]


async def scripted(tmp_path: Path, answers: Answers, environment: Environment) -> tuple[ClusterChange, ...]:
    """What is told when each path ends in an answer of *answers*; lists that are not among them are empty."""

    async def answer(request: web.Request) -> web.Response:
        assert request.query.get("limit") or request.path.endswith("/api")
        name = request.path.rpartition("/")[2]
        if name == "slow":
            await asyncio.sleep(5)
        status, body = answers.get(name, (200, {"items": []}))
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(str(server.make_url("")).rstrip("/"))))
        async with open_clusters([settings(path, timeout=timedelta(seconds=0.5))]) as cluster:
            return await cluster.changes(environment, datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


async def test_a_list_that_expired_or_broke_is_temporary(tmp_path: Path) -> None:
    here = {"api": (200, recorded("deployment-complete"))}
    with pytest.raises(TemporaryError, match="too old"):
        await scripted(tmp_path, here | {"replicasets": (410, recorded("status-410-list"))}, API)
    with pytest.raises(TemporaryError, match="answers 503"):
        await scripted(tmp_path, here | {"events": (503, {})}, API)


async def test_a_statefulset_tells_of_its_controller_revisions(tmp_path: Path) -> None:
    def revision(number: int, at: str, image: str, owner: str = "u1", **notes: str) -> dict[str, Any]:
        template = {"metadata": {"annotations": notes}, "spec": {"containers": [{"name": "db", "image": image}]}}
        meta = {"name": f"api-{number}", "creationTimestamp": at, "ownerReferences": [{"uid": owner}]}
        return {"metadata": meta, "revision": number, "data": {"spec": {"template": template}}}

    mark = {"kubectl.kubernetes.io/restartedAt": "2026-11-24T08:30:00Z"}
    workload = {
        "metadata": {"name": "api", "uid": "u1"},
        "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {}},
    }
    listed = [
        revision(3, "2026-11-24T08:30:01Z", "db:2", **mark),
        revision(2, "2026-11-24T08:10:00Z", "db:2"),
        revision(1, "2026-11-01T08:00:00Z", "db:1"),
        revision(9, "2026-11-24T08:31:00Z", "db:9", owner="u2"),
    ]
    answers: Answers = {"api": (200, workload), "controllerrevisions": (200, {"items": listed})}
    told = await scripted(tmp_path, answers, replace(API, kind="statefulset"))
    at = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
    assert told == (Rolled(at, "2", "db:2"), Restarted(at.replace(minute=30, second=1)))
