"""Lists and watches over the wire: a server that follows a script, and the simulator with its faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import lines, watch
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.watch import KubernetesFeed, feeds
from bot.domain.errors import TemporaryError, UserError
from bot.domain.sights import Kind, Owner, Place
from bot.domain.trouble import Limits, Trouble
from bot.domain.watched import ALWAYS
from bot.engine.watching import Watches
from bot.ports.watching import AbsentError, Change, StaleError, State
from bot.simulator.kubernetes import kubeconfig, pods
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import CERTIFICATE, DEPLOYMENT, JOB, POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings

PLACE = Place("nyc2", "production", Kind.POD)
MADE = "2026-11-24T12:00:00Z"
Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


def thing(name: str, version: int, **more: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": name, "resourceVersion": str(version), "creationTimestamp": MADE, **more}
    return {"metadata": meta, "status": {"phase": "Running"}}


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def gone() -> dict[str, Any]:
    return {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 7 (900)"}


@asynccontextmanager
async def scripted(folder: Path, script: Script, place: Place = PLACE) -> AsyncIterator[KubernetesFeed]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await script(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app) as server:
        config = kubeconfig("http://unused")
        config["clusters"][0]["cluster"]["server"] = str(server.make_url("")).rstrip("/")
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        api = Api(ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2"))
        try:
            yield KubernetesFeed(api, place)
        finally:
            await api.close()


async def streamed(request: web.Request, *parts: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for part in parts:
        await response.write(part)
        await asyncio.sleep(0.01)
    return response


async def taken(feed: KubernetesFeed, version: str = "7") -> list[Change]:
    return [change async for changes in feed.changes(version) for change in changes]


async def test_what_is_asked_for(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    async def script(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.query))
        if "watch" in request.query:
            return await streamed(request)
        rest = {} if "continue" in request.query else {"continue": "t0"}
        return web.json_response({"metadata": {"resourceVersion": "7", **rest}, "items": [thing("a", 3)]})

    async with scripted(tmp_path, script) as feed:
        first = await feed.page("")
        last = await feed.page(first.rest)
        assert (first.rest, last.rest, last.version, list(last.sights)) == ("t0", "", "7", ["a"])
        assert await taken(feed) == []
    assert asked[:2] == [{"limit": "100"}, {"limit": "100", "continue": "t0"}]
    seconds = asked[2].pop("timeoutSeconds")
    assert 240 <= int(seconds) <= 480
    assert asked[2] == {"watch": "true", "resourceVersion": "7", "allowWatchBookmarks": "true"}


async def _into(found: list[str], feed: KubernetesFeed) -> None:
    async for changes in feed.changes("7"):
        found += [each.name for each in changes] or ["quiet"]


async def test_changes_deletions_and_bookmarks(tmp_path: Path) -> None:
    parts = [
        event("ADDED", thing("a", 8)) + event("MODIFIED", thing("a", 9)),
        event("DELETED", thing("a", 10)) + event("BOOKMARK", {"metadata": {"resourceVersion": "99"}}),
    ]
    async with scripted(tmp_path, lambda request: streamed(request, *parts)) as feed:
        found = await taken(feed)
    assert [(each.version, each.name, each.sight is not None) for each in found] == [
        ("8", "a", True), ("9", "a", True), ("10", "a", False), ("99", "", False)
    ]  # fmt: skip


async def test_lines_come_in_any_pieces_and_any_length(tmp_path: Path) -> None:
    whole = event("ADDED", thing("a", 8, annotations={"big": "x" * 1_400_000})) + event("ADDED", thing("b", 9))
    parts = [whole[:7], whole[7:100_000], whole[100_000:-5], whole[-5:]]
    async with scripted(tmp_path, lambda request: streamed(request, *parts)) as feed:
        assert [each.name for each in await taken(feed)] == ["a", "b"]


async def test_half_a_line_before_a_break_is_not_believed(tmp_path: Path) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, event("ADDED", thing("a", 8)) + event("ADDED", thing("b", 9))[:-20])
        assert request.transport is not None
        request.transport.abort()
        return response

    found: list[str] = []
    async with scripted(tmp_path, script) as feed:
        with pytest.raises(TemporaryError, match="broke off"):
            await _into(found, feed)
    assert found == ["a"]


@pytest.mark.parametrize("how", ["http", "event"])
async def test_a_version_that_is_too_old(tmp_path: Path, how: str) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        if how == "http":
            return web.json_response(gone(), status=410)
        return await streamed(request, event("ERROR", gone()))

    async with scripted(tmp_path, script) as feed:
        with pytest.raises(StaleError):
            await taken(feed)


async def test_a_list_that_expired_half_way(tmp_path: Path) -> None:
    async def script(_: web.Request) -> web.StreamResponse:
        return web.json_response(gone(), status=410)

    async with scripted(tmp_path, script) as feed:
        with pytest.raises(StaleError):
            await feed.page("token")


async def test_another_error_in_the_stream_is_temporary(tmp_path: Path) -> None:
    status = {"kind": "Status", "code": 500, "message": "etcdserver: request timed out"}
    async with scripted(tmp_path, lambda request: streamed(request, event("ERROR", status))) as feed:
        with pytest.raises(TemporaryError, match="etcdserver"):
            await taken(feed)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"message": 'pods is forbidden: cannot watch resource "pods"'}, UserError),
        (404, {"message": "the server could not find the requested resource", "details": {}}, AbsentError),
        (429, {"message": "too many requests"}, TemporaryError),
        (503, {"message": "unavailable"}, TemporaryError),
    ],
)
async def test_refusals(tmp_path: Path, status: int, body: dict[str, Any], error: type[Exception]) -> None:
    async def script(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    async with scripted(tmp_path, script) as feed:
        with pytest.raises(error):
            await feed.page("")
        if error is not AbsentError:
            with pytest.raises(error):
                await taken(feed)


async def test_new_credentials_are_read_again(tmp_path: Path) -> None:
    """Of a watch the next one has them: the list before it would say so if they were wrong."""
    tokens: list[str] = []

    async def script(request: web.Request) -> web.StreamResponse:
        tokens.append(request.headers["Authorization"])
        if len(tokens) == 1:
            path = tmp_path / "kubeconfig"
            path.write_text(path.read_text().replace("sim-k8s-token", "rotated"))
            return web.json_response({}, status=401)
        return await streamed(request, event("ADDED", thing("a", 8)))

    async with scripted(tmp_path, script) as feed:
        with pytest.raises(TemporaryError, match="credentials"):
            await taken(feed)
        assert len(await taken(feed)) == 1
    assert tokens == ["Bearer sim-k8s-token", "Bearer rotated"]


async def test_silence_is_a_dead_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "QUIET", 0.05)
    monkeypatch.setattr(watch, "SILENCE", 0.3)

    async def script(request: web.Request) -> web.StreamResponse:
        response = await streamed(request)
        await asyncio.sleep(20)
        return response

    found: list[str] = []
    async with scripted(tmp_path, script) as feed:
        with pytest.raises(TemporaryError, match="broke off"):
            await _into(found, feed)
    assert found == ["quiet"], "that it stands, with no news, is said once"


async def test_an_odd_object_blinds_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = thing("odd", 8) | {"status": {"phase": "Pending", "containerStatuses": [7]}}
    parts = [event("ADDED", odd), event("ADDED", thing("a", 9))]
    async with scripted(tmp_path, lambda request: streamed(request, *parts)) as feed:
        assert [(each.version, each.name) for each in await taken(feed)] == [("8", ""), ("9", "a")]
    assert "can't be read" in caplog.text


# --- the simulator ---


class Sky:
    """The simulated clusters, watched."""

    def __init__(self, simulation: Simulation, watches: Watches) -> None:
        self.simulation, self.watches = simulation, watches
        clusters = simulation.world.clusters
        assert isinstance(clusters, Clusters)
        self.clusters = clusters

    @property
    def cluster(self) -> Cluster:
        return self.clusters.cluster("nyc2")

    def findings(self, firm: bool = True) -> set[tuple[str, Trouble, Owner]]:
        seen = self.watches.seen()
        return {
            (place.cluster, each.trouble, each.owner)
            for place, one in seen.items()
            for each in one.findings
            if each.firm is firm
        }

    def state(self, kind: Kind = Kind.POD, cluster: str = "nyc2") -> State:
        return self.watches.seen()[Place(cluster, "production", kind)].state

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not what():
                await asyncio.sleep(0.02)


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncIterator[Sky]:
    async with simulator(SimulatorSettings(port=0, speed=60)) as simulation:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(simulation.url)))
        apis = {
            name: Api(ClusterSettings(name=name, region=name, kubeconfig=path, context=name))
            for name in ("nyc2", "sfo3")
        }
        places = [Place(name, "production", kind) for name in apis for kind in (*ALWAYS, Kind.ROLLOUT)]
        watches = Watches(feeds(apis, places), Limits(), SystemClock())
        task = asyncio.create_task(watches.run())
        found = Sky(simulation, watches)
        try:
            await found.until(lambda: all(one.state is State.LIVE for one in watches.seen().values()))
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})
            for api in apis.values():
                with suppress(TemporaryError):
                    await api.close()


API = Owner("deployment", "api")


async def test_a_department_at_rest_has_no_trouble(sky: Sky) -> None:
    assert sky.findings() | sky.findings(firm=False) == set()


async def test_each_trouble_is_seen_within_seconds(sky: Sky) -> None:
    store, now = sky.cluster.store, sky.cluster.now()
    sky.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    for _ in range(6):
        sky.clusters.crash("nyc2", "production", "web")
    web_bad = store.get(DEPLOYMENT, "production", "worker")
    spec = json.loads(json.dumps(web_bad["spec"]))
    spec["template"]["spec"]["containers"][0]["image"] = "registry.example/nothing:0"
    store.put(DEPLOYMENT, web_bad | {"spec": spec})
    condition = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    job = {"metadata": {"name": "migrate", "namespace": "production"}, "spec": {}}
    store.create(JOB, job | {"status": {"conditions": [condition]}}, now)
    ends = (now.replace(microsecond=0)).isoformat()
    certificate = {"metadata": {"name": "web", "namespace": "production"}, "spec": {}, "status": {"notAfter": ends}}
    store.create(CERTIFICATE, certificate, now)
    expected = {
        ("nyc2", Trouble.MEMORY, API),
        ("nyc2", Trouble.RESTARTS, Owner("deployment", "web")),
        ("nyc2", Trouble.IMAGES, Owner("deployment", "worker")),
        ("nyc2", Trouble.JOBS, Owner("job", "migrate")),
        ("nyc2", Trouble.CERTIFICATES, Owner("certificate", "web")),
    }
    await sky.until(lambda: expected <= sky.findings())
    store.remove(JOB, "production", "migrate")
    await sky.until(lambda: ("nyc2", Trouble.JOBS, Owner("job", "migrate")) not in sky.findings())


async def test_what_happened_in_a_gap_is_found_by_the_next_list(sky: Sky) -> None:
    """The connection drops, the journal is compacted meanwhile: 410, and a new list."""
    lists = sum(call.verb == "list" and call.resource == "pods" for call in sky.cluster.calls)
    sky.simulation.world.faults.start("region_down", "nyc2")
    await sky.until(lambda: sky.state() is State.UNKNOWN)
    name = sky.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    sky.cluster.store.compact()
    sky.simulation.world.faults.clear()
    await sky.until(lambda: ("nyc2", Trouble.MEMORY, API) in sky.findings())
    assert sum(call.verb == "list" and call.resource == "pods" for call in sky.cluster.calls) > lists
    pods.stop(sky.cluster, sky.cluster.store.get(POD, "production", name), sky.cluster.now())
    await sky.until(lambda: ("nyc2", Trouble.MEMORY, API) not in sky.findings())


async def test_a_region_that_is_down_is_unknown_and_the_other_is_not(sky: Sky) -> None:
    sky.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    await sky.until(lambda: ("nyc2", Trouble.MEMORY, API) in sky.findings())
    sky.simulation.world.faults.start("region_down", "nyc2")
    await sky.until(lambda: sky.state() is State.UNKNOWN)
    assert sky.state(cluster="sfo3") is State.LIVE
    assert all(cluster != "nyc2" or sky.state() is State.LIVE for cluster, _, _ in sky.findings())
    sky.simulation.world.faults.clear()
    await sky.until(lambda: sky.state() is State.LIVE)
    assert ("nyc2", Trouble.MEMORY, API) in sky.findings()


async def test_a_slow_server_is_waited_for(sky: Sky) -> None:
    sky.simulation.world.faults.start("slow", "kubernetes", delay=1.0)
    sky.simulation.world.faults.start("region_down", "nyc2")
    await sky.until(lambda: sky.state() is State.UNKNOWN)
    sky.simulation.world.faults.stop("region_down", "nyc2")
    sky.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    await sky.until(lambda: ("nyc2", Trouble.MEMORY, API) in sky.findings())


async def test_what_rbac_forbids_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with simulator(SimulatorSettings(port=0, speed=60)) as simulation:
        clusters = simulation.world.clusters
        assert isinstance(clusters, Clusters)
        clusters.cluster("nyc2").deny("watch", "pods")
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(simulation.url)))
        api = Api(ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2"))
        places = [PLACE, PLACE._replace(kind=Kind.DEPLOYMENT)]
        watches = Watches(feeds({"nyc2": api}, places), Limits(), SystemClock())
        task = asyncio.create_task(watches.run())
        async with asyncio.timeout(20):
            while {State.REFUSED, State.LIVE} != {one.state for one in watches.seen().values()}:
                await asyncio.sleep(0.02)
        assert "it may not watch pods in production" in watches.seen()[PLACE].why.plain()
        task.cancel()
        await asyncio.wait({task})
        await api.close()
