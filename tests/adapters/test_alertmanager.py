"""The Silencer port: one suite for a real Alertmanager and the simulator, then recorded answers, then trouble."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.alertmanager.silencer import open_silencer
from bot.domain.errors import AmbiguousError, TemporaryError, UserError
from bot.domain.silences import equals
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.adapters.alertmanagers import UNKNOWN, Bench, later, member, recorded, settings
from tests.real import free_port


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
        await bench.silencer.silence(equals({"alertname": "X"}), datetime.now(UTC) - timedelta(hours=1), "anna", "x")


async def test_a_silence_of_everything_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"Alertmanager refuses this: 4.. "):
        await bench.silencer.silence((), later(), "anna", "x")


async def test_it_says_who_answers(bench: Bench) -> None:
    assert re.fullmatch(r"Alertmanager \d+\.\d+\.\d+ answers", await bench.silencer.check())


async def test_the_second_member_is_asked_when_the_first_is_down(bench: Bench) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    async with open_silencer(settings(down, bench.url)) as silencer:
        ident = await silencer.silence(equals({"alertname": "Second"}), later(), "anna", "x")
        assert ident in await bench.silences()
        (told,) = await silencer.testimonies()
        assert told.member == bench.url
        await silencer.end(ident)
    assert (await bench.silences())[ident]["status"]["state"] == "expired"


async def test_a_silence_is_not_taken_for_ended_while_a_member_is_down(bench: Bench) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    for urls in ((down, bench.url), (bench.url, down)):
        async with open_silencer(settings(*urls)) as silencer:
            with pytest.raises(TemporaryError):
                await silencer.end(UNKNOWN)


# Recorded answers of Alertmanager 0.25, and answers of our own making.


async def test_recorded_silences_are_read_without_those_that_are_over() -> None:
    async with member(*recorded("silences")) as one, open_silencer(settings(one.url)) as silencer:
        assert [each.comment for each in await silencer.silences()] == ["regex and negative", "pending: nightly window"]


async def test_recorded_answers_to_silences_are_read() -> None:
    async with member(*recorded("silence-created")) as one, open_silencer(settings(one.url)) as silencer:
        ident = await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
    assert ident == json.loads(recorded("silence-created")[1])["silenceID"]
    async with member(*recorded("silence-deleted")) as one, open_silencer(settings(one.url)) as silencer:
        await silencer.end(ident)
    async with member(*recorded("alerts-empty")) as one, open_silencer(settings(one.url)) as silencer:
        assert await silencer.silences() == ()


@pytest.mark.parametrize("case", ["bad-json", "end-before-start", "missing-comment", "no-matchers"])
async def test_recorded_refusals_keep_their_reason(case: str) -> None:
    status, body = recorded(f"silence-error-{case}")
    told = json.loads(body)
    words = told["message"] if isinstance(told, dict) else told
    async with member(status, body) as one, open_silencer(settings(one.url)) as silencer:
        with pytest.raises(UserError) as caught:
            await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
    assert str(caught.value) == "Alertmanager refuses this: " + f"{status} {words}"[:200]


async def test_a_token_goes_along() -> None:
    async with member(200, b"[]") as one:
        async with open_silencer(settings(one.url, token="am-token")) as silencer:
            await silencer.silences()
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
            assert await silencer.silences() == ()
        assert (len(sick.asked), len(well.asked)) == (1, 1)
        async with open_silencer(settings(sick.url)) as silencer:
            with pytest.raises(TemporaryError, match="no Alertmanager answers"):
                await silencer.silences()


async def test_a_refusal_is_not_asked_for_twice() -> None:
    async with member(400, b'"bad matcher"') as first, member(200, b'{"silenceID":"x"}') as second:
        async with open_silencer(settings(first.url, second.url)) as silencer:
            with pytest.raises(UserError, match="400 bad matcher"):
                await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
        assert second.asked == []


async def test_a_silence_that_may_stand_is_not_made_again_elsewhere() -> None:
    """The first member takes the request and says nothing: a second silence would be ended by nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with member(200, b'{"silenceID":"x"}') as second:
            told = settings(mute, second.url, timeout=timedelta(milliseconds=200))
            async with open_silencer(told) as silencer:
                with pytest.raises(AmbiguousError):
                    await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
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
                    assert await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x") == "x"
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
            await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
        simulation.world.faults.clear()
        assert await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
