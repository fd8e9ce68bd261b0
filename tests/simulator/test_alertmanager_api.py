"""Alertmanager's API v2: the answers and errors recorded from a live 0.25."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.simulator import alertmanager
from bot.simulator.alertmanager import Manager
from bot.simulator.alertmanager.alerts import fingerprint
from bot.simulator.settings import Target
from bot.simulator.webhooks import Outbound
from bot.simulator.world import World
from tests.simulator.world_parts import HandClock, Receiver

LABELS = {"alertname": "ApiErrorRateHigh", "service": "api", "region": "nyc2", "severity": "critical"}


@dataclass
class Bench:
    manager: Manager
    clock: HandClock
    http: aiohttp.ClientSession
    url: str

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, bytes]:
        async with self.http.request(method, f"{self.url}/api/v2/{path}", json=body, **more) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str, **params: Any) -> Any:
        async with self.http.get(f"{self.url}/api/v2/{path}", params=params) as answer:
            assert answer.status == 200
            return await answer.json()

    async def silence(self, **changed: Any) -> tuple[int, Any]:
        now = self.clock.now()
        body = {
            "matchers": [{"name": "service", "value": "api", "isRegex": False}],
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "pult",
            "comment": "deploy in progress",
        } | changed
        url = f"{self.url}/api/v2/silences"
        async with self.http.post(url, json={key: value for key, value in body.items() if value}) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def bench(
    world: World, clock: HandClock, http: aiohttp.ClientSession, receiver: Receiver
) -> AsyncIterator[Bench]:
    manager = Manager(world, Outbound(world, http, Target(receiver.url)))
    async with TestServer(alertmanager.application(manager)) as server:
        yield Bench(manager, clock, http, str(server.make_url("")).rstrip("/"))


async def test_an_alert_as_the_api_shows_it(bench: Bench) -> None:
    bench.manager.by_hand(LABELS, {"summary": "1 < 2 & 3"}, resolve=False)
    _, raw = await bench.call("GET", "alerts")
    assert raw.endswith(b"}]\n")
    assert rb"1 \u003c 2 \u0026 3" in raw
    [alert] = await bench.get("alerts")
    assert alert["status"] == {"inhibitedBy": [], "silencedBy": [], "state": "active"}
    assert alert["receivers"] == [{"name": "pult"}]
    assert alert["startsAt"] == "2026-11-24T14:00:00.000Z"
    assert alert["endsAt"] > alert["startsAt"]
    assert alert["labels"] == LABELS


def test_fingerprints_are_prometheus_own() -> None:
    # fixtures/alertmanager/firing-single
    labels = {
        "alertname": "HighErrorRate",
        "cluster": "shop-prod",
        "instance": "10.20.0.11:9100",
        "job": "shop",
        "namespace": "shop",
        "replica": "a",
        "service": "checkout",
        "severity": "critical",
        "team": "backend",
    }
    assert fingerprint(labels) == "3f144873e271b759"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], 2),
        (['service="api"'], 1),
        (["service=api"], 1),
        (['alertname=~"Api.*|Web.*"'], 2),
        (['service!="api"'], 1),
        (['service!~"a.*"', 'severity="warning"'], 1),
        (['team=""'], 2),
        (['service="api"', 'service="web"'], 0),
    ],
)
async def test_filters(bench: Bench, filters: list[str], found: int) -> None:
    bench.manager.by_hand(LABELS, {}, resolve=False)
    web = {"alertname": "WebLatencyHigh", "service": "web", "severity": "warning"}
    bench.manager.by_hand(web, {}, resolve=False)
    assert len(await bench.get("alerts", filter=filters)) == found


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('alertname=~"("', b'"error parsing regexp: missing closing ): `^(?:()$`"\n'),
        ("alertname", b'"bad matcher format: alertname"\n'),
    ],
)
async def test_a_bad_filter_gets_a_bare_string(bench: Bench, text: str, answer: bytes) -> None:
    assert await bench.call("GET", "alerts", params={"filter": text}) == (400, answer)


async def test_switches_and_receivers(bench: Bench) -> None:
    bench.manager.by_hand(LABELS, {}, resolve=False)
    assert len(await bench.get("alerts", active="true")) == 1
    assert await bench.get("alerts", active="maybe") == []
    assert await bench.get("alerts", receiver="other") == []
    await bench.silence()
    [alert] = await bench.get("alerts")
    assert alert["status"]["state"] == "suppressed"
    assert await bench.get("alerts", silenced="false") == []
    assert len(await bench.get("alerts", active="false")) == 1


async def test_groups_are_by_name_and_service(bench: Bench) -> None:
    for region in ("nyc2", "sfo3"):
        bench.manager.by_hand(LABELS | {"region": region}, {}, resolve=False)
    [group] = await bench.get("alerts/groups")
    assert group["labels"] == {"alertname": "ApiErrorRateHigh", "service": "api"}
    assert group["receiver"] == {"name": "pult"}
    assert len(group["alerts"]) == 2


async def test_posted_alerts_fire_until_they_end(bench: Bench) -> None:
    posted = [{"labels": LABELS | {"empty": ""}, "startsAt": "2026-11-24T16:59:00+03:00", "generatorURL": "http://g"}]
    assert await bench.call("POST", "alerts", posted) == (200, b"")
    [alert] = await bench.get("alerts")
    assert (alert["startsAt"], alert["labels"]) == ("2026-11-24T16:59:00.000+03:00", LABELS)
    bench.clock.move(minutes=5)
    assert await bench.get("alerts") == []


@pytest.mark.parametrize(
    ("posted", "status", "words"),
    [
        ([{}], 422, b'{"code":602,"message":"0.labels in body is required"}'),
        ([{"labels": {"a-b": "c"}}], 400, b'"invalid label set: invalid name \\"a-b\\""\n'),
        ({"labels": {}}, 400, b'"code":400'),
        ([{"labels": LABELS, "startsAt": "noon"}], 400, b'"code":400'),
    ],
)
async def test_malformed_alerts(bench: Bench, posted: Any, status: int, words: bytes) -> None:
    answered, body = await bench.call("POST", "alerts", posted)
    assert answered == status
    assert words in body


async def test_a_silence_lives(bench: Bench) -> None:
    bench.manager.by_hand(LABELS, {}, resolve=False)
    status, made = await bench.silence()
    assert (status, list(made)) == (200, ["silenceID"])
    ident = made["silenceID"]
    assert str(uuid.UUID(ident)) == ident
    shown = await bench.get(f"silence/{ident}")
    assert shown == {
        "id": ident,
        "status": {"state": "active"},
        "updatedAt": "2026-11-24T14:00:00.000Z",
        "comment": "deploy in progress",
        "createdBy": "pult",
        "endsAt": "2026-11-24T15:00:00.000Z",
        "matchers": [{"isEqual": True, "isRegex": False, "name": "service", "value": "api"}],
        "startsAt": "2026-11-24T14:00:00.000Z",
    }
    assert (await bench.get("alerts"))[0]["status"]["silencedBy"] == [ident]
    assert await bench.call("DELETE", f"silence/{ident}") == (200, b"")
    assert await bench.call("DELETE", f"silence/{ident}") == (200, b"")
    assert (await bench.get("alerts"))[0]["status"]["silencedBy"] == []
    assert (await bench.get(f"silence/{ident}"))["status"] == {"state": "expired"}


async def test_active_pending_and_expired_silences_come_together(bench: Bench) -> None:
    now = bench.clock.now()
    _, gone = await bench.silence()
    await bench.call("DELETE", f"silence/{gone['silenceID']}")
    await bench.silence(startsAt=(now + timedelta(minutes=9)).isoformat())
    await bench.silence(matchers=[{"name": "service", "value": "web", "isRegex": False}])
    states = [one["status"]["state"] for one in await bench.get("silences")]
    assert states == ["active", "pending", "expired"]
    assert len(await bench.get("silences", filter='service="web"')) == 1


async def test_changing_a_silence_keeps_its_id_unless_its_matchers_change(bench: Bench) -> None:
    _, made = await bench.silence()
    _, same = await bench.silence(id=made["silenceID"], comment="longer")
    assert same == made
    other = [{"name": "service", "value": "a.*", "isRegex": True, "isEqual": True}]
    _, changed = await bench.silence(id=made["silenceID"], matchers=other)
    assert changed != made
    states = {one["id"]: one["status"]["state"] for one in await bench.get("silences")}
    assert states == {made["silenceID"]: "expired", changed["silenceID"]: "active"}


@pytest.mark.parametrize(
    ("changed", "status", "answer"),
    [
        ({"comment": None}, 422, {"code": 602, "message": "comment in body is required"}),
        ({"createdBy": ""}, 422, {"code": 602, "message": "createdBy in body is required"}),
        (
            {"endsAt": "2026-11-24T13:00:00Z"},
            400,
            "Failed to create silence: start time must be before end time",
        ),
        (
            {"startsAt": "2026-11-24T12:00:00Z", "endsAt": "2026-11-24T13:00:00Z"},
            400,
            "Failed to create silence: end time can't be in the past",
        ),
        ({"id": "7b5f8a1e-0000-4000-8000-000000000000"}, 404, "silence not found"),
        (
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
        (
            {"matchers": [{"name": "a", "value": "b"}]},
            422,
            {"code": 602, "message": "matchers.0.isRegex in body is required"},
        ),
    ],
)
async def test_refused_silences(bench: Bench, changed: dict[str, Any], status: int, answer: Any) -> None:
    assert await bench.silence(**changed) == (status, answer)
    assert await bench.get("silences") == []


async def test_malformed_bodies(bench: Bench) -> None:
    url = f"{bench.url}/api/v2/silences"
    empty = {"matchers": [], "startsAt": "x", "endsAt": "x", "createdBy": "x", "comment": "x"}
    assert await bench.call("POST", "silences", empty) == (
        422,
        b'{"code":612,"message":"matchers in body should have at least 1 items"}',
    )
    async with bench.http.post(url, data=b'{"matchers": [', headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert await answer.read() == (
            rb'{"code":400,"message":"parsing silence body from \"\" failed, because unexpected EOF"}'
        )
    async with bench.http.post(url, data=b"{}", headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
        assert await answer.json() == {
            "code": 415,
            "message": 'unsupported media type "text/plain", only [application/json] are allowed',
        }


async def test_unknown_and_malformed_ids(bench: Bench) -> None:
    assert await bench.call("GET", f"silence/{uuid.uuid4()}") == (404, b"")
    status, body = await bench.call("GET", "silence/first")
    assert (status, b'"code":601' in body) == (422, True)


async def test_status_and_receivers(bench: Bench) -> None:
    status = await bench.get("status")
    assert status["cluster"] == {"peers": [], "status": "disabled"}
    assert status["versionInfo"]["version"] == "0.25.0"
    assert "receiver: pult" in status["config"]["original"]
    assert await bench.get("receivers") == [{"name": "pult"}]
    # Models without an `allOf` are written without HTML escapes: fixtures/alertmanager-api/status.
    assert b"url: <secret>" in (await bench.call("GET", "status"))[1]
