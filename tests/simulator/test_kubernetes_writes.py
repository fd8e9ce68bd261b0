"""The simulated API server over HTTP, changed: patches, evictions, leases, validation."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client, config, watch
from kubernetes.aio.client.exceptions import ApiException

from bot.simulator import kubernetes
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.images import image
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.world import World

CONFIG: Any = config  # untyped in the client
WATCH: Any = watch
APPLICATION = ("argoproj.io", "v1alpha1", "argocd", "applications", "probe")
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
HEADERS = {"Authorization": "Bearer sim-k8s-token"}


@dataclass
class Bench:
    world: World
    cluster: Cluster
    url: str
    api: client.ApiClient
    http: aiohttp.ClientSession

    # The generated models want typed bodies and answer optional everything; the tests send and read plain JSON.
    @property
    def apps(self) -> Any:
        return client.AppsV1Api(self.api)

    @property
    def core(self) -> Any:
        return client.CoreV1Api(self.api)

    @property
    def objects(self) -> Any:
        return client.CustomObjectsApi(self.api)

    @property
    def policy(self) -> Any:
        return client.PolicyV1Api(self.api)

    @property
    def leases(self) -> Any:
        return client.CoordinationV1Api(self.api)

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.url}/k8s/nyc2{path}") as answer:
            return answer.status, await answer.json()

    async def pod(self) -> str:
        found = await self.core.list_namespaced_pod("production", label_selector="app=api", limit=1)
        return str(found.items[0].metadata.name)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    world = World(speed=100)
    app = web.Application()
    for name in ("nyc2", "sfo3"):
        app.add_subapp(f"/k8s/{name}", kubernetes.application(world, name))
    async with TestServer(app) as server, aiohttp.ClientSession(headers=HEADERS) as http:
        url = str(server.make_url("")).rstrip("/")
        api = await CONFIG.new_client_from_config_dict(kubernetes.kubeconfig(url), context="nyc2")
        assert isinstance(world.clusters, Clusters)
        try:
            yield Bench(world, world.clusters.cluster("nyc2"), url, api, http)
        finally:
            await api.close()


def refusal(caught: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(caught.value.body or "")
    return found


# Bodies as recorded in the wire fixtures: kubernetes/status-403, status-404, status-410-list, eviction-429.
SHELL: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
DISRUPTED = SHELL | {
    "message": "Cannot evict pod as it would violate the pod's disruption budget.",
    "reason": "TooManyRequests",
    "details": {
        "causes": [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget api needs 4 healthy pods and has 4 currently",
            }
        ]
    },
    "code": 429,
}


async def test_a_restart_rolls_every_pod(bench: Bench) -> None:
    before = await bench.core.list_namespaced_pod("production", label_selector="app=api")
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-11-24T08:31:00Z"}
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    await bench.apps.patch_namespaced_deployment("api", "production", body, _content_type=MERGE)
    follower = WATCH.Watch()
    stream = follower.stream(
        bench.apps.list_namespaced_deployment, "production", field_selector="metadata.name=api", timeout_seconds=30
    )
    async for event in stream:
        status = event["object"].status
        counts = (status.updated_replicas, status.replicas, status.available_replicas)
        if status.observed_generation == 2 and counts == (4, 4, 4):
            break
    await follower.close()
    after = await bench.core.list_namespaced_pod("production", label_selector="app=api")
    old, new = ({pod.metadata.name for pod in found.items} for found in (before, after))
    assert not old & {pod.metadata.name for pod in after.items if pod.metadata.deletion_timestamp is None}
    assert new
    replicasets = await bench.apps.list_namespaced_replica_set("production", label_selector="app=api")
    revisions = {rs.metadata.annotations["deployment.kubernetes.io/revision"] for rs in replicasets.items}
    assert revisions == {"1", "2"}


async def test_the_latest_who_set_an_image_is_noted(bench: Bench) -> None:
    path = f"{bench.url}/k8s/nyc2/apis/apps/v1/namespaces/production/deployments/api"
    for manager, version in (("kubectl-edit", "1.8.0"), ("kubectl-set", "1.8.1")):
        body = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": image("api", version)}]}}}}
        headers = {"Content-Type": STRATEGIC}
        async with bench.http.patch(f"{path}?fieldManager={manager}", data=json.dumps(body), headers=headers) as answer:
            found = await answer.json()
    field = {"f:spec": {"f:containers": {'k:{"name":"api"}': {"f:image": {}}}}}
    noted = [
        each["manager"]
        for each in found["metadata"]["managedFields"]
        if each["fieldsV1"]["f:spec"]["f:template"] == field
    ]
    assert noted == ["kubectl-set"]


async def test_dry_run_answers_the_same_and_stores_nothing(bench: Bench) -> None:
    before = bench.cluster.store.version
    body = [{"op": "replace", "path": "/spec/replicas", "value": 9}]
    answer = await bench.apps.patch_namespaced_deployment("api", "production", body, dry_run="All")
    assert (answer.spec.replicas, answer.metadata.generation) == (9, 2)
    made = await bench.core.create_namespaced_config_map("pult", {"metadata": {"name": "dry"}}, dry_run="All")
    assert made.metadata.uid
    await bench.core.delete_namespaced_config_map("pult-config", "pult", dry_run="All")
    assert bench.cluster.store.version == before
    with pytest.raises(ApiException) as caught:
        await bench.apps.patch_namespaced_deployment("api", "production", body, dry_run="Some")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("value", "path"),
    [(-1, "/spec/replicas"), ("two", "/spec/replicas"), ({"matchLabels": {"a": "b"}}, "/spec/selector")],
)
async def test_an_object_that_may_not_be_stored_is_422(bench: Bench, value: object, path: str) -> None:
    patch = [{"op": "replace", "path": path, "value": value}]
    with pytest.raises(ApiException) as caught:
        await bench.apps.patch_namespaced_deployment("api", "production", patch)
    assert caught.value.status == 422
    assert refusal(caught)["reason"] == "Invalid"
    assert refusal(caught)["details"]["causes"][0]["field"] == path[1:].replace("/", ".")


async def test_a_plain_write_cannot_change_the_status(bench: Bench) -> None:
    body = {"status": {"readyReplicas": 99}, "metadata": {"labels": {"seen": "yes"}}}
    answer = await bench.apps.patch_namespaced_deployment("api", "production", body, _content_type=MERGE)
    assert answer.metadata.labels["seen"] == "yes"
    assert answer.status.ready_replicas == 4


async def test_a_lease_is_lost_by_the_slower_writer(bench: Bench) -> None:
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-11-24T08:31:03.512345Z"}
    body = {"metadata": {"name": "pult-leader"}, "spec": spec}
    made = await bench.leases.create_namespaced_lease("pult", body)
    with pytest.raises(ApiException) as caught:
        await bench.leases.create_namespaced_lease("pult", body)
    assert refusal(caught)["reason"] == "AlreadyExists"
    version = made.metadata.resource_version
    taken = {"metadata": {"name": "pult-leader", "resourceVersion": version}, "spec": spec | {"holderIdentity": "two"}}
    first = await bench.leases.replace_namespaced_lease("pult-leader", "pult", taken)
    assert first.spec.holder_identity == "two"
    with pytest.raises(ApiException) as caught:
        await bench.leases.replace_namespaced_lease("pult-leader", "pult", taken)
    assert caught.value.status == 409
    assert refusal(caught)["reason"] == "Conflict"


async def test_server_side_apply_refuses_a_foreign_field_unless_forced(bench: Bench) -> None:
    async def apply(manager: str, replicas: int, *, force: bool) -> int:
        url = f"{bench.url}/k8s/nyc2/apis/apps/v1/namespaces/production/deployments/worker"
        body = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: worker}}\nspec: {{replicas: {replicas}}}\n"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": manager, "force": str(force).lower()}
        async with bench.http.patch(url, data=body, headers=headers, params=query) as answer:
            found = await answer.json()
        if answer.status == 409:
            assert found["details"]["causes"] == [
                {"reason": "FieldManagerConflict", "message": 'conflict with "helm"', "field": ".spec.replicas"}
            ]
        return answer.status

    assert await apply("helm", 3, force=False) == 200
    assert await apply("pult", 3, force=False) == 200
    assert await apply("helm", 3, force=True) == 200
    assert await apply("pult", 4, force=False) == 409
    assert await apply("pult", 4, force=True) == 200


async def test_an_eviction_stops_the_pod_and_its_dry_run_does_not(bench: Bench) -> None:
    name = await bench.pod()
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await bench.core.create_namespaced_pod_eviction(name, "production", body | {"deleteOptions": {"dryRun": ["All"]}})
    standing = bench.cluster.store.get(POD, "production", name)
    assert "deletionTimestamp" not in standing["metadata"]
    await bench.core.create_namespaced_pod_eviction(name, "production", body)
    evicted = bench.cluster.store.find(POD, "production", name)
    assert evicted is None or "deletionTimestamp" in evicted["metadata"]


async def test_an_eviction_refused_reads_as_recorded(bench: Bench) -> None:
    budget = {"spec": {"maxUnavailable": 0}}
    await bench.policy.patch_namespaced_pod_disruption_budget("api", "production", budget, _content_type=MERGE)
    name = await bench.pod()
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    with pytest.raises(ApiException) as caught:
        await bench.core.create_namespaced_pod_eviction(name, "production", body)
    assert refusal(caught) == DISRUPTED
    assert "Retry-After" not in (caught.value.headers or {})


async def test_scale_reads_and_writes_the_replica_count(bench: Bench) -> None:
    found = await bench.apps.read_namespaced_deployment_scale("worker", "production")
    assert (found.spec.replicas, found.status.replicas, found.status.selector) == (2, 2, "app=worker")
    await bench.apps.patch_namespaced_deployment_scale(
        "worker", "production", {"spec": {"replicas": 3}}, _content_type=MERGE
    )
    stale = {
        "metadata": {"name": "worker", "resourceVersion": found.metadata.resource_version},
        "spec": {"replicas": 1},
    }
    with pytest.raises(ApiException) as caught:
        await bench.apps.replace_namespaced_deployment_scale("worker", "production", stale)
    assert caught.value.status == 409
    changed = await bench.apps.read_namespaced_deployment("worker", "production")
    assert changed.spec.replicas == 3


async def test_custom_objects_refuse_a_strategic_merge(bench: Bench) -> None:
    spec = {"destination": {"namespace": "production"}}
    body = {"metadata": {"name": "probe"}, "spec": spec, "apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    await bench.objects.create_namespaced_custom_object(*APPLICATION[:4], body)
    with pytest.raises(ApiException) as caught:
        await bench.objects.patch_namespaced_custom_object(
            *APPLICATION, {"metadata": {}}, _content_type="application/strategic-merge-patch+json"
        )
    assert caught.value.status == 415
    listed = await bench.objects.list_namespaced_custom_object(*APPLICATION[:4])
    assert listed["items"][0]["kind"] == "Application"


async def test_deleting_a_deployment_takes_its_pods_along(bench: Bench) -> None:
    url = f"{bench.url}/k8s/nyc2/apis/apps/v1/namespaces/production/deployments/worker"
    async with bench.http.delete(url) as answer:
        assert (await answer.json())["status"] == "Success"
    pods = [pod for pod in bench.cluster.store.all(POD, "production") if pod["metadata"]["labels"]["app"] == "worker"]
    assert all("deletionTimestamp" in pod["metadata"] for pod in pods)


async def test_a_deleted_pod_is_answered_as_an_object_and_replaced(bench: Bench) -> None:
    name = await bench.pod()
    gone = await bench.core.delete_namespaced_pod(name, "production")
    assert gone.metadata.name == name
    assert isinstance(bench.world.clusters, Clusters)
    async with asyncio.timeout(10):
        while bench.cluster.store.find(POD, "production", name):
            await bench.cluster.store.news(0.1)
        while bench.world.clusters.ready("nyc2", "production", "api") < 4:
            await bench.cluster.store.news(0.1)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/apis/apps/v1/namespaces/pult/deployments", {"metadata": {"name": "x"}}, "spec.selector.matchLabels"),
        ("/apis/policy/v1/namespaces/pult/poddisruptionbudgets", {"metadata": {"name": "x"}}, "spec.selector"),
        ("/api/v1/namespaces/pult/configmaps", {"metadata": {"name": "Not A Name"}}, "metadata.name"),
        ("/api/v1/namespaces/pult/pods", {"metadata": {"name": "x"}, "spec": {}}, "spec.containers"),
    ],
)
async def test_a_creation_that_lacks_something_is_422(bench: Bench, path: str, body: object, field: str) -> None:
    async with bench.http.post(f"{bench.url}/k8s/nyc2{path}", json=body) as answer:
        assert answer.status == 422
        assert (await answer.json())["details"]["causes"][0]["field"] == field


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"metadata": []}', '{"metadata": {"labels": "x"}}', '{"spec": 1}'])
async def test_a_body_that_is_no_object_is_400(bench: Bench, text: str) -> None:
    url = f"{bench.url}/k8s/nyc2/api/v1/namespaces/pult/configmaps"
    async with bench.http.post(url, data=text, headers={"Content-Type": "application/json"}) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (400, "BadRequest")
