"""Cards into a strict Telegram: where they stand, how they change, what each refusal becomes."""

import logging
import subprocess
import sys

import pytest
from telegram.error import TelegramError

from bot.domain.cards import Place, Priority, Ref
from bot.domain.errors import (
    AmbiguousError,
    ClosedError,
    LostReferenceError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
)
from bot.domain.messages import Button, Message, Paragraph, Preformatted, Tone
from bot.domain.phrases import English, phrase, verbatim
from bot.platforms.telegram import client as wire
from bot.platforms.telegram import verdicts
from tests.platforms.telegram_cards import alert, storm
from tests.platforms.telegram_setup import (
    ANNA,
    FIXTURES,
    INCIDENTS,
    MALLORY,
    OPS,
    TOPIC,
    Clock,
    card,
    opened,
    settings,
    simulated,
    until,
)

WORDS = English()


@pytest.fixture
async def sim():
    async with simulated() as world:
        yield world


@pytest.fixture
async def chat(sim):
    async with opened(sim) as made:
        yield made


def say(text, **more):
    return Message(verbatim(text), **more)


async def test_a_card_is_posted_and_changed_in_place(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    again = await chat.edit(card(ref=ref), ref, say("Resolved", tone=Tone.OK), WORDS)
    (message,) = sim.standing()
    assert again == ref == Ref(str(INCIDENTS), str(message.id))
    assert [r.text.splitlines()[0] for r in message.revisions] == ["🔴 HighErrorRate · api", "🟢 Resolved"]
    assert [b["text"] for b in message.revisions[0].keyboard["inline_keyboard"][0]] == ["Ack", "Silence 1 h", "Details"]
    assert message.now.keyboard is None


async def test_the_same_again_is_no_failure(chat):
    ref = await chat.post(card(), alert(), WORDS)
    assert await chat.edit(card(), ref, alert(), WORDS) == ref


async def test_topic_reply_and_parent(sim, chat):
    asked = sim.person(ANNA).say("hello", OPS, TOPIC)
    await chat.post(card(Place(f"telegram:{OPS}/{TOPIC}", reply_to=str(asked.id))), say("in the topic"), WORDS)
    parent = await chat.post(card(), say("parent"), WORDS)
    await chat.post(card(parent_ref=parent), say("child"), WORDS)
    await chat.post(card(Place(f"telegram:{INCIDENTS}", reply_to="99999")), say("an answer to nothing"), WORDS)
    (posted,) = sim.standing(OPS)
    assert (posted.thread, posted.reply_to) == (TOPIC, asked.id)
    assert [m.reply_to for m in sim.standing()] == [None, int(parent.message), None]


async def test_refused_markup_goes_bare(sim, chat, caplog):
    sim.fail("sendMessage", error="can't parse entities: Unsupported start tag")
    sim.fail("editMessageText", error="can't parse entities: Unsupported start tag")
    ref = await chat.post(card(), alert(), WORDS)
    (message,) = sim.standing()
    assert not [e for e in message.now.entities if e["type"] in ("bold", "code", "text_link")]
    assert message.text.startswith("🔴 HighErrorRate · api\n\n8 % of requests")
    await chat.edit(card(), ref, say("& changed"), WORDS)
    assert message.text == "🔵 & changed"
    assert [r.levelno for r in caplog.records if "markup" in r.message] == [logging.ERROR] * 2


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"retry_after": 17}, RateLimitedError),
        ({"status": 502}, AmbiguousError),
        ({"status": 502, "mode": "after"}, AmbiguousError),
        ({"drop": True, "mode": "after"}, AmbiguousError),
        ({"error": "BUTTON_DATA_INVALID"}, verdicts.RefusedError),
    ],
)
async def test_what_a_refusal_becomes(sim, chat, how, kind):
    sim.fail("sendMessage", **how)
    with pytest.raises(kind) as caught:
        await chat.post(card(), say("x"), WORDS)
    assert type(caught.value) is kind
    assert "SIM" not in str(caught.value)
    if kind is RateLimitedError:
        assert caught.value.delay == 17
    assert len(sim.standing()) == (1 if how.get("mode") == "after" else 0)


@pytest.mark.parametrize("text", ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"])
async def test_what_can_not_be_changed_is_lost(sim, chat, text):
    ref = await chat.post(card(), say("x"), WORDS)
    sim.fail("editMessageText", error=text)
    with pytest.raises(LostReferenceError):
        await chat.edit(card(), ref, say("y"), WORDS)


async def test_a_deleted_message_is_lost(sim, chat):
    ref = await chat.post(card(), say("x"), WORDS)
    sim.person(ANNA).delete(INCIDENTS, int(ref.message))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(), ref, say("y"), WORDS)


