"""The Cluster port when the API server refuses, stalls, is away, or can't even be found."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.kubernetes import cluster as adapter
from bot.adapters.kubernetes import conflicts, found
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.errors import DriftError, PermanentError, RateLimitedError, TemporaryError, UserError
from bot.ports.cluster import Workload
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.kinds import DEPLOYMENT
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import free_port

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
API = Workload("nyc2", "production", "deployment", "api")
DEPLOYMENT_PATH = "/apis/apps/v1/namespaces/production/deployments/api"
PODS_PATH = "/api/v1/namespaces/production/pods"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def settings(path: Path, **more: Any) -> ClusterSettings:
    return ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, **{"context": "nyc2", **more})


@dataclass
class Script:
    """Answers in turn, by method and path, and keeps what was asked."""

    answers: dict[tuple[str, str], list[web.Response]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def add(self, method: str, path: str, status: int, body: Any, **headers: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        response = web.Response(status=status, text=text, content_type="application/json", headers=headers)
        self.answers.setdefault((method, path), []).append(response)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, dict(request.query)))
        return self.answers[request.method, request.path.removeprefix("/k8s/nyc2")].pop(0)


@dataclass
class Scripted:
    script: Script
    cluster: KubernetesCluster


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[Scripted]:
    script, app = Script(), web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with TestServer(app) as server:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(str(server.make_url("")).rstrip("/"))))
        async with open_clusters([settings(path, timeout=timedelta(seconds=2))]) as cluster:
            yield Scripted(script, cluster)


@dataclass
class Bench:
    simulation: Simulation
    cluster: KubernetesCluster
    path: Path

    @property
    def state(self) -> Clusters:
        assert isinstance(self.simulation.world.clusters, Clusters)
        return self.simulation.world.clusters


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        async with open_clusters([settings(path)]) as cluster:
            yield Bench(running, cluster, path)


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def deployment(**spec: Any) -> Any:
    obj = recorded("deployment-complete")
    obj["spec"] |= spec
    return obj


async def test_a_missing_permission_is_said_with_its_verb(bench: Bench) -> None:
    bench.state.cluster("nyc2").deny("patch", "deployments")
    with pytest.raises(
        UserError, match=r"it may not patch deployments.apps in production. No RoleBinding there gives that to pult"
    ):
        await bench.cluster.restart(API, "op-1", AT)
    assert not await bench.cluster.may("nyc2", "production", "patch", "apps/deployments")
    assert await bench.cluster.may("nyc2", "production", "get", "apps/deployments")


async def test_a_pod_that_crashes_is_told_as_such(bench: Bench) -> None:
    name = bench.state.crash("nyc2", "production", "api", forever=True)
    async with asyncio.timeout(5):
        while not (trouble := next(pod.trouble for pod in await bench.cluster.pods(API) if pod.name == name)):
            await asyncio.sleep(0.01)
    assert "exit code 1, Error" in trouble.plain()
    pod = next(pod for pod in await bench.cluster.pods(API) if pod.name == name)
    assert pod.restarts > 0


async def test_an_image_that_nobody_has_is_told_by_its_pods(bench: Bench) -> None:
    before = await bench.cluster.rollout(API)
    image = images.image("api", "1.7.2").rpartition("@")[0] + "@sha256:" + "0" * 64
    await bench.cluster.set_image(API, image, before.template)
    async with asyncio.timeout(5):
        while not (stuck := (await bench.cluster.rollout(API)).stuck):
            await asyncio.sleep(0.02)
    assert "timed out progressing" in stuck.plain()
    troubles = {pod.trouble.plain() for pod in await bench.cluster.pods(API) if pod.trouble}
    assert troubles == {f"its image can't be pulled: {image}"}


async def test_a_lost_race_is_run_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's write between our read and our patch: 409, then the template decides."""
    store = bench.state.cluster("nyc2").store
    before, raced = await bench.cluster.rollout(API), []
    read = Workloads._read

    async def racing(self: Workloads, workload: Workload) -> dict[str, Any]:
        obj = await read(self, workload)
        if len(raced) < 2:
            raced.append(obj)
            now = store.get(DEPLOYMENT, "production", "api")
            store.put(DEPLOYMENT, now | {"metadata": now["metadata"] | {"labels": {"touched": str(len(raced))}}})
        return obj

    monkeypatch.setattr(Workloads, "_read", racing)
    await bench.cluster.set_image(API, images.image("api", "1.8.0"), before.template)
    assert len(raced) == 2
    assert (await bench.cluster.rollout(API)).images == (images.image("api", "1.8.0"),)


