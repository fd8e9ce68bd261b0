"""The whole world behind one port: prefixes, the control interface, faults, webhooks."""

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import aiohttp
import pytest

from bot.simulator.digitalocean.state import Cloud
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.kubernetes import images
from bot.simulator.kubernetes.kinds import NODE, SECRET
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from bot.simulator.trouble import surface
from tests.department import until
from tests.simulator.world_parts import Receiver

K8S = {"Authorization": "Bearer sim-k8s-token"}
ALERT = {"alertname": "DiskFull", "service": "worker", "severity": "warning"}


async def call(http: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> tuple[int, Any]:
    async with http.request(method, url, json=body) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/prometheus/-/ready", {}),
        ("/alertmanager/-/ready", {}),
        ("/k8s/nyc2/version", K8S),
        ("/k8s/sfo3/version", K8S),
        ("/github/rate_limit", {"Authorization": "Bearer ghs_sim"}),
        ("/digitalocean/v2/account", {"Authorization": "Bearer dop_v1_sim"}),
        ("/slack/api/api.test", {}),
        ("/telegram/bot424242:SIM/getMe", {}),
        ("/world", {}),
    ],
)
async def test_every_surface_answers_under_its_prefix(
    simulation: Simulation, http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(simulation.url + path, headers=headers) as answer:
        assert answer.status == 200


async def test_the_world_in_one_look(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    status, world = await call(http, "GET", f"{simulation.url}/world")
    assert status == 200
    api = world["services"]["api"]
    assert {region: api["production"][region]["version"] for region in ("nyc2", "sfo3")} == {
        "nyc2": "1.7.2",
        "sfo3": "1.7.2",
    }
    assert api["staging"]["nyc2"]["version"] == "1.8.0"
    assert (api["production"]["nyc2"]["ready"], api["production"]["sfo3"]["ready"]) == (4, 2)
    assert 0 < api["production"]["nyc2"]["error_ratio"] < 0.001
    assert world["traffic"] == "nyc2"
    assert world["database"]["writable"] == ["db-nyc2"]
    assert world["faults"] == []


async def test_faults_are_started_listed_and_cleared(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    url = f"{simulation.url}/world/fault"
    status, made = await call(http, "POST", url, {"fault": "errors", "target": "api", "seconds": 60})
    assert (status, made["fault"], made["value"]) == (200, "errors", 0.08)
    await call(http, "POST", url, {"fault": "region_down", "target": "sfo3"})
    _, listed = await call(http, "GET", url)
    assert [(one["fault"], one["target"], one["until"] is None) for one in listed] == [
        ("errors", "api", False),
        ("region_down", "sfo3", True),
    ]
    _, left = await call(http, "DELETE", f"{url}?fault=errors&target=api")
    assert [one["fault"] for one in left["faults"]] == ["region_down"]
    assert await call(http, "DELETE", url) == (200, {"faults": []})


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("fault", {"fault": "meteor", "target": "api"}, "There is no fault 'meteor'"),
        ("fault", {"fault": "slow", "target": "api"}, "cannot strike 'api'"),
        ("fault", {"fault": "slow", "target": "slack", "seconds": "long"}, "seconds must be a number."),
        ("fault", [], "The body must be a JSON object."),
        ("alert", {"labels": {"service": "api"}}, "at least an alertname"),
        ("alert", {"labels": {"alertname": 7}}, "labels must be an object of texts."),
        ("alert", {"labels": ALERT, "resolve": True}, "No alert with these labels fires."),
        ("release", {"service": "moon", "version": "1"}, "There is no service 'moon'"),
        ("release", {"service": "api", "version": "1", "status": "great"}, "status is one of"),
        ("release", {"service": "api"}, "Give the version"),
        ("target", {"uri": "x"}, "A target has texts only: url"),
        ("github", {"event": "ping"}, "payload, an object"),
    ],
)
async def test_wrong_orders_get_a_sentence(
    simulation: Simulation, http: aiohttp.ClientSession, path: str, body: Any, words: str
) -> None:
    status, answer = await call(http, "POST", f"{simulation.url}/world/{path}", body)
    assert status == 400
    assert words in answer["error"]


async def test_surfaces_fail_as_ordered(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    faults, url = simulation.world.faults, f"{simulation.url}/prometheus/-/ready"
    faults.start("error", "prometheus")
    async with http.get(url) as answer:
        assert (answer.status, await answer.text()) == (503, "Service Unavailable")
    faults.clear()
    faults.start("ratelimit", "prometheus")
    async with http.get(url) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    faults.clear()
    faults.start("drop", "prometheus")
    with pytest.raises(aiohttp.ClientError):
        await http.get(url)
    async with http.get(f"{simulation.url}/alertmanager/-/ready") as answer:
        assert answer.status == 200
    faults.clear()
    faults.start("slow", "prometheus", delay=30)
    with pytest.raises(TimeoutError):
        await http.get(url, timeout=aiohttp.ClientTimeout(total=0.05))


async def test_a_dead_region_does_not_answer(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    simulation.world.faults.start("region_down", "sfo3")
    with pytest.raises(aiohttp.ClientError):
        await http.get(f"{simulation.url}/k8s/sfo3/version", headers=K8S)
    async with http.get(f"{simulation.url}/k8s/nyc2/version", headers=K8S) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/k8s/nyc2/api/v1/pods", "kubernetes"),
        ("/slack/api/chat.postMessage", "slack"),
        ("/slack/_drive/say", None),
        ("/world/fault", None),
        ("/", None),
    ],
)
def test_paths_belong_to_surfaces(path: str, name: str | None) -> None:
    assert surface(path) == name


async def test_an_alert_by_hand_reaches_the_target_and_resolves(
    simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    url = f"{simulation.url}/world/alert"
    body = {"labels": ALERT, "annotations": {"summary": "/var is full"}}
    status, raised = await call(http, "POST", url, body)
    assert (status, raised["status"]) == (200, "firing")

    def about(one: Any) -> Any:
        return json.loads(one.body) if b"DiskFull" in one.body else None

    async with asyncio.timeout(20):
        fired = await receiver.until(about)
        await call(http, "POST", url, {"labels": ALERT, "resolve": True})
        resolved = await receiver.until(lambda one: (found := about(one)) and found["status"] == "resolved" and found)
    assert fired["alerts"][0]["fingerprint"] == raised["fingerprint"]
    assert resolved["commonAnnotations"] == {"summary": "/var is full"}
    assert resolved["alerts"][0]["startsAt"] == fired["alerts"][0]["startsAt"]


async def test_a_dead_region_raises_its_alert(simulation: Simulation, receiver: Receiver) -> None:
    simulation.world.faults.start("region_down", "nyc2")
    async with asyncio.timeout(20):
        await receiver.until(lambda one: b"RegionUnreachable" in one.body and b'"region":"nyc2"' in one.body)


async def test_ci_sends_a_signed_release(
    simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    order = {"service": "api", "version": "1.8.0", "status": "staging", "environment": "staging"}
    status, answer = await call(http, "POST", f"{simulation.url}/world/release", order)
    assert (status, answer["status"]) == (200, 200)
    [one] = [one for one in receiver.got if one.path == "/webhooks/release"]
    stamp = one.headers["X-Pult-Timestamp"]
    want = hmac.new(b"sim-release-secret", stamp.encode() + b"." + one.body, hashlib.sha256).hexdigest()
    assert one.headers["X-Pult-Signature"] == f"sha256={want}"
    notice = json.loads(one.body)
    assert notice["digest"] == "sha256:" + hashlib.sha256(b"api:1.8.0").hexdigest()
    assert notice["image"] == f"registry.example/dept/api@{notice['digest']}"
    assert (notice["status"], notice["environment"]) == ("staging", "staging")


async def test_github_deliveries_are_signed(
    simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    order = {"event": "ping", "payload": {"zen": "Keep it logically awesome."}}
    assert (await call(http, "POST", f"{simulation.url}/world/github", order))[0] == 200
    [one] = [one for one in receiver.got if one.path == "/webhooks/github"]
    want = hmac.new(b"sim-github-secret", one.body, hashlib.sha256).hexdigest()
    assert one.headers["X-Hub-Signature-256"] == f"sha256={want}"
    assert one.headers["X-GitHub-Event"] == "ping"


async def test_the_target_can_be_moved(simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver) -> None:
    target = f"{simulation.url}/world/target"
    await call(http, "POST", target, {"url": f"{receiver.url}/moved/", "release_secret": "other"})
    order = {"service": "api", "version": "1.8.0"}
    assert (await call(http, "POST", f"{simulation.url}/world/release", order))[0] == 200
    assert "/moved/webhooks/release" in {one.path for one in receiver.got}  # alerts may come in between
    await call(http, "POST", target, {"url": ""})
    status, answer = await call(http, "POST", f"{simulation.url}/world/release", order)
    assert (status, answer["error"]) == (502, "There was no answer from the target.")


async def test_two_simulators_do_not_share_a_port(simulation: Simulation) -> None:
    port = int(simulation.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        async with simulator(SimulatorSettings(port=port)):
            pass


@pytest.mark.parametrize("speed", [0, -1])
async def test_time_does_not_stand_still(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        async with simulator(SimulatorSettings(port=0, speed=speed)):
            pass


async def test_a_bad_version_rolled_out_raises_the_alert_and_a_rollback_resolves_it(
    simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    url = f"{simulation.url}/k8s/nyc2/apis/apps/v1/namespaces/production/deployments/api"
    headers = K8S | {"Content-Type": "application/strategic-merge-patch+json"}

    async def roll_out(version: str) -> None:
        container = {"name": "api", "image": images.image("api", version)}
        body = json.dumps({"spec": {"template": {"spec": {"containers": [container]}}}})
        async with http.patch(url, data=body, headers=headers) as answer:
            assert answer.status == 200

    def high(status: str) -> Any:
        return lambda one: b"ApiErrorRateHigh" in one.body and json.loads(one.body)["status"] == status

    async with asyncio.timeout(30):
        await roll_out("1.8.1")
        await receiver.until(high("firing"))
        await roll_out("1.7.2")
        await receiver.until(high("resolved"))


async def test_a_fault_may_strike_a_part_of_a_surface(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    """Such as only the zones of DigitalOcean, with a status of one's own."""
    faults, headers = simulation.world.faults, {"Authorization": f"Bearer {TOKEN}"}

    async def statuses() -> list[int]:
        found = []
        for path in ("/digitalocean/v2/domains", "/digitalocean/v2/databases", "/k8s/nyc2/version"):
            async with http.get(f"{simulation.url}{path}", headers=headers) as answer:
                found.append(answer.status)
        return found

    before = await statuses()
    assert before[:2] == [200, 200]
    faults.start("error", "digitalocean:/domains", value=500)
    assert await statuses() == [500, *before[1:]]
    faults.start("ratelimit", "digitalocean:/databases")
    assert await statuses() == [500, 429, before[2]]
    faults.start("error", "kubernetes:/nyc2")
    assert (await statuses())[2] == 503
    assert faults.stop("error", "digitalocean:/domains")
    assert (await statuses())[0] == 200
    for target in ("digitalocean:domains", "moon:/domains", "digitalocean:"):
        with pytest.raises(ValueError, match="cannot strike"):
            faults.start("error", target)


async def test_pods_read_their_database_when_they_start(simulation: Simulation) -> None:
    """A Secret that changes reaches nobody who runs; the new pods of a restart have it."""
    clusters, cloud = simulation.world.clusters, simulation.world.cloud
    assert isinstance(clusters, Clusters)
    assert isinstance(cloud, Cloud)
    server = clusters.cluster("sfo3")
    before = clusters.databases("sfo3", "production", "api")
    assert set(before) == {"db-nyc2.db.dept.example"}
    assert all(map(cloud.accepts, before))
    secret = server.store.get(SECRET, "production", "api-database")
    url = b"postgresql://api:simulated-db-password@private-db-sfo3.db.dept.example:25060/api"
    server.store.put(SECRET, secret | {"data": {"DATABASE_URL": b64encode(url).decode()}})
    clusters.tick("sfo3", server.now())
    assert clusters.databases("sfo3", "production", "api") == before
    clusters.crash("sfo3", "production", "api")
    host = "private-db-sfo3.db.dept.example"
    await until("the new container does not read it", lambda: _told(clusters, host))
    assert not cloud.accepts(host)
    assert clusters.databases("sfo3", "production", "web") == ()


async def _told(clusters: Clusters, host: str) -> bool:
    return host in clusters.databases("sfo3", "production", "api")


async def test_a_machine_that_the_cloud_starts_becomes_a_node(simulation: Simulation) -> None:
    clusters, cloud = simulation.world.clusters, simulation.world.cloud
    assert isinstance(clusters, Clusters)
    assert isinstance(cloud, Cloud)
    store, now = clusters.cluster("sfo3").store, cloud.now()
    cloud.clusters["k8s-sfo3"].pools[0].resize(4, now, 0, cloud.dice)
    clusters.tick("sfo3", now)
    assert [node["metadata"]["name"] for node in store.all(NODE)] == [
        f"sfo3-pool-a-{number}" for number in (1, 2, 3, 4)
    ]


async def test_the_outside_sees_whoever_dns_points_to(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    cloud, url = simulation.world.cloud, f"{simulation.url}/outside"
    assert isinstance(cloud, Cloud)
    assert await call(http, "GET", f"{url}/api.dept.example/healthz") == (200, {"region": "nyc2", "error": ""})
    assert (await call(http, "GET", f"{url}/shop.dept.example/healthz"))[0] == 404
    simulation.world.faults.start("region_down", "nyc2")
    assert await call(http, "GET", f"{url}/api.dept.example/healthz") == (
        503, {"region": "nyc2", "error": "nobody answers there"},
    )  # fmt: skip
    simulation.world.faults.clear()
    cloud.databases["db-nyc2"].rules[:] = [rule for rule in cloud.databases["db-nyc2"].rules if rule.kind != "k8s"]
    assert cloud.fenced("db-nyc2")
    status, told = await call(http, "GET", f"{url}/api.dept.example/healthz")
    assert (status, told["error"]) == (503, "its database takes no writes")
    assert (await call(http, "GET", f"{url}/web.dept.example/healthz"))[0] == 200, "it has no use for one"
    cloud.records[42] |= {"data": "198.51.100.10"}
    assert (await call(http, "GET", f"{url}/web.dept.example/healthz"))[1]["region"] == "sfo3"
    cloud.records[42] |= {"data": "192.0.2.1"}
    assert (await call(http, "GET", f"{url}/web.dept.example/healthz"))[1]["error"] == "the name leads nowhere"
