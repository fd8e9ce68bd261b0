"""The console as a chat, and the hub that feeds pages."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.domain.cards import Card, Place, Priority
from bot.domain.messages import Message
from bot.domain.phrases import English, phrase
from bot.platforms.console.hub import Broadcast
from bot.platforms.console.transport import PAGE, ConsoleChat
from bot.ports.chat import Chat
from bot.ports.console import Update

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def card(subject: str = "alert:a-7k2f", wanted: int = 1, **place: str) -> Card:
    return Card(subject, Place("console:ops", **place), Priority.NORMAL, wanted, wanted - 1, None, 0, AT, AT)


def update(subject: str, revision: int = 1) -> Update:
    return Update(subject, "console:ops", revision, AT, Message(phrase("x")))


async def test_a_post_and_an_edit_reach_every_page() -> None:
    hub = Broadcast()
    chat: Chat = ConsoleChat(hub)
    async with hub.subscribe() as one, hub.subscribe() as two:
        ref = await chat.post(card(), Message(phrase("fires")), English())
        for feed in (one, two):
            told = await anext(feed)
            assert (told.subject, told.revision, told.message.title.text) == ("alert:a-7k2f", 1, "fires")
        assert await chat.edit(card(wanted=2), ref, Message(phrase("is over")), English()) == ref
        assert (await anext(one)).revision == 2


async def test_without_a_page_a_post_succeeds() -> None:
    ref = await ConsoleChat(Broadcast()).post(card(), Message(phrase("fires")), English())
    assert (ref.chat, ref.message) == ("ops", "alert:a-7k2f")


async def test_a_private_card_says_for_whom() -> None:
    hub = Broadcast()
    async with hub.subscribe() as feed:
        await ConsoleChat(hub).post(card(private_to="anna"), Message(phrase("psst")), English())
        assert (await anext(feed)).private_to == "anna"


async def test_a_slow_page_sees_the_latest_revision_once() -> None:
    hub = Broadcast()
    async with hub.subscribe() as feed:
        for revision in range(1, 11):
            hub.send(update("op:op-41c9", revision))
        hub.send(update("alert:a-7k2f"))
        assert (await anext(feed)).revision == 10
        assert (await anext(feed)).subject == "alert:a-7k2f"


async def test_a_page_that_falls_too_far_behind_is_let_go() -> None:
    hub = Broadcast(room=2)
    async with hub.subscribe() as slow, hub.subscribe() as quick:
        for name in "abc":
            hub.send(update(f"alert:{name}"))
            assert (await anext(quick)).subject == f"alert:{name}"
        with pytest.raises(StopAsyncIteration):
            await anext(slow)


async def test_a_page_that_left_is_forgotten() -> None:
    hub = Broadcast()
    async with hub.subscribe():
        assert hub.pages == 1
    assert hub.pages == 0
    assert await ConsoleChat(hub).check() == "web console, 0 pages open"


async def test_it_looks_for_nothing_and_hears_nothing() -> None:
    chat = ConsoleChat(Broadcast())
    assert await chat.find(Place("console:ops"), AT) == {}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await chat.listen(lambda _: asyncio.sleep(0))
    assert (chat.pace.interval("console:ops"), chat.pace.burst("console:ops")) == (0.04, 20)


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_the_page_needs_nothing_from_elsewhere_and_writes_no_markup(path: object) -> None:
    source = path.read_text()  # type: ignore[attr-defined]
    for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert danger not in source
    assert "https://" not in source.replace("^https?:\\/\\/", "")
    assert "http://" not in source.replace("http://www.w3.org/2000/svg", "")