async def test_races_do_not_go_on_for_ever(scripted: Scripted) -> None:
    for _ in range(conflicts.TRIES):
        scripted.script.add("GET", DEPLOYMENT_PATH, 200, deployment())
        scripted.script.add("PATCH", DEPLOYMENT_PATH, 409, recorded("status-409"))
    template = adapter.judge.template_hash(deployment())
    image = adapter.judge.repository(deployment()["spec"]["template"]["spec"]["containers"][0]["image"]) + ":9"
    with pytest.raises(DriftError, match="changes too fast"):
        await scripted.cluster.set_image(API, image, template)


async def test_pods_come_in_pages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "PAGE", 3)
    calls = bench.state.cluster("nyc2").calls
    calls.clear()
    pods = await bench.cluster.pods(API)
    assert len({pod.name for pod in pods}) == 4
    assert [call.verb for call in calls].count("list") == 2


async def test_a_list_that_expired_begins_anew(scripted: Scripted) -> None:
    def page(name: str, token: str) -> dict[str, Any]:
        pod = {"metadata": {"name": name}, "spec": {}, "status": {}}
        return {"metadata": {"continue": token}, "items": [pod]}

    script = scripted.script
    script.add("GET", DEPLOYMENT_PATH, 200, deployment())
    script.add("GET", PODS_PATH, 200, page("old", "token-1"))
    script.add("GET", PODS_PATH, 410, recorded("status-410-list"))
    script.add("GET", PODS_PATH, 200, page("api-1", "token-2"))
    script.add("GET", PODS_PATH, 200, page("api-2", ""))
    assert [pod.name for pod in await scripted.cluster.pods(API)] == ["api-1", "api-2"]
    assert [query.get("continue") for _, _, query in script.asked[1:]] == [None, "token-1", None, "token-2"]
    assert {query["labelSelector"] for _, _, query in script.asked[1:]} == {"app=checkout"}


async def test_an_endless_expiry_is_temporary(scripted: Scripted) -> None:
    scripted.script.add("GET", DEPLOYMENT_PATH, 200, deployment())
    for _ in range(2):
        scripted.script.add("GET", PODS_PATH, 410, recorded("status-410-list"))
    with pytest.raises(TemporaryError, match="too old"):
        await scripted.cluster.pods(API)


@pytest.mark.parametrize("status", [404, 409])
async def test_a_pod_that_goes_by_itself_meanwhile_is_done(scripted: Scripted, status: int) -> None:
    """409: another has its name by then, and the uid of the precondition is not its own."""
    pod = {"metadata": {"name": "api-1", "uid": "u-1"}, "spec": {}, "status": {}}
    gone = recorded("status-404") | {"code": status, "details": {"name": "api-1", "kind": "pods"}}
    scripted.script.add("GET", DEPLOYMENT_PATH, 200, deployment())
    scripted.script.add("GET", PODS_PATH, 200, {"metadata": {}, "items": [pod]})
    scripted.script.add("DELETE", f"{PODS_PATH}/api-1", status, gone)
    await scripted.cluster.delete_pod(API, "api-1", "u-1")


async def test_a_pod_of_somebody_else_is_not_deleted(bench: Bench) -> None:
    web_pods = await bench.cluster.pods(replace(API, name="web"))
    await bench.cluster.delete_pod(API, web_pods[0].name, web_pods[0].uid)
    assert ("delete", "pods") not in {(call.verb, call.resource) for call in bench.state.cluster("nyc2").calls}


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("status-404", UserError, "There is no deployment chekout in nyc2."),
        ("status-403", UserError, "nyc2 does not allow pult to do this"),
        ("status-409", DriftError, "Somebody changed it at the same moment in nyc2."),
        ("status-410-list", TemporaryError, "too old"),
        ("eviction-429", RateLimitedError, "disruption budget"),
    ],
)
async def test_refusals_as_recorded(scripted: Scripted, case: str, error: type[Exception], said: str) -> None:
    body = recorded(case)
    scripted.script.add("GET", DEPLOYMENT_PATH, body["code"], body)
    with pytest.raises(error, match=said):
        await scripted.cluster.rollout(API)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507])
async def test_a_broken_server_may_recover(scripted: Scripted, status: int) -> None:
    scripted.script.add("GET", DEPLOYMENT_PATH, status, "<html>upstream connect error</html>")
    with pytest.raises(TemporaryError, match=f"nyc2 answers {status}: <html>upstream"):
        await scripted.cluster.rollout(API)


