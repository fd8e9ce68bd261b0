"""People's words from a strict Telegram: stored before they are confirmed, each press answered."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from bot.domain.cards import Place
from bot.domain.errors import PermanentError, TemporaryError, UnavailableError
from bot.domain.messages import Button, Confirm, Message, Style
from bot.domain.phrases import English, phrase
from tests.platforms.telegram_cards import waiting
from tests.platforms.telegram_setup import ANNA, BORIS, INCIDENTS, OPS, TOPIC, card, opened, simulated, until, update

MENU = (("slo", {"en": "error budgets", "ru": "цели"}), ("Bad name", {"en": "x", "ru": "x"}))
SECRET = "sim-telegram-secret"
HEADERS = {"x-telegram-bot-api-secret-token": SECRET}


@pytest.fixture
async def sim():
    async with simulated() as world:
        yield world


class Router:
    """Stores requests; refuses the first *refusals* of them."""

    def __init__(self, *refusals):
        self.requests = []
        self.refusals = list(refusals)

    async def ask(self, request):
        if self.refusals:
            raise self.refusals.pop(0)
        self.requests.append(request)

    @property
    def texts(self):
        return [request.text for request in self.requests]


@asynccontextmanager
async def hearing(chat, router):
    task = asyncio.create_task(chat.listen(router.ask))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def connected(sim):
    await until(lambda: any(call.method == "deleteWebhook" for call in sim.tg.calls))


async def test_words_come_in_over_polling(sim):
    router = Router()
    async with opened(sim, commands=MENU) as chat, hearing(chat, router):
        await connected(sim)
        sim.person(ANNA).say("slo api")
        sim.person(BORIS).say("/status", OPS, TOPIC)
        sim.person(BORIS).say("just talk", INCIDENTS)
        await until(lambda: len(router.requests) == 2)
        await until(lambda: not sim.tg.updates.pending)
    assert router.texts == ["slo api", "/status"]
    assert router.requests[1].place.destination == f"telegram:{OPS}/{TOPIC}"
    listed = {language: [c["command"] for c in commands] for (_, language), commands in sim.tg.profile.commands.items()}
    assert listed == {"": ["slo"], "ru": ["slo"]}


async def test_the_menu_is_in_both_languages_and_within_its_limits(sim):
    """One list for each language, for all chats alike: what a person whose app speaks neither sees is the first one."""
    long = {"en": "e" * 300, "ru": "ж" * 300}
    menu = [(f"command{n}", {"en": f"does {n}", "ru": f"делает {n}"}) for n in range(99)]
    async with opened(sim, commands=[("long", long), *menu, ("one_too_many", long)]) as chat, hearing(chat, Router()):
        await connected(sim)
    found = sim.tg.profile.commands
    assert set(found) == {('{"type": "default"}', ""), ('{"type": "default"}', "ru")}
    for (_, language), commands in found.items():
        assert [command["command"] for command in commands] == ["long", *(name for name, _ in menu)]
        assert commands[0]["description"] == ("ж" if language else "e") * 256
        assert commands[1]["description"] == ("делает 0" if language else "does 0")


async def test_what_can_not_be_stored_is_not_confirmed(sim):
    router = Router(UnavailableError("disk full"))
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        sim.person(ANNA).say("slo api")
        sim.person(ANNA).say("status")
        await until(lambda: router.texts == ["slo api", "status"])
        await until(lambda: not sim.tg.updates.pending)
    assert sim.clock.slept[0] == 1.0


async def test_one_broken_request_keeps_no_other_away(sim, caplog):
    router = Router(RuntimeError("bug"))
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        sim.person(ANNA).say("slo api")
        sim.person(ANNA).say("status")
        await until(lambda: router.texts == ["status"])
    assert "request not taken" in caplog.text


async def test_one_unreadable_update_keeps_no_other_away(sim, caplog):
    router = Router()
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        sim.tg.updates.push("message", {"message_id": 1, "from": {"id": 1}, "text": "/status"})
        sim.person(ANNA).say("status")
        await until(lambda: router.texts == ["status"])
    assert "unreadable update" in caplog.text


@pytest.mark.parametrize(
    "how", [{"error": "Conflict: terminated", "status": 409}, {"status": 502}, {"drop": True}, {"retry_after": 3}]
)
async def test_polling_goes_on_after_trouble(sim, how):
    router = Router()
    sim.fail("getUpdates", **how)
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        sim.person(ANNA).say("status")
        await until(lambda: router.texts == ["status"])
    assert sim.clock.slept[0] == how.get("retry_after", 1.0)


async def test_a_wrong_token_is_said_without_the_token(sim):
    async with opened(sim, bot_token="424242:WRONG") as chat:
        with pytest.raises(PermanentError, match="refuses the bot token") as caught:
            await chat.listen(Router().ask)
    assert "WRONG" not in str(caught.value)


async def test_a_group_that_moved_is_known_from_its_own_news(sim):
    async with opened(sim) as chat, hearing(chat, Router()):
        await connected(sim)
        new = sim.person(ANNA).migrate(INCIDENTS).id
        sim.person(ANNA).membership(new, "member")
        await until(lambda: not sim.tg.updates.pending)
        await chat.post(card(), Message(phrase("x")), English())
    assert [call.args["chat_id"] for call in sim.calls("sendMessage")] == [str(new)]


# --- presses ---


async def test_a_press_is_a_request_and_never_spins_for_long(sim):
    router = Router()
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        await chat.post(card(), Message(phrase("card"), buttons=(Button(phrase("Ack"), "ack a-7k2f"),)), English())
        press = sim.person(ANNA).press("Ack", INCIDENTS)
        await until(lambda: press.answer is not None)
        assert press.answer == {"text": "", "show_alert": False}
        late = card(router.requests[0].private, subject="reply:1")
        await chat.post(late, Message(phrase("Done")), English())
    assert router.texts == ["ack a-7k2f"]
    assert 4.0 in sim.clock.slept
    assert [m.text for m in sim.standing(ANNA)] == ["🔵 Done"]
    assert len(sim.calls("answerCallbackQuery")) == 1


async def test_a_dangerous_press_takes_two(sim):
    router = Router()
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        ref = await chat.post(card(), waiting(), English())
        (message,) = sim.standing()
        before = message.buttons
        first = sim.person(ANNA).press("Approve", INCIDENTS)
        await until(lambda: message.buttons != before)
        assert [b["text"] for b in message.buttons] == ["Confirm: Approve", "Back", "Reject"]
        sim.person(ANNA).press("Back", INCIDENTS)
        await until(lambda: message.buttons == before)
        sim.person(BORIS).press("Approve", INCIDENTS)
        await until(lambda: message.buttons != before and first.answer is not None)
        sim.person(BORIS).press("Confirm: Approve", INCIDENTS)
        await until(lambda: router.requests)
        sim.clock.forward(3)
        await chat.edit(card(), ref, waiting(), English())
        assert message.buttons == before
    assert [(r.text, r.account) for r in router.requests] == [("approve op-41c9 12ab34cd", str(BORIS))]


async def test_forged_and_stale_steps_end_quietly(sim):
    router = Router()
    async with opened(sim) as chat, hearing(chat, router):
        await connected(sim)
        ref = await chat.post(card(), waiting(), English())
        (message,) = sim.standing()
        presses = [
            sim.person(ANNA).forge(data, INCIDENTS, int(ref.message)) for data in ("?drop all", "<9.9.9.9.9", "<")
        ]
        sim.person(ANNA).delete(INCIDENTS, message.id)
        presses.append(sim.person(ANNA).forge("?approve op-41c9 12ab34cd", INCIDENTS, message.id))
        await until(lambda: all(press.answer is not None for press in presses))
        assert len(message.revisions) == 1
    assert router.requests == []


async def test_the_keys_speak_the_places_language(sim):
    class Russian(English):
        def translate(self, text):
            return {"Back": "Назад", "Confirm: {label}": "Подтвердить: {label}"}.get(text, text)

    places = []

    def words(place):
        places.append(place)
        return Russian()

    async with opened(sim, words=words) as chat, hearing(chat, Router()):
        await connected(sim)
        button = Button(phrase("Go"), "go", style=Style.DANGER, confirm=Confirm(phrase("?"), phrase("!")))
        await chat.post(card(), Message(phrase("card"), buttons=(button,)), English())
        (message,) = sim.standing()
        sim.person(ANNA).press("Go", INCIDENTS)
        await until(lambda: len(message.buttons) == 2)
        assert [b["text"] for b in message.buttons] == ["Подтвердить: Go", "Назад"]
    assert places == [Place(f"telegram:{INCIDENTS}")]


# --- over HTTP ---


@asynccontextmanager
async def webhook(sim, router, **more):
    async with opened(sim, mode="webhook", webhook_secret=SECRET, **more) as chat, hearing(chat, router):
        await until(lambda: sim.calls("getMe"))
        yield chat


async def status(chat, body, headers=HEADERS):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (await chat.receive(headers, raw)).status


async def test_updates_over_http(sim):
    router = Router(UnavailableError("disk full"))
    async with webhook(sim, router, public_url="http://127.0.0.1:1/") as chat:
        await until(lambda: sim.tg.webhook.url)
        assert (sim.tg.webhook.url, sim.tg.webhook.secret) == ("http://127.0.0.1:1/telegram/updates", SECRET)
        assert sim.tg.updates.allowed == ["message", "callback_query", "my_chat_member"]
        assert await status(chat, update("command-private")) == 503
        assert await status(chat, update("command-private")) == 200
        assert await status(chat, update("edited-message")) == 200
        assert await status(chat, {"update_id": 1, "message": {"x": 1}}) == 200
    assert [r.id for r in router.requests] == ["telegram:900001"]


@pytest.mark.parametrize(
    "headers", [{}, {"x-telegram-bot-api-secret-token": "wrong"}, {"x-telegram-bot-api-secret-token": "é"}]
)
async def test_who_does_not_know_the_secret_is_refused_first(sim, headers):
    router = Router()
    async with webhook(sim, router) as chat:
        assert await status(chat, update("command-private"), headers) == 401
        assert await status(chat, b"{", headers) == 401
    assert router.requests == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"update_id": "1"}', b"\xff"])
async def test_what_is_no_update_is_refused(sim, body):
    async with webhook(sim, Router()) as chat:
        assert await status(chat, body) == 400


async def test_without_a_secret_nothing_is_taken(sim):
    async with opened(sim, mode="webhook") as chat:
        assert await status(chat, update("command-private"), {"x-telegram-bot-api-secret-token": ""}) == 401


async def test_before_we_listen_telegram_shall_come_again(sim):
    async with opened(sim, mode="webhook", webhook_secret=SECRET) as chat:
        assert await status(chat, update("command-private")) == 503


async def test_a_webhook_that_can_not_be_set_is_said(sim):
    sim.fail("setWebhook", status=502)
    async with opened(sim, mode="webhook", webhook_secret=SECRET, public_url="http://127.0.0.1:1") as chat:
        with pytest.raises(TemporaryError):
            await chat.listen(Router().ask)
