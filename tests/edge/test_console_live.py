"""The page's live connection."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.domain.errors import UnavailableError
from bot.domain.messages import Message
from bot.domain.phrases import phrase
from bot.edge import console_live
from bot.edge.console_parts import BODY_MAX, IN_FLIGHT_MAX
from bot.platforms.console.hub import Broadcast
from bot.ports.console import Answer, Standing
from tests.edge.console_rig import NOON, House, said

BEARER = {"Authorization": "Bearer token-anna"}
Socket = aiohttp.ClientWebSocketResponse


@asynccontextmanager
async def page(server: URL, path: str = "/api/console", **headers: str) -> AsyncGenerator[Socket]:
    """A connection; the first two messages are hello and snapshot."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as http,
        http.ws_connect(server.join(URL(path)), headers=headers or BEARER) as socket,
    ):
        yield socket


async def hear(socket: Socket, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(5):
        while True:
            message = await socket.receive_json()
            if message["type"] == kind:
                return message


async def closed(socket: Socket) -> int | None:
    async with asyncio.timeout(5):
        while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
            continue
    return socket.close_code


def texts(runs: list[dict[str, str]]) -> str:
    return "".join(run["text"] for run in runs)


async def test_a_page_is_greeted_and_told_everything() -> None:
    house = House(standing=[Standing("alert:a-7k2f", 3, NOON, said("8 % errors"))])
    async with house.open() as server, page(server) as socket:
        hello = await hear(socket, "hello")
        assert hello["person"] == {"name": "anna", "roles": ["sre"]}
        assert (hello["locale"], hello["version"], hello["open"]) == ("en", "0.1.0", False)
        assert "slo api" in [example for command in hello["commands"] for example in command["examples"]]
        (card,) = (await hear(socket, "snapshot"))["cards"]
        assert (card["id"], card["revision"], card["at"]) == ("alert:a-7k2f", 3, NOON.isoformat())
        assert texts(card["card"]["title"]) == "High error rate"


async def test_changes_arrive_in_each_pages_language() -> None:
    house = House()
    async with house.open() as server, page(server) as english, page(server, "/api/console?locale=ru") as russian:
        await hear(english, "snapshot")
        await hear(russian, "snapshot")
        await house.show("alert:a-7k2f", said("8 % errors"), revision=2)
        told = await hear(english, "card")
        assert (told["id"], told["destination"], told["revision"]) == ("alert:a-7k2f", "console:ops", 2)
        assert texts(told["card"]["title"]) == "High error rate"
        assert texts((await hear(russian, "card"))["card"]["title"]) == "Много ошибок"


async def test_a_private_card_reaches_its_person_only() -> None:
    house = House()
    async with (
        house.open() as server,
        page(server) as anna,
        page(server, Authorization="Bearer token-chen") as chen,
    ):
        await hear(anna, "snapshot")
        await hear(chen, "snapshot")
        await house.show("notice:1", said("for chen"), private_to="chen")
        await house.show("notice:2", said("for all"))
        assert (await hear(chen, "card"))["id"] == "notice:1"
        assert (await hear(anna, "card"))["id"] == "notice:2"


async def test_asks_are_answered_and_numbered() -> None:
    house = House()
    house.answers["approve op-41c9 5c0d"] = Answer(True, Message(phrase("Approved")), "op-41c9")
    async with house.open() as server, page(server) as socket:
        await socket.send_json({"type": "ask", "id": 7, "text": " approve op-41c9 5c0d ", "pressed": True})
        answer = await hear(socket, "answer")
        assert (answer["id"], answer["ok"], answer["op"], answer["text"]) == (7, True, "op-41c9", "• Approved")
        assert texts(answer["card"]["title"]) == "Approved"
    (request,) = house.asked
    assert (request.text, request.pressed, request.account) == ("approve op-41c9 5c0d", True, "anna")


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", "{}", '{"type": "shout"}', '{"type": "ask", "id": "x", "text": "y"}', '{"type":"ask"}']
)
async def test_nonsense_is_refused_and_the_page_lives_on(text: str) -> None:
    house = House()
    async with house.open() as server, page(server) as socket:
        await socket.send_str(text)
        assert (await hear(socket, "refused"))["reason"] == "malformed"
        await socket.send_json({"type": "ask", "id": 1, "text": "status"})
        assert (await hear(socket, "answer"))["id"] == 1