async def test_an_unknown_type_or_path_is_no_missing_object(scripted: Scripted) -> None:
    scripted.script.add("GET", DEPLOYMENT_PATH, 404, "404 page not found")
    with pytest.raises(UserError, match="nyc2 refuses this: 404 page not found"):
        await scripted.cluster.rollout(API)


async def test_an_invalid_change_is_explained(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"nyc2 refuses this: .*must be greater than or equal to 0"):
        await bench.cluster.scaling.scale(API, -1, "op-1")


async def test_an_overloaded_server_names_its_delay(bench: Bench) -> None:
    bench.simulation.world.faults.start("ratelimit", "kubernetes")
    with pytest.raises(RateLimitedError) as caught:
        await bench.cluster.rollout(API)
    assert caught.value.delay == 2


async def test_a_dead_region_does_not_answer(bench: Bench) -> None:
    bench.simulation.world.faults.start("region_down", "nyc2")
    with pytest.raises(TemporaryError, match="nyc2 does not answer"):
        await bench.cluster.version("nyc2")
    bench.simulation.world.faults.clear()
    assert await bench.cluster.version("nyc2")


async def test_a_slow_server_is_given_up(bench: Bench) -> None:
    bench.simulation.world.faults.start("slow", "kubernetes", delay=0.4)
    async with open_clusters([settings(bench.path, timeout=timedelta(milliseconds=100))]) as hasty:
        with pytest.raises(TemporaryError, match="nyc2 does not answer"):
            await hasty.rollout(API)


async def test_nobody_listens(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{free_port()}")))
    async with open_clusters([settings(path)]) as cluster:
        with pytest.raises(TemporaryError, match="nyc2 does not answer"):
            await cluster.rollout(API)


async def test_somebody_listens_who_is_no_web_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{silent.getsockname()[1]}")))
        async with open_clusters([settings(path, timeout=timedelta(seconds=0.2))]) as cluster:
            with pytest.raises(TemporaryError, match="nyc2 does not answer"):
                await cluster.rollout(API)


async def test_a_rotated_token_is_read_again(bench: Bench) -> None:
    good = bench.path.read_text()
    bench.path.write_text(good.replace("sim-k8s-token", "stale-token"))
    async with open_clusters([settings(bench.path)]) as cluster:
        with pytest.raises(UserError, match="nyc2 does not accept pult's credentials: Unauthorized"):
            await cluster.rollout(API)
        bench.path.write_text(good)
        assert (await cluster.rollout(API)).done


NO_USE = r"^cluster nyc2: can't use the kubeconfig "


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("current-context: [", "not a valid kubeconfig"),
        ("just words", "not a valid kubeconfig"),
        ("", "not a valid kubeconfig"),
        ("{}", "Invalid kube-config"),
        (yaml.safe_dump(kubeconfig("http://127.0.0.1:1") | {"contexts": []}), "nyc2"),
    ],
)
async def test_a_bad_kubeconfig_is_said(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    async with open_clusters([settings(path)]) as cluster:
        with pytest.raises(PermanentError, match=NO_USE + f".*{why}"):
            await cluster.rollout(API)


async def test_a_missing_kubeconfig_is_said(tmp_path: Path) -> None:
    async with open_clusters([settings(tmp_path / "nowhere")]) as cluster:
        with pytest.raises(PermanentError, match=NO_USE + ".*nowhere"):
            await cluster.version("nyc2")


SECRET = "c2VjcmV0LWtleS1vZi10aGUtY2x1c3Rlcg"
HALF = kubeconfig("http://127.0.0.1:1") | {"users": [{"name": "pult", "token": SECRET}]}


@pytest.mark.parametrize("text", [f"users:\n- user: {{token: [{SECRET}\n", yaml.safe_dump(HALF)])
async def test_a_kubeconfig_never_shows_its_keys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    async with open_clusters([settings(path)]) as cluster:
        with pytest.raises(PermanentError, match=NO_USE) as caught:
            await cluster.rollout(API)
    assert SECRET not in str(caught.value)


async def test_outside_of_a_cluster_there_is_no_service_account() -> None:
    async with open_clusters([ClusterSettings(name="nyc2", region="nyc2")]) as cluster:
        with pytest.raises(PermanentError, match="can't use the service account"):
            await cluster.rollout(API)


async def test_a_program_for_credentials_has_a_deadline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubeconfig may name a program that fetches a token, and that program may hang."""

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("kubernetes.aio.config.load_kube_config", hang)
    async with open_clusters([settings(bench.path, timeout=timedelta(milliseconds=50))]) as cluster:
        with pytest.raises(TemporaryError, match="credentials did not come in time"):
            await cluster.rollout(API)
