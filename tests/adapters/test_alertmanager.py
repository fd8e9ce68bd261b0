"""The Silencer port: one suite for a real Alertmanager and the simulator, then recorded answers, then trouble."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.adapters.alertmanager.silencer import AlertmanagerSilencer, open_silencer
from bot.domain.errors import AmbiguousError, TemporaryError, UserError
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import Program, alertmanager, free_port

CASES = Path(__file__).parents[1] / "fixtures" / "alertmanager-api"
CONFIG = "route: {receiver: pult}\nreceivers: [{name: pult}]\n"
UNKNOWN = "11111111-1111-4111-8111-111111111111"


def settings(*urls: str, **more: Any) -> AlertmanagerSettings:
    return AlertmanagerSettings(urls=urls, **more)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG) as program:
        yield program


@dataclass
class Bench:
    """One Alertmanager, and a hand that raises alerts in it."""

    url: str
    silencer: AlertmanagerSilencer
    http: aiohttp.ClientSession

    async def fire(self, **labels: str) -> None:
        alert = {"labels": labels, "annotations": {"summary": "5 % of requests fail"}, "generatorURL": "http://prom/g"}
        async with self.http.post(f"{self.url}/api/v2/alerts", json=[alert]) as answer:
            assert answer.status == 200

    async def held(self, name: str) -> Any:
        """The one alert of this name, once Alertmanager shows it."""
        async with asyncio.timeout(5):
            while True:
                told = await self.silencer.testimonies()
                held = [(group, each) for one in told for group in one.groups for each in group.alerts]
                found = [(group, each) for group, each in held if each.alert.labels["alertname"] == name]
                if found:
                    return found[0][1]
                await asyncio.sleep(0.02)

    async def silences(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/v2/silences") as answer:
            return {silence["id"]: silence for silence in await answer.json()}


@asynccontextmanager
async def somewhere(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "real":
        program: Program = request.getfixturevalue("real")
        yield program.url
        return
    async with simulator(SimulatorSettings(port=0)) as running:
        yield f"{running.url}/alertmanager"


@pytest.fixture(params=["real", "simulator"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with somewhere(request) as url, open_silencer(settings(url)) as silencer, aiohttp.ClientSession() as http:
        yield Bench(url, silencer, http)


async def test_an_alert_is_read_whole(bench: Bench) -> None:
    await bench.fire(alertname="Whole", service="api", severity="critical")
    found = await bench.held("Whole")
    assert found.silenced_by == ()
    alert = found.alert
    assert alert.firing  # the API puts endsAt into the future; that is no end
    assert dict(alert.labels) == {"alertname": "Whole", "service": "api", "severity": "critical"}
    assert dict(alert.annotations) == {"summary": "5 % of requests fail"}
    assert alert.url == "http://prom/g"
    assert abs(alert.starts_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert alert.fingerprint


async def test_a_silence_holds_and_ends(bench: Bench) -> None:
    await bench.fire(alertname="Held", service="api")
    await bench.fire(alertname="Loud", service="bots")
    ident = await bench.silencer.silence(
        equals({"alertname": "Held", "service": "api"}), later(), "anna", "looking into it"
    )
    async with asyncio.timeout(5):
        while (await bench.held("Held")).silenced_by != (ident,):
            await asyncio.sleep(0.02)
    assert (await bench.held("Loud")).silenced_by == ()
    await bench.silencer.end(ident)
    async with asyncio.timeout(5):
        while (await bench.held("Held")).silenced_by:
            await asyncio.sleep(0.02)


async def test_a_silence_says_who_why_and_until_when(bench: Bench) -> None:
    until = later().astimezone(tz=None)
    labels = {"alertname": "Ö «x»", "path": 'C:\\a.b*"c"'}
    ident = await bench.silencer.silence(equals(labels), until, "Anna Иванова", "разбираюсь")
    silence = (await bench.silences())[ident]
    assert (silence["createdBy"], silence["comment"]) == ("Anna Иванова", "разбираюсь")
    assert silence["status"]["state"] == "active"
    assert {one["name"]: (one["value"], one["isRegex"], one["isEqual"]) for one in silence["matchers"]} == {
        name: (value, False, True) for name, value in labels.items()
    }
    assert abs(datetime.fromisoformat(silence["endsAt"]) - until) < timedelta(seconds=1)


async def test_a_silence_is_ended_twice(bench: Bench) -> None:
    ident = await bench.silencer.silence(equals({"alertname": "Twice"}), later(), "anna", "x")
    await bench.silencer.end(ident)
    await bench.silencer.end(ident)
    assert (await bench.silences())[ident]["status"]["state"] == "expired"


async def test_a_silence_that_nobody_remembers_is_ended(bench: Bench) -> None:
    await bench.silencer.end(UNKNOWN)


async def test_an_id_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"Alertmanager refuses this: 422 .*uuid"):
        await bench.silencer.end("a-7k2f")


async def test_a_silence_in_the_past_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"Alertmanager refuses this: 400 .*past"):
        await bench.silencer.silence({"alertname": "X"}, datetime.now(UTC) - timedelta(hours=1), "anna", "x")


async def test_a_silence_of_everything_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"Alertmanager refuses this: 4.. "):
        await bench.silencer.silence({}, later(), "anna", "x")


async def test_it_says_who_answers(bench: Bench) -> None:
    assert re.fullmatch(r"Alertmanager \d+\.\d+\.\d+ answers", await bench.silencer.check())


async def test_the_second_member_is_asked_when_the_first_is_down(bench: Bench) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    async with open_silencer(settings(down, bench.url)) as silencer:
        ident = await silencer.silence({"alertname": "Second"}, later(), "anna", "x")
        assert ident in await bench.silences()
        await silencer.alerts()
        await silencer.end(ident)
    assert (await bench.silences())[ident]["status"]["state"] == "expired"


async def test_a_silence_is_not_taken_for_ended_while_a_member_is_down(bench: Bench) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    for urls in ((down, bench.url), (bench.url, down)):
        async with open_silencer(settings(*urls)) as silencer:
            with pytest.raises(TemporaryError):
                await silencer.end(UNKNOWN)


# Recorded answers of Alertmanager 0.25, and answers of our own making.


@dataclass
class Member:
    """A server that answers everything alike, and counts."""

    url: str
    asked: list[web.Request]


@asynccontextmanager
async def member(status: int, body: bytes, content_type: str = "application/json") -> AsyncIterator[Member]:
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=status, body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield Member(str(server.make_url("")).rstrip("/"), asked)


def recorded(case: str) -> tuple[int, bytes]:
    told = json.loads((CASES / case / "headers.json").read_bytes())
    body = next((path.read_bytes() for path in (CASES / case).glob("body.*")), b"")
    return told["status"], body


async def test_recorded_alerts_are_read() -> None:
    async with member(*recorded("alerts-silenced")) as one, open_silencer(settings(one.url)) as silencer:
        found = await silencer.alerts()
    told = json.loads(recorded("alerts-silenced")[1])
    assert [each.alert.fingerprint for each in found] == [item["fingerprint"] for item in told]
    assert sorted(len(each.silenced_by) for each in found) == [0, 1]
    assert all(each.alert.firing and each.alert.starts_at.utcoffset() == timedelta() for each in found)


async def test_recorded_answers_to_silences_are_read() -> None:
    async with member(*recorded("silence-created")) as one, open_silencer(settings(one.url)) as silencer:
        ident = await silencer.silence({"alertname": "X"}, later(), "anna", "x")
    assert ident == json.loads(recorded("silence-created")[1])["silenceID"]
    async with member(*recorded("silence-deleted")) as one, open_silencer(settings(one.url)) as silencer:
        await silencer.end(ident)
    async with member(*recorded("alerts-empty")) as one, open_silencer(settings(one.url)) as silencer:
        assert await silencer.alerts() == ()


@pytest.mark.parametrize("case", ["bad-json", "end-before-start", "missing-comment", "no-matchers"])
async def test_recorded_refusals_keep_their_reason(case: str) -> None:
    status, body = recorded(f"silence-error-{case}")
    told = json.loads(body)
    words = told["message"] if isinstance(told, dict) else told
    async with member(status, body) as one, open_silencer(settings(one.url)) as silencer:
        with pytest.raises(UserError) as caught:
            await silencer.silence({"alertname": "X"}, later(), "anna", "x")
    assert str(caught.value) == "Alertmanager refuses this: " + f"{status} {words}"[:200]


async def test_a_token_goes_along() -> None:
    async with member(200, b"[]") as one:
        async with open_silencer(settings(one.url, token="am-token")) as silencer:
            await silencer.alerts()
        assert one.asked[0].headers["Authorization"] == "Bearer am-token"


@pytest.mark.parametrize(
    "answer",
    [
        (429, b"Too Many Requests", "text/plain"),
        (500, b"oops", "text/plain"),
        (503, b"", "text/plain"),
        (200, b"<html>log in</html>", "text/html"),
        (200, b'[{"finger', "application/json"),
    ],
)
async def test_whatever_is_no_answer_leads_to_the_next_member(answer: tuple[int, bytes, str]) -> None:
    async with member(*answer) as sick, member(200, b"[]") as well:
        async with open_silencer(settings(sick.url, well.url)) as silencer:
            assert await silencer.alerts() == ()
        assert (len(sick.asked), len(well.asked)) == (1, 1)
        async with open_silencer(settings(sick.url)) as silencer:
            with pytest.raises(TemporaryError, match="no Alertmanager answers"):
                await silencer.alerts()


async def test_a_refusal_is_not_asked_for_twice() -> None:
    async with member(400, b'"bad matcher"') as first, member(200, b'{"silenceID":"x"}') as second:
        async with open_silencer(settings(first.url, second.url)) as silencer:
            with pytest.raises(UserError, match="400 bad matcher"):
                await silencer.silence({"alertname": "X"}, later(), "anna", "x")
        assert second.asked == []


async def test_a_silence_that_may_stand_is_not_made_again_elsewhere() -> None:
    """The first member takes the request and says nothing: a second silence would be ended by nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with member(200, b'{"silenceID":"x"}') as second:
            told = settings(mute, second.url, timeout=timedelta(milliseconds=200))
            async with open_silencer(told) as silencer:
                with pytest.raises(AmbiguousError):
                    await silencer.silence({"alertname": "X"}, later(), "anna", "x")
                assert second.asked == []
                await silencer.end("x")
                assert [request.method for request in second.asked] == ["DELETE"]


async def test_a_member_that_takes_no_connection_is_passed_over() -> None:
    """Its machine is gone: nothing was sent, so the next one may make the silence."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        try:
            gone = f"http://127.0.0.1:{full.getsockname()[1]}"
            async with member(200, b'{"silenceID":"x"}') as second:
                told = settings(gone, second.url, timeout=timedelta(milliseconds=400))
                async with open_silencer(told) as silencer:
                    assert await silencer.silence({"alertname": "X"}, later(), "anna", "x") == "x"
        finally:
            for one in crowd:
                one.close()


# Trouble in the simulator.


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.mark.parametrize("fault", ["error", "drop", "ratelimit"])
async def test_a_sick_alertmanager_may_recover(simulation: Simulation, fault: str) -> None:
    async with open_silencer(settings(f"{simulation.url}/alertmanager")) as silencer:
        simulation.world.faults.start(fault, "alertmanager")
        with pytest.raises(TemporaryError):
            await silencer.silence({"alertname": "X"}, later(), "anna", "x")
        simulation.world.faults.clear()
        assert await silencer.silence({"alertname": "X"}, later(), "anna", "x")