async def test_out_of_reach_means_nothing_happened(sim):
    async with opened(sim, api_url="http://127.0.0.1:9") as away:
        with pytest.raises(TemporaryError) as caught:
            await away.post(card(), say("x"), WORDS)
        assert type(caught.value) is TemporaryError
        with pytest.raises(TemporaryError):
            await away.check()


@pytest.mark.parametrize("place", ["telegram:ops", "telegram:-100/x", "telegram:"])
async def test_no_telegram_id(chat, place):
    with pytest.raises(PermanentError):
        await chat.post(card(place), say("x"), WORDS)


@pytest.mark.parametrize(
    "name", ["kicked", "edit-not-found", "cant-parse-entities", "migrated", "not-modified", "retry-after"]
)
async def test_recorded_refusals(sim, chat, name, monkeypatch):
    kinds = {
        "kicked": PermanentError, "edit-not-found": LostReferenceError, "cant-parse-entities": verdicts.MarkupError,
        "migrated": verdicts.MovedError, "not-modified": verdicts.UnchangedError, "retry-after": RateLimitedError,
    }  # fmt: skip
    body = (FIXTURES / "telegram-api" / name / "body.json").read_bytes()
    status = {"kicked": 403, "retry-after": 429}.get(name, 400)

    async def answer(self, *args, **kwargs):
        return status, body

    monkeypatch.setattr(wire.HTTPXRequest, "do_request", answer)
    with pytest.raises(kinds[name]) as caught:
        await wire.Client(settings(sim.base)).edit(1, 1, "x", (), html=True)
    if name == "migrated":
        assert caught.value.chat == -1001234567890


def test_an_unknown_trouble_is_ambiguous():
    assert isinstance(verdicts.verdict(TelegramError("?")), AmbiguousError)


async def test_a_file_follows_what_was_cut_once(sim, chat):
    ref = await chat.post(card(), storm(), WORDS)
    await until(lambda: len(sim.standing()) == 2)
    ref = await chat.edit(card(), ref, storm(), WORDS)
    message, file = sim.standing()
    assert file.reply_to == message.id
    assert file.now.media["document"]["file_name"] == "alert-a-7k2f.txt"
    (content,) = sim.tg.files.values()
    assert content.decode().splitlines()[-1] == "node-299"
    assert ref.extra
    assert len(sim.calls("sendDocument")) == 1


async def test_a_file_waits_for_its_turn(sim, chat):
    sim.fail("sendDocument", retry_after=7)
    await chat.post(card(), storm(), WORDS)
    await until(lambda: len(sim.standing()) == 2)
    assert 7 in sim.clock.slept


async def test_no_file_without_need(sim, chat):
    await chat.post(card(), say("short", whole="all of it"), WORDS)
    await chat.post(card(), say("x", blocks=(Preformatted("long\n" * 3000),)), WORDS)
    assert await chat.check() == "@pult_sim_bot, bot 424242"
    assert sim.calls("sendDocument") == []


# --- for one person ---


def pressed(sim, user=ANNA, button="Go"):
    """A press in the incidents group and the private place of its answer."""
    press = sim.person(user).press(button, INCIDENTS)
    place = Place(f"telegram:{INCIDENTS}", private_to=str(user), press=press.id)
    return press, card(place, subject="reply:1", priority=Priority.ANSWER)


@pytest.fixture
async def key(chat):
    await chat.post(card(), say("card", buttons=(Button(phrase("Go"), "go"),)), WORDS)


@pytest.mark.parametrize(
    ("message", "box"),
    [
        (say("Done", tone=Tone.OK), False),
        (say("You may not", tone=Tone.WARNING), True),
        (say("Done", tone=Tone.OK, blocks=(Paragraph(verbatim("two lines")),)), True),
    ],
)
async def test_a_short_answer_is_shown_on_the_key(sim, chat, key, message, box):
    press, private = pressed(sim)
    ref = await chat.post(private, message, WORDS)
    assert press.answer["show_alert"] is box
    assert message.title.plain() in press.answer["text"]
    assert len(sim.standing()) == 1
    assert sim.standing(ANNA) == []
    with pytest.raises(LostReferenceError):
        await chat.edit(private, ref, message, WORDS)


async def test_a_long_answer_goes_to_the_private_chat(sim, chat, key):
    press, private = pressed(sim)
    ref = await chat.post(private, alert(), WORDS)
    (message,) = sim.standing(ANNA)
    assert ref == Ref(str(ANNA), str(message.id))
    await until(lambda: press.answer is not None)
    assert press.answer == {"text": "The answer is in our private chat.", "show_alert": False}
    await chat.edit(private, ref, say("changed"), WORDS)
    assert message.text == "🔵 changed"
    assert len(sim.standing()) == 1


