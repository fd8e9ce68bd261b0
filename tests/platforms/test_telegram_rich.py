"""Rich messages where a chat asked for them: what they look like, and that a refusal never loses or doubles a card."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.domain.cards import Place, Priority
from bot.domain.errors import AmbiguousError, LostReferenceError
from bot.domain.messages import Lines, Message, Paragraph, Table, Tone
from bot.domain.phrases import English, phrase, verbatim
from bot.platforms.telegram import plain
from bot.platforms.telegram.keyboard import PLAIN
from bot.platforms.telegram.rich import rich
from tests.platforms.telegram_cards import CARDS, alert, waiting
from tests.platforms.telegram_pictures import Painter, graphed
from tests.platforms.telegram_setup import (
    ANNA,
    INCIDENTS,
    OPS,
    TOPIC,
    card,
    opened,
    settings,
    simulated,
    until,
)

WORDS = English()
EXPECTED = Path(__file__).parent / "expected" / "telegram" / "rich"


@pytest.fixture
async def sim():
    async with simulated() as world:
        yield world


@pytest.fixture
async def chat(sim):
    async with opened(sim, rich=[str(INCIDENTS)]) as made:
        yield made


def say(text, **more):
    return Message(verbatim(text), **more)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_expected(name):
    sheet = rich(CARDS[name](), WORDS, picture=False)
    assert sheet.html + "\n" == (EXPECTED / f"{name}.html").read_text()


async def test_a_card_with_its_picture(sim):
    async with opened(sim, rich=[str(INCIDENTS)], painter=Painter()) as chat:
        ref = await chat.post(card(), graphed(), WORDS)
        (message,) = sim.standing()
        assert (ref.kind, message.kind) == ("rich", "rich")
        assert message.text.startswith("🔴 HighErrorRate · api")
        assert message.now.rich["skip_entity_detection"] is True
        assert '<img src="tg://photo?id=graph">' in message.now.rich["html"]
        (content,) = sim.tg.files.values()
        assert content.startswith(b"\x89PNG")
        rows = [[key["text"] for key in row] for row in message.now.keyboard["inline_keyboard"]]
        assert rows == [["Ack", "Silence 1 h", "Details"], ["Plain"]]
        await chat.edit(card(ref=ref), ref, graphed(title=verbatim("changed")), WORDS)
        assert message.text.startswith("🔴 changed")
        assert len(sim.tg.files) == 2


@pytest.mark.parametrize(
    ("opted", "place", "kind"),
    [
        ([], f"telegram:{INCIDENTS}", "text"),
        ([str(OPS)], f"telegram:{OPS}/{TOPIC}", "rich"),
        ([f"{OPS}/{TOPIC}"], f"telegram:{OPS}/{TOPIC}", "rich"),
        ([f"{OPS}/{TOPIC}"], f"telegram:{OPS}", "text"),
        ([str(INCIDENTS)], Place(f"telegram:{INCIDENTS}", private_to=str(ANNA)), "text"),
        ([str(ANNA)], Place(f"telegram:{INCIDENTS}", private_to=str(ANNA)), "rich"),
    ],
)
async def test_only_where_it_was_asked_for(sim, opted, place, kind):
    async with opened(sim, rich=opted) as chat:
        assert (await chat.post(card(place), alert(), WORDS)).kind == kind


async def test_it_is_edited_as_it_was_posted(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    again = await chat.edit(card(ref=ref), ref, say("Resolved", tone=Tone.OK), WORDS)
    (message,) = sim.standing()
    assert again == ref
    assert [revision.rich is not None for revision in message.revisions] == [True, True]
    assert message.text.startswith("🟢 Resolved")
    assert await chat.edit(card(ref=ref), ref, say("Resolved", tone=Tone.OK), WORDS) == ref


@pytest.mark.parametrize("error", ["RICH_VALIDATE_DEPTH_TOO_BIG", "can't parse entities: Unsupported start tag"])
async def test_a_refusal_is_classic_at_once_and_for_life(sim, chat, error):
    sim.fail("sendRichMessage", error=error)
    ref = await chat.post(card(), alert(), WORDS)
    assert ref.kind == "text"
    await chat.edit(card(ref=ref), ref, say("changed"), WORDS)
    (message,) = sim.standing()
    assert [revision.rich for revision in message.revisions] == [None, None]
    assert (await chat.post(card(), alert(), WORDS)).kind == "rich", "one card's refusal says nothing of the next"


async def test_a_refused_edit_makes_it_classic_for_life(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    sim.fail("editMessageText", error="RICH_VALIDATE_BLOCKS_TOO_MANY")
    ref = await chat.edit(card(ref=ref), ref, say("one"), WORDS)
    await chat.edit(card(ref=ref), ref, say("two"), WORDS)
    (message,) = sim.standing()
    assert [revision.rich is not None for revision in message.revisions] == [True, False, False]
    assert ref.kind == "text"


async def test_a_server_without_rich_messages_is_asked_once(sim, chat):
    sim.tg.unknown = {"sendrichmessage"}
    kinds = [(await chat.post(card(), alert(), WORDS)).kind for _ in range(3)]
    assert kinds == ["text"] * 3
    assert len(sim.calls("sendRichMessage")) == 1
    sim.tg.unknown = set()
    sim.clock.forward(5)
    assert (await chat.post(card(), alert(), WORDS)).kind == "text", "latched until a restart"


@pytest.mark.parametrize("how", [{"status": 502}, {"drop": True}, {"drop": True, "mode": "after"}])
async def test_an_unclear_answer_never_leads_to_the_classic_form(sim, chat, how):
    sim.fail("sendRichMessage", **how)
    with pytest.raises(AmbiguousError):
        await chat.post(card(), alert(), WORDS)
    assert sim.calls("sendMessage") == []
    ref = await chat.post(card(), alert(), WORDS)
    sim.clock.forward(5)
    sim.fail("editMessageText", **how)
    with pytest.raises(AmbiguousError):
        await chat.edit(card(ref=ref), ref, say("changed"), WORDS)
    again = await chat.edit(card(ref=ref), ref, say("changed"), WORDS)
    assert again.kind == "rich"
    assert {message.kind for message in sim.standing()} == {"rich"}


async def test_what_is_lost_is_not_rewritten(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    sim.person(ANNA).delete(INCIDENTS, int(ref.message))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(ref=ref), ref, say("changed"), WORDS)
    assert len(sim.calls("editMessageText")) == 1


async def test_beyond_the_limits_it_never_leaves(sim, chat):
    broad = Table((phrase("c"),) * 21, ((verbatim("x"),) * 21,))
    for blocks in ((broad,), (Lines((verbatim("x"),) * 501),), (Paragraph(verbatim("x" * 200)),) * 200):
        assert (await chat.post(card(), say("big", blocks=blocks), WORDS)).kind == "text"
        sim.clock.forward(5)
    assert sim.calls("sendRichMessage") == []


async def test_no_longer_asked_for_it_turns_classic(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    async with opened(sim) as later:
        assert (await later.edit(card(ref=ref), ref, say("changed"), WORDS)).kind == "text"
    assert sim.standing()[0].kind == "text"


async def test_a_question_stands_in_it(sim, chat):
    await chat.post(card(), waiting(), WORDS)
    assert "Approve? It starts at once" in sim.standing()[0].text


# --- the key "Plain" ---


async def nothing(request):
    raise AssertionError(request)


@pytest.fixture
async def heard(sim, chat):
    task = asyncio.create_task(chat.listen(nothing))
    await until(lambda: any(call.method == "deleteWebhook" for call in sim.tg.calls))
    yield
    task.cancel()
    await asyncio.wait({task})


async def test_plain_for_who_sees_nothing(sim, chat, heard):
    ref = await chat.post(card(), alert(), WORDS)
    (message,) = sim.standing()
    sim.tg.chats[INCIDENTS].rich_clients = False
    assert message.report()["drawn"] is False
    press = sim.person(ANNA).press("Plain", INCIDENTS)
    await until(lambda: message.kind == "text")
    assert message.report()["drawn"] is True
    assert press.answer["text"] == ""
    assert [button["text"] for button in message.buttons] == ["Ack", "Silence 1 h", "Details"]
    ref = await chat.edit(card(ref=ref), ref, say("changed"), WORDS)
    assert (ref.kind, message.kind) == ("text", "text")


async def test_plain_after_a_restart_comes_with_the_next_change(sim, chat, heard, monkeypatch):
    monkeypatch.setattr(plain, "KEPT", 1)
    first = await chat.post(card(), alert(), WORDS)
    await chat.post(card(), replace(alert(), title=verbatim("second")), WORDS)
    press = sim.person(ANNA).press(PLAIN, INCIDENTS, int(first.message))
    await until(lambda: press.answer is not None)
    assert press.answer["text"] == "It turns plain with its next change."
    assert (await chat.edit(card(ref=first), first, say("changed"), WORDS)).kind == "text"


@pytest.mark.parametrize("wrong", ["incidents", "telegram:-100", "-100/x", "", "1" * 20])
def test_a_chat_is_named_by_its_id(wrong):
    with pytest.raises(ValidationError):
        settings("http://127.0.0.1", rich=[wrong])


async def test_rich_messages_keep_the_same_rates(sim, chat):
    for _ in range(3):
        await chat.post(card(priority=Priority.PAGE), alert(), WORDS)
    assert {call.status for call in sim.calls("sendRichMessage")} == {200}
