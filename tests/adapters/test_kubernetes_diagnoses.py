"""The Diagnoses port: one suite for the simulator and a real cluster, and scripted answers for what neither does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import found
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.diagnoses import KubernetesDiagnoses
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.services import Environment
from bot.ports.cluster import Workload
from bot.ports.diagnoses import Diagnosis, Health
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.kinds import AUTOSCALER, NODE
from tests.adapters.test_kubernetes_cluster import Bench as Places
from tests.adapters.test_kubernetes_cluster import real, simulated
from tests.adapters.test_kubernetes_trouble import Bench, Script, bench, recorded, settings
from tests.handlers.fakes import FakeClock

__all__ = ["bench"]
API = Environment("production", "nyc2", "production", "deployment", "api")
WORKLOAD = Workload("nyc2", "production", "deployment", "api")
PODS, EVENTS = "/api/v1/namespaces/production/pods", "/api/v1/namespaces/production/events"
DEPLOYMENT = "/apis/apps/v1/namespaces/production/deployments/api"
BUDGETS = "/apis/policy/v1/namespaces/production/poddisruptionbudgets"
SCALERS = "/apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers"
NODES = "/api/v1/nodes"
NOTHING: dict[str, Any] = {"metadata": {}, "items": []}


@pytest.fixture(params=[simulated, real], ids=["simulator", "real"])
async def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Places]:
    async with request.param(tmp_path) as opened:
        await opened.until(lambda rollout: rollout.done)
        yield opened


def of(places: Places) -> tuple[KubernetesDiagnoses, Environment]:
    workload = places.workload
    place = Environment("production", workload.cluster, workload.namespace, workload.kind, workload.name)
    return KubernetesDiagnoses(places.cluster.apis, SystemClock(), places.patience), place


async def test_a_workload_that_is_well_is_one_cohort(somewhere: Places) -> None:
    diagnoses, place = of(somewhere)
    told = await diagnoses.diagnosis(place)
    assert [(each.health, each.trouble, each.killed) for each in told.cohorts] == [(Health.READY, None, None)]
    assert sorted(told.cohorts[0].names) == sorted(pod.name for pod in await somewhere.cluster.pods(somewhere.workload))
    assert (told.versions, told.unread, told.rollout.done) == ((), (), True)


async def test_the_two_versions_of_a_rollout(somewhere: Places) -> None:
    diagnoses, place = of(somewhere)
    before = await somewhere.cluster.rollout(somewhere.workload)
    await somewhere.cluster.set_image(somewhere.workload, somewhere.other, before.template)
    async with asyncio.timeout(somewhere.patience):
        while not (told := await diagnoses.diagnosis(place)).versions:
            await asyncio.sleep(0.005)
    assert {each.new: each.images for each in told.versions} == {True: (somewhere.other,), False: before.images}
    await somewhere.until(lambda rollout: rollout.done)


async def test_a_workload_that_is_not_there_is_named(somewhere: Places) -> None:
    diagnoses, place = of(somewhere)
    missing = Environment("production", place.cluster, place.namespace, "statefulset", "nothing")
    with pytest.raises(UserError, match="There is no statefulset nothing"):
        await diagnoses.diagnosis(missing)


async def until(bench: Bench, seen: Callable[[Diagnosis], bool], place: Environment = API) -> Diagnosis:
    diagnoses = KubernetesDiagnoses(bench.cluster.apis, SystemClock(), 30)
    async with asyncio.timeout(20):
        while not seen(told := await diagnoses.diagnosis(place)):
            await asyncio.sleep(0.02)
    return told


async def test_an_image_that_nobody_has_is_told_with_both_versions(bench: Bench) -> None:
    before = await bench.cluster.rollout(WORKLOAD)
    image = images.image("api", "1.7.2").rpartition("@")[0] + "@sha256:" + "0" * 64
    await bench.cluster.set_image(WORKLOAD, image, before.template)
    told = await until(bench, lambda seen: seen.rollout.stuck is not None and seen.cohorts[0].health is Health.BROKEN)
    worst = told.cohorts[0]
    assert worst.trouble is not None
    assert worst.trouble.plain() == f"its image is not in the registry: {image}"
    assert (worst.details, worst.died) == ((), False)
    assert [(each.new, each.ready) for each in told.versions] == [(True, 0), (False, 3)]


async def test_a_crash_is_told_with_the_pod_whose_last_lines_count(bench: Bench) -> None:
    name = bench.state.crash("nyc2", "production", "api", forever=True)
    told = await until(bench, lambda seen: seen.cohorts[0].health is Health.BROKEN)
    assert (told.cohorts[0].names, told.cohorts[0].died) == ((name,), True)
    assert sum(len(each.names) for each in told.cohorts) == len(told.pods) == 4


async def test_a_node_that_is_cordoned_with_pods_of_it(bench: Bench) -> None:
    store = bench.state.cluster("nyc2").store
    for node in store.all(NODE):
        store.put(NODE, node | {"spec": node["spec"] | {"unschedulable": True}})
    told = await until(bench, lambda seen: len(seen.around) >= 3)
    assert all("is cordoned;" in line.plain() for line in told.around[:3])


async def test_an_autoscaler_at_its_ceiling(bench: Bench) -> None:
    store = bench.state.cluster("nyc2").store
    scaler = store.get(AUTOSCALER, "production", "web")
    store.put(AUTOSCALER, scaler | {"spec": scaler["spec"] | {"minReplicas": 1, "maxReplicas": 2}})
    web = Environment("production", "nyc2", "production", "deployment", "web")
    told = await until(bench, lambda seen: bool(seen.around), web)
    assert [line.plain() for line in told.around] == ["autoscaler web is at its ceiling of 2"]


async def test_what_may_not_be_read_is_said_and_the_rest_counts(bench: Bench) -> None:
    for what in ("horizontalpodautoscalers", "nodes"):
        bench.state.cluster("nyc2").deny("list", what)
    told = await until(bench, lambda seen: seen.cohorts[0].health is Health.READY)
    assert [line.plain() for line in told.unread] == [
        "autoscalers are not known: nyc2 does not allow pult to do this: it may not list "
        "horizontalpodautoscalers.autoscaling in production. No RoleBinding there gives that to pult; "
        "deploy/base/rbac.yaml has the role to bind."
    ], "nodes may be left out on purpose, and all pods have one"


async def test_pods_come_in_pages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "PAGE", 3)
    told = await until(bench, lambda seen: True)
    assert len({pod.name for pod in told.pods}) == 4


@dataclass
class Scripted:
    script: Script
    apis: dict[str, Api]
    clock: FakeClock

    def diagnoses(self, patience: float = 20) -> KubernetesDiagnoses:
        return KubernetesDiagnoses(self.apis, self.clock, patience)

    def around(self, times: int = 1) -> None:
        for _ in range(times):
            for path in (BUDGETS, SCALERS, NODES):
                self.script.add("GET", path, 200, NOTHING)


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[Scripted]:
    script, app = Script(), web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with TestServer(app) as server:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(str(server.make_url("")).rstrip("/"))))
        api = Api(settings(path, timeout=timedelta(seconds=2)))
        yield Scripted(script, {"nyc2": api}, FakeClock())
        await api.close()


def deployment() -> Any:
    obj = recorded("deployment-complete")
    obj["metadata"]["name"] = "api"
    return obj


def page(*pods: Any, token: str = "") -> dict[str, Any]:
    return {"metadata": {"continue": token} if token else {}, "items": list(pods)}


async def test_a_pod_that_no_node_takes_is_held_against_the_nodes(scripted: Scripted) -> None:
    small = {"metadata": {"name": "pool-a-1"}, "status": {"allocatable": {"cpu": "4", "memory": "64Mi"}}}
    roomy = {"metadata": {"name": "pool-a-2"}, "status": {"allocatable": {"cpu": "4", "memory": "1Gi"}}}
    full = {"spec": {"containers": [{"resources": {"requests": {"memory": "1000Mi"}}}]}}
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page(recorded("pod-pending-unschedulable")))
    for path, body in (
        (BUDGETS, NOTHING),
        (SCALERS, NOTHING),
        (NODES, page(small, roomy)),
        ("/api/v1/pods", page(full)),
    ):
        scripted.script.add("GET", path, 200, body)
    told = await scripted.diagnoses().diagnosis(API)
    (cohort,) = told.cohorts
    assert cohort.health is Health.PENDING
    space = "\N{NO-BREAK SPACE}"
    assert [line.plain() for line in cohort.details] == [
        f"pool-a-1: has 64{space}MiB in all of the 128{space}MiB memory that it asks for",
        f"pool-a-2: has 24{space}MiB of 1024{space}MiB memory free, it asks for 128{space}MiB",
    ]
    asked = next(query for _, path, query in scripted.script.asked if path.endswith("/api/v1/pods"))
    assert asked["fieldSelector"].startswith("spec.nodeName=pool-a-2,")


async def test_a_container_killed_for_memory_tells_its_use_where_it_is_measured(scripted: Scripted) -> None:
    metrics = json.loads(json.dumps(recorded("podmetrics-list")["items"][0]))
    metrics["containers"][0]["name"] = "cart"
    name = recorded("pod-oomkilled")["metadata"]["name"]
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page(recorded("pod-oomkilled")))
    scripted.script.add("GET", EVENTS, 200, recorded("event-list"))
    scripted.script.add("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/production/pods/{name}", 200, metrics)
    scripted.around()
    (cohort,) = (await scripted.diagnoses().diagnosis(API)).cohorts
    assert cohort.killed is not None
    assert (cohort.killed.container, cohort.killed.limit) == ("cart", 256 * 2**20)
    assert [line.plain() for line in cohort.details] == [
        "cart uses 128\N{NO-BREAK SPACE}MiB of its 256\N{NO-BREAK SPACE}MiB now"
    ]


@pytest.mark.parametrize("status", [403, 404, 503])
async def test_without_metrics_only_the_limit_is_told(scripted: Scripted, status: int) -> None:
    name = recorded("pod-oomkilled")["metadata"]["name"]
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page(recorded("pod-oomkilled")))
    scripted.script.add("GET", EVENTS, 200, NOTHING)
    scripted.script.add("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/production/pods/{name}", status, {})
    scripted.around()
    told = await scripted.diagnoses().diagnosis(API)
    assert [line.plain() for line in told.cohorts[0].details] == ["the limit of cart is 256\N{NO-BREAK SPACE}MiB"]
    assert told.unread == ()


async def test_a_short_overload_is_waited_out_as_long_as_it_asks(scripted: Scripted) -> None:
    busy = {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "too many requests"}
    scripted.script.add("GET", DEPLOYMENT, 429, busy, **{"Retry-After": "1"})
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page())
    scripted.around()
    before = scripted.clock.now()
    assert (await scripted.diagnoses().diagnosis(API)).pods == ()
    assert scripted.clock.now() - before == timedelta(seconds=1)


@pytest.mark.parametrize(("after", "times"), [({"Retry-After": "30"}, 1), ({}, 1), ({"Retry-After": "2"}, 2)])
async def test_a_long_overload_is_told(scripted: Scripted, after: dict[str, str], times: int) -> None:
    for _ in range(times):
        scripted.script.add("GET", DEPLOYMENT, 429, {"message": "too many requests"}, **after)
    with pytest.raises(RateLimitedError) as caught:
        await scripted.diagnoses().diagnosis(API)
    assert caught.value.said is not None
    assert caught.value.said.plain().startswith("nyc2 is overloaded")
    assert scripted.script.answers["GET", DEPLOYMENT] == []


async def test_a_list_that_expired_begins_anew(scripted: Scripted) -> None:
    one, two = recorded("pod-crashloop"), recorded("pod-oomkilled")
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page(one, token="token-1"))
    scripted.script.add("GET", PODS, 410, recorded("status-410-list"))
    scripted.script.add("GET", PODS, 200, page(one, token="token-2"))
    scripted.script.add("GET", PODS, 200, page(one))
    scripted.script.add("GET", EVENTS, 200, NOTHING)
    scripted.around()
    told = await scripted.diagnoses().diagnosis(API)
    assert len(told.pods) == 2, "what the first try counted does not count"
    assert two["metadata"]["name"] not in {pod.name for pod in told.pods}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (500, {}, TemporaryError, "nyc2 can't answer: its API server says 500"),
        (503, "<html>", TemporaryError, "nyc2 can't answer: its API server says 503"),
        (403, recorded("status-403"), UserError,
         "nyc2 does not allow pult to do this: it may not patch deployments.apps in shop. No RoleBinding there gives "
         "that to pult; deploy/base/rbac.yaml has the role to bind."),
        (403, {"message": 'admission webhook "policy" denied the request: no'}, UserError,
         'nyc2 does not allow pult to do this: admission webhook "policy" denied the request: no'),
        (409, recorded("status-409"), UserError, "Somebody changed it at the same moment in nyc2."),
    ],
)  # fmt: skip
async def test_refusals_are_said(
    scripted: Scripted, status: int, body: Any, error: type[TemporaryError | UserError], said: str
) -> None:
    scripted.script.add("GET", DEPLOYMENT, status, body)
    with pytest.raises(error) as caught:
        await scripted.diagnoses().diagnosis(API)
    told = caught.value.said if isinstance(caught.value, TemporaryError) else caught.value.phrase
    assert told is not None
    assert told.plain() == said


async def test_the_whole_cluster_has_bindings_of_its_own(scripted: Scripted) -> None:
    user = "system:serviceaccount:pult:pult"
    message = f'nodes is forbidden: User "{user}" cannot list resource "nodes" in API group "" at the cluster scope'
    scripted.script.add("GET", DEPLOYMENT, 200, deployment())
    scripted.script.add("GET", PODS, 200, page(recorded("pod-pending-unschedulable")))
    for path, status, body in ((BUDGETS, 200, NOTHING), (SCALERS, 200, NOTHING), (NODES, 403, {"message": message})):
        scripted.script.add("GET", path, status, body)
    told = await scripted.diagnoses().diagnosis(API)
    assert told.cohorts[0].details == ()
    (said,) = told.unread
    assert "it may not list nodes in the whole cluster. No ClusterRoleBinding gives that to pult" in said.plain()


async def test_a_cluster_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async def forever(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forever)
    async with TestServer(app) as server:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(str(server.make_url("")).rstrip("/"))))
        api = Api(ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2"))
        with pytest.raises(TemporaryError) as caught:
            await KubernetesDiagnoses({"nyc2": api}, SystemClock(), 0.1).diagnosis(API)
        await api.close()
    assert caught.value.said is not None
    assert caught.value.said.plain() == "nyc2 does not answer in time"