async def test_a_late_answer_goes_to_the_private_chat(sim, chat, key):
    _, private = pressed(sim)
    sim.clock.forward(60)
    await chat.post(private, say("Done", tone=Tone.OK), WORDS)
    assert [m.text for m in sim.standing(ANNA)] == ["🟢 Done"]


async def test_who_never_wrote_to_us_sees_the_beginning_on_the_key(sim, chat, key):
    press, private = pressed(sim, MALLORY)
    await chat.post(private, say("t", blocks=(Paragraph(verbatim("word " * 100)),)), WORDS)
    assert press.answer["text"].endswith("word…\nFor the whole answer open a chat with me and press Start.")
    assert press.answer["show_alert"] is True
    assert len(press.answer["text"]) <= 200


async def test_who_never_wrote_to_us_and_pressed_long_ago_can_not_be_told(sim, chat, key, caplog):
    _, private = pressed(sim, MALLORY)
    sim.clock.forward(60)
    with pytest.raises(ClosedError, match="press Start"):
        await chat.post(private, say("Done"), WORDS)
    assert "no private chat" in caplog.text
    assert len(sim.standing()) == 1


async def test_a_private_answer_without_a_press(sim, chat):
    await chat.post(card(Place(f"telegram:{INCIDENTS}", private_to=str(ANNA))), say("for you"), WORDS)
    assert [m.text for m in sim.standing(ANNA)] == ["🔵 for you"]
    assert sim.standing() == []


async def test_a_public_answer_ends_the_press(sim, chat, key):
    press = sim.person(ANNA).press("Go", INCIDENTS)
    await chat.post(card(Place(f"telegram:{INCIDENTS}", press=press.id)), say("for all"), WORDS)
    await until(lambda: press.answer is not None)
    assert press.answer["text"] == ""


# --- the rest ---


async def test_our_own_rates_keep_us_within_telegrams(sim, chat):
    sent, refused = 0, 0
    for _ in range(900):
        try:
            await chat.post(card(priority=Priority.PAGE), say(f"{sent}"), WORDS)
            sent += 1
        except RateLimitedError as error:
            refused += 1
            sim.clock.forward(min(error.delay, 0.5))
        if sent == 45:
            break
    assert sent == 45
    assert refused
    assert {call.status for call in sim.calls("sendMessage")} == {200}
    assert (sim.clock.at - sim.tg.messages[0].date).total_seconds() < 140


async def test_edits_count_as_posts_do_and_page_after_page_still_gets_through(sim, chat):
    """Three minutes of cards that change all the time: strict Telegram refuses nothing, and no page waits long."""
    refs = [await _in_time(sim, chat.post, card(), say(f"card {n}"), WORDS) for n in range(3)]
    began, changes, late = sim.clock.at, 0, []
    while (sim.clock.at - began).total_seconds() < 180:
        ref = refs[changes % 3]
        changes += 1
        try:
            await chat.edit(card(ref=ref, priority=Priority(changes % 4)), ref, say(f"change {changes}"), WORDS)
        except RateLimitedError:
            sim.clock.forward(0.5)
        if changes % 40 == 0:
            wished = sim.clock.at
            await _in_time(sim, chat.post, card(priority=Priority.PAGE), say("page"), WORDS)
            late.append((sim.clock.at - wished).total_seconds())
    assert {call.status for call in sim.tg.calls} == {200}
    assert len(sim.calls("editMessageText")) > 20
    assert len(late) > 5
    assert max(late) <= 3


async def _in_time(sim, post, *args):
    while True:
        try:
            return await post(*args)
        except RateLimitedError as error:
            sim.clock.forward(error.delay)


async def test_the_past_can_not_be_searched(chat):
    assert await chat.find(Place("telegram:1"), Clock().now()) == {}


async def test_the_token_is_in_no_log(sim, chat, caplog):
    caplog.set_level(logging.DEBUG)
    await chat.post(card(), say("x"), WORDS)
    sim.fail("sendMessage", status=500)
    with pytest.raises(AmbiguousError):
        await chat.post(card(), say("x"), WORDS)
    theirs = [record for record in caplog.records if record.name != "aiohttp.access"]  # that is the simulator
    assert "424242:SIM" not in "".join(map(caplog.handler.format, theirs))


def test_the_package_is_cheap_to_import():
    code = "import bot.platforms.telegram, sys; assert not {'telegram', 'httpx'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
