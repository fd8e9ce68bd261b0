"""The simulated API server over HTTP, read: lists, watches, logs, access, faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client, config, watch
from kubernetes.aio.client.exceptions import ApiException

from bot.simulator import kubernetes
from bot.simulator.kubernetes import images
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import CONFIGMAP
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.world import World

CONFIG: Any = config  # untyped in the client
WATCH: Any = watch
APPLICATION = ("argoproj.io", "v1alpha1", "argocd", "applications", "probe")
MERGE = "application/merge-patch+json"
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
    def review(self) -> Any:
        return client.AuthorizationV1Api(self.api)

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
FORBIDDEN = SHELL | {
    "message": 'deployments.apps "checkout" is forbidden: User "system:serviceaccount:pult:pult" cannot patch '
    'resource "deployments" in API group "apps" in the namespace "shop"',
    "reason": "Forbidden",
    "details": {"name": "checkout", "group": "apps", "kind": "deployments"},
    "code": 403,
}
NOT_FOUND = SHELL | {
    "message": 'deployments.apps "chekout" not found',
    "reason": "NotFound",
    "details": {"name": "chekout", "group": "apps", "kind": "deployments"},
    "code": 404,
}
EXPIRED = SHELL | {
    "message": "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter.",
    "reason": "Expired",
    "code": 410,
}


async def test_both_contexts_of_the_kubeconfig_work(bench: Bench) -> None:
    for context, ready in (("nyc2", 4), ("sfo3", 2)):
        api = await CONFIG.new_client_from_config_dict(kubernetes.kubeconfig(bench.url), context=context)
        apps: Any = client.AppsV1Api(api)
        found = await apps.read_namespaced_deployment("api", "production")
        await api.close()
        assert found.status.ready_replicas == ready
        assert found.spec.template.spec.containers[0].image == images.image("api", "1.7.2")


async def test_a_wrong_token_is_401(bench: Bench) -> None:
    async with bench.http.get(f"{bench.url}/k8s/nyc2/api/v1/nodes", headers={"Authorization": "Bearer no"}) as answer:
        assert answer.status == 401
        assert (await answer.json())["reason"] == "Unauthorized"


async def test_an_unknown_object_is_404_with_details_and_an_unknown_type_without(bench: Bench) -> None:
    status, body = await bench.get("/apis/apps/v1/namespaces/shop/deployments/chekout")
    assert (status, body) == (404, NOT_FOUND)
    status, body = await bench.get("/apis/apps/v1/namespaces/shop/gadgets/x")
    assert (status, body["details"]) == (404, {})


async def test_discovery_names_every_group(bench: Bench) -> None:
    version_api: Any = client.VersionApi(bench.api)
    assert (await version_api.get_code()).git_version.startswith("v1.")
    groups_api: Any = client.ApisApi(bench.api)
    groups = await groups_api.get_api_versions()
    names = {group.name for group in groups.groups}
    assert {"apps", "policy", "metrics.k8s.io", "argoproj.io", "authorization.k8s.io"} <= names
    resources = await bench.core.get_api_resources()
    assert {"pods", "pods/log", "pods/eviction"} <= {entry.name for entry in resources.resources}
    status, body = await bench.get("/apis/apps/v1")
    assert status == 200
    assert "deployments/scale" in {entry["name"] for entry in body["resources"]}


async def test_a_long_list_comes_in_pages_and_an_old_page_is_410(bench: Bench) -> None:
    names, token = [], ""
    while True:
        status, body = await bench.get(f"/api/v1/namespaces/production/pods?limit=4&continue={token}")
        assert status == 200
        names += [item["metadata"]["name"] for item in body["items"]]
        token = body["metadata"].get("continue", "")
        if not token:
            break
        assert body["metadata"]["remainingItemCount"] > 0
    assert len(names) == len(set(names)) == 10
    assert names == sorted(names)
    _, body = await bench.get("/api/v1/namespaces/production/pods?limit=4")
    assert "kind" not in body["items"][0]
    bench.cluster.store.create(CONFIGMAP, {"metadata": {"name": "x", "namespace": "pult"}}, bench.cluster.now())
    bench.cluster.store.compact()
    status, gone = await bench.get(
        f"/api/v1/namespaces/production/pods?limit=4&continue={body['metadata']['continue']}"
    )
    assert (status, gone) == (410, EXPIRED)


async def test_a_watch_follows_from_the_lists_version(bench: Bench) -> None:
    listed = await bench.core.list_namespaced_config_map("pult")
    seen: list[tuple[str, str]] = []
    follower = WATCH.Watch()
    stream = follower.stream(
        bench.core.list_namespaced_config_map,
        "pult",
        resource_version=listed.metadata.resource_version,
        label_selector="team=sre",
        timeout_seconds=5,
    )

    async def change() -> None:
        metadata = {"name": "probe", "labels": {"team": "sre"}}
        await bench.core.create_namespaced_config_map("pult", {"metadata": metadata, "data": {"a": "1"}})
        await bench.core.patch_namespaced_config_map("probe", "pult", {"data": {"a": "2"}}, _content_type=MERGE)
        away = {"metadata": {"labels": {"team": "dev"}}}
        await bench.core.patch_namespaced_config_map("probe", "pult", away, _content_type=MERGE)

    async with asyncio.TaskGroup() as group:
        group.create_task(change())
        async for event in stream:
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "DELETED":
                break
    await follower.close()
    assert seen == [("ADDED", "probe"), ("MODIFIED", "probe"), ("DELETED", "probe")]


async def test_a_watch_without_version_starts_with_what_is_there_and_ends_with_a_bookmark(bench: Bench) -> None:
    url = f"{bench.url}/k8s/nyc2/api/v1/nodes?watch=true&allowWatchBookmarks=true&timeoutSeconds=1"
    async with bench.http.get(url) as answer:
        events = [json.loads(line) async for line in answer.content]
    assert [event["type"] for event in events[:3]] == ["ADDED"] * 3
    assert {event["type"] for event in events[3:]} == {"BOOKMARK"}
    assert set(events[-1]["object"]) == {"kind", "apiVersion", "metadata"}
    assert set(events[-1]["object"]["metadata"]) == {"resourceVersion"}


async def test_a_watch_from_a_forgotten_version_is_an_error_object_inside_a_200(bench: Bench) -> None:
    url = f"{bench.url}/k8s/nyc2/api/v1/nodes?watch=true&resourceVersion=7"
    async with bench.http.get(url) as answer:
        assert answer.status == 200
        (event,) = [json.loads(line) async for line in answer.content]
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_logs_can_be_cut_and_stamped(bench: Bench) -> None:
    name = await bench.pod()
    text = await bench.core.read_namespaced_pod_log(name, "production", tail_lines=3, timestamps=True)
    lines = text.splitlines()
    assert len(lines) == 3
    assert all(datetime.fromisoformat(line.split(" ")[0]) for line in lines)
    recent = await bench.core.read_namespaced_pod_log(name, "production", since_seconds=60)
    assert 29 <= len(recent.splitlines()) <= 31


async def test_the_log_of_a_pod_that_never_started_is_400(bench: Bench) -> None:
    image = [
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.example/dept/api@x"}
    ]
    await bench.apps.patch_namespaced_deployment("api", "production", image)
    waiting: list[str] = []
    async with asyncio.timeout(10):
        while not waiting:
            pods = await bench.core.list_namespaced_pod("production", field_selector="status.phase=Pending")
            waiting = [pod.metadata.name for pod in pods.items if pod.status.container_statuses]
    with pytest.raises(ApiException) as caught:
        await bench.core.read_namespaced_pod_log(waiting[0], "production")
    assert caught.value.status == 400
    assert "is waiting to start" in refusal(caught)["message"]


async def test_a_denied_verb_is_403_and_the_access_review_says_so(bench: Bench) -> None:
    async def allowed(verb: str) -> bool:
        attributes = {"verb": verb, "group": "apps", "resource": "deployments", "namespace": "shop"}
        body = {"spec": {"resourceAttributes": attributes}}
        return bool((await bench.review.create_self_subject_access_review(body)).status.allowed)

    assert await allowed("patch")
    bench.cluster.deny("patch", "deployments", group="apps", namespace="shop")
    assert not await allowed("patch")
    assert await allowed("get")
    with pytest.raises(ApiException) as caught:
        await bench.apps.patch_namespaced_deployment("checkout", "shop", {}, _content_type=MERGE)
    assert refusal(caught) == FORBIDDEN


async def test_calls_are_logged_as_rbac_sees_them(bench: Bench) -> None:
    bench.cluster.calls.clear()
    await bench.core.list_namespaced_pod("production")
    await bench.apps.patch_namespaced_deployment_scale("web", "production", {}, _content_type=MERGE)
    seen = [(call.verb, call.group, call.resource, call.namespace) for call in bench.cluster.calls]
    assert seen == [("list", "", "pods", "production"), ("patch", "apps", "deployments/scale", "production")]


async def test_metrics_come_in_nanocores_and_fail_with_their_server(bench: Bench) -> None:
    found = await bench.objects.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", "production", "pods")
    assert len(found["items"]) == 10
    usage = found["items"][0]["containers"][0]["usage"]
    assert usage["cpu"].endswith("n")
    assert usage["memory"].endswith("Ki")
    nodes = await bench.objects.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
    assert len(nodes["items"]) == 3
    bench.cluster.metrics_up = False
    with pytest.raises(ApiException) as caught:
        await bench.objects.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
    assert caught.value.status == 503


async def test_an_overloaded_server_says_when_to_come_back(bench: Bench) -> None:
    bench.world.faults.start("ratelimit", "kubernetes")
    async with bench.http.get(f"{bench.url}/k8s/nyc2/api/v1/nodes") as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert "causes" not in (await answer.json())["details"]


async def test_a_dead_region_drops_connections_and_open_watches(bench: Bench) -> None:
    url = f"{bench.url}/k8s/nyc2/api/v1/nodes?watch=true"
    async with bench.http.get(url) as answer:
        await answer.content.readline()
        bench.world.faults.start("region_down", "nyc2")
        async with asyncio.timeout(10):
            await answer.content.read()
    with pytest.raises(aiohttp.ClientError):
        await bench.get("/api/v1/nodes")
    async with bench.http.get(f"{bench.url}/k8s/sfo3/api/v1/nodes") as answer:
        assert answer.status == 200