@pytest.mark.parametrize(
    ("trouble", "reason"), [(UnavailableError("disk full"), "unavailable"), (ValueError("a bug"), "broken")]
)
async def test_what_goes_wrong_is_said_without_its_cause(trouble: Exception, reason: str) -> None:
    house = House(trouble=trouble)
    async with house.open() as server, page(server) as socket:
        await socket.send_json({"type": "ask", "id": 1, "text": "status"})
        refused = await hear(socket, "refused")
        assert (refused["id"], refused["reason"]) == (1, reason)
        assert str(trouble) not in str(refused)


async def test_too_many_at_once_are_refused_until_some_are_answered() -> None:
    house = House(hold=asyncio.Event())
    async with house.open() as server, page(server) as socket:
        for number in range(IN_FLIGHT_MAX + 1):
            await socket.send_json({"type": "ask", "id": number, "text": "status"})
        refused = await hear(socket, "refused")
        assert (refused["id"], refused["reason"]) == (IN_FLIGHT_MAX, "too_fast")
        house.hold.set()
        answered = {(await hear(socket, "answer"))["id"] for _ in range(IN_FLIGHT_MAX)}
        assert answered == set(range(IN_FLIGHT_MAX))


async def test_a_command_is_finished_though_its_page_left() -> None:
    house = House(hold=asyncio.Event())
    finished = asyncio.Event()
    house.on_ask = lambda _: finished.set()
    async with house.open() as server:
        async with page(server) as socket:
            await hear(socket, "snapshot")
            await socket.send_json({"type": "ask", "id": 1, "text": "restart api"})
            while not house.asked:
                await asyncio.sleep(0)
        house.hold.set()
        async with asyncio.timeout(5):
            await finished.wait()


async def test_a_message_too_large_closes_the_page() -> None:
    async with House().open() as server, page(server) as socket:
        await socket.send_str("x" * (BODY_MAX + 1))
        assert await closed(socket) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_it_ticks() -> None:
    house = House()
    async with house.open() as server, page(server) as socket:
        await hear(socket, "snapshot")
        house.clock.tick(timedelta(seconds=15))
        assert (await hear(socket, "tick"))["at"] == house.clock.at.isoformat()


async def test_a_page_too_slow_is_sent_away_to_come_back() -> None:
    house = House(hub=Broadcast(room=1))
    async with house.open() as server, page(server) as socket:
        await hear(socket, "snapshot")
        for number in range(3):  # all before the page's task runs once
            await house.show(f"alert:a-{number}", said("x"))
        assert await closed(socket) == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_without_a_store_the_page_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> list[Standing]:
        raise UnavailableError("disk full")

    async with House().open(snapshot=away) as server, page(server) as socket:
        assert await closed(socket) == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_going_down_sends_pages_away() -> None:
    house = House()
    async with house.open() as server, page(server) as socket:
        await hear(socket, "snapshot")
        closing = asyncio.create_task(house.console.close())
        assert await closed(socket) == aiohttp.WSCloseCode.GOING_AWAY
        await closing


async def test_there_is_room_for_so_many_pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_live, "PAGES_MAX", 1)
    async with House().open() as server, page(server) as first:
        await hear(first, "snapshot")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with page(server):
                pass
        assert refusal.value.status == 503


@pytest.mark.parametrize(
    ("path", "headers", "opened", "status"),
    [
        ("/api/console", {"X": "y"}, False, 401),
        ("/api/console?as=anna", {"X": "y"}, False, 401),
        ("/api/console?as=mallory", {"X": "y"}, True, 401),
        ("/api/console?as=anna", {"Host": "evil.example"}, True, 401),
        ("/api/console?as=anna", {"Origin": "https://evil.example"}, True, 403),
        ("/api/console", {**BEARER, "Origin": "null"}, False, 403),
    ],
)
async def test_strangers_and_other_sites_dont_get_in(
    path: str, headers: dict[str, str], opened: bool, status: int
) -> None:
    async with House().open(opened=opened) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with page(server, path, **headers):
                pass
        assert refusal.value.status == status


async def test_a_session_needs_our_own_origin() -> None:
    async with House().open() as server:
        own = str(server.origin())
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await http.post(server / "api/login", json={"token": "token-anna"})
            for origin in ({}, {"Origin": "https://evil.example"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                    await http.ws_connect(server / "api/console", headers=origin)
                assert refusal.value.status == 403
            async with http.ws_connect(server / "api/console", headers={"Origin": own}) as socket:
                assert (await hear(socket, "hello"))["person"]["name"] == "anna"


async def test_in_open_mode_a_person_is_chosen() -> None:
    async with House().open(opened=True) as server, page(server, "/api/console?as=boris", X="y") as socket:
        hello = await hear(socket, "hello")
        assert (hello["person"]["name"], hello["locale"], hello["open"]) == ("boris", "ru", True)
