"""People act, a real python-telegram-bot application answers: polling, webhook, conflicts, repeats, presses."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, CallbackQueryHandler, CommandHandler

from bot.simulator import telegram
from bot.simulator.world import World

INCIDENTS, OPS = -1001000000001, -1001000000002


class Clock:
    """The wall clock, which can be put forward."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead

    def forward(self, seconds):
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def world():
    return World(seed=7, speed=1000, clock=Clock())


@pytest.fixture
def surface(world):
    return telegram.application(world)


@pytest.fixture
def tg(surface):
    return surface[telegram.TELEGRAM]


@pytest.fixture
async def base(surface):
    root = web.Application()
    root.add_subapp("/telegram", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield str(running.make_url("/telegram"))


@pytest.fixture
async def bot(base):
    async with Bot("424242:SIM", base_url=f"{base}/bot") as made:
        yield made


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def drive(http, base):
    async def act(name, **body):
        async with http.post(f"{base}/_drive/{name}", json=body) as answer:
            return await answer.json()

    return act


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def card(data="ack:1"):
    return InlineKeyboardMarkup([[InlineKeyboardButton("Ack", callback_data=data)]])


async def test_a_polling_application_answers_commands_and_presses(bot, tg, drive, http, base):
    app = Application.builder().bot(bot).build()

    async def status(update, _context):
        await update.effective_message.reply_text(
            f"hello {update.effective_user.first_name}", reply_markup=card(), do_quote=True
        )

    async def pressed(update, _context):
        await update.callback_query.answer("noted", show_alert=True)
        await update.callback_query.edit_message_text(f"acked by {update.effective_user.id}")

    app.add_handlers([CommandHandler("status", status), CallbackQueryHandler(pressed)])
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=5)
        await drive("say", user=1001, chat=OPS, thread=17, text="/status@Pult_Sim_Bot api")
        await until(lambda: len(tg.standing(OPS)) == 2)
        await drive("press", user=1002, chat=OPS, button="Ack")
        await until(lambda: len(tg.standing(OPS)[1].revisions) == 2)
        await app.updater.stop()
        await app.stop()
    reply = tg.standing(OPS)[1]
    assert reply.thread == 17
    assert reply.reply_to == tg.standing(OPS)[0].id
    assert [r.text for r in reply.revisions] == ["hello Anna", "acked by 1002"]
    async with http.get(f"{base}/_drive/answers?user=1002") as answer:
        (press,) = (await answer.json())["presses"]
    assert press["answer"] == {"text": "noted", "show_alert": True}
    assert tg.updates.pending == []


async def test_updates_stay_until_they_are_confirmed(bot, drive):
    for text in ("/one", "/two"):
        await drive("say", user=1001, text=text)
    first = await bot.get_updates(timeout=0)
    assert [u.message.text for u in first] == ["/one", "/two"]
    assert [u.update_id for u in await bot.get_updates(timeout=0)] == [u.update_id for u in first]
    rest = await bot.get_updates(offset=first[0].update_id + 1, timeout=0)
    assert [u.message.text for u in rest] == ["/two"]
    assert len(await bot.get_updates(offset=-1, limit=1, timeout=0)) == 1


async def test_a_long_poll_ends_when_something_comes(bot, drive, tg):
    polling = asyncio.create_task(bot.get_updates(timeout=30))
    await until(lambda: tg.updates._poll is not None)
    await drive("say", user=1001, text="/help")
    assert [u.message.text for u in await polling] == ["/help"]


async def test_two_pollers_conflict(bot, base, drive, tg):
    polling = asyncio.create_task(bot.get_updates(timeout=30))
    await until(lambda: tg.updates._poll is not None)
    async with Bot("424242:SIM", base_url=f"{base}/bot") as second:
        assert list(await second.get_updates(timeout=0)) == []
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await polling


async def test_a_webhook_and_polling_exclude_each_other(bot):
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates(timeout=0)
    await bot.delete_webhook()
    assert list(await bot.get_updates(timeout=0)) == []


@pytest.mark.parametrize(
    ("url", "secret", "sentence"),
    [
        ("http://pult.example/hook", "s", "An HTTPS URL must be provided for webhook"),
        ("http://127.0.0.1/hook", "no spaces", "unallowed characters"),
    ],
)
async def test_webhooks_refused(bot, url, secret, sentence):
    with pytest.raises(BadRequest, match=f"(?i).*{sentence}"):
        await bot.set_webhook(url, secret_token=secret)


async def test_a_webhook_is_called_in_order_with_its_secret_until_it_answers(bot, drive, tg):
    seen = []

    async def hook(request):
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "sim-telegram-secret"
        seen.append(Update.de_json(await request.json(), bot))
        return web.Response(status=500 if len(seen) < 3 else 200)

    target = web.Application()
    target.add_routes([web.post("/hook", hook)])
    await drive("say", user=1001, text="/one")
    async with TestServer(target, host="127.0.0.1") as receiver:
        await bot.set_webhook(str(receiver.make_url("/hook")), secret_token="sim-telegram-secret")
        await drive("say", user=1001, text="/two")
        await until(lambda: not tg.updates.pending)
        assert [u.message.text for u in seen] == ["/one", "/one", "/one", "/two"]
        assert len({u.update_id for u in seen}) == 2
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        assert info.pending_update_count == 0


async def test_only_the_updates_asked_for_come(bot, drive):
    await bot.get_updates(timeout=0, allowed_updates=["callback_query"])
    await drive("say", user=1001, text="/help")
    await bot.send_message(1001, "card", reply_markup=card())
    await drive("press", user=1001, button="ack:1")
    (only,) = await bot.get_updates(timeout=0)
    assert only.callback_query.data == "ack:1"
    assert only.callback_query.message.chat.id == 1001


async def test_a_press_must_be_answered_in_time(bot, drive, world):
    await bot.send_message(1001, "card", reply_markup=card())
    press = (await drive("press", user=1001, button="Ack"))["press"]
    with pytest.raises(BadRequest, match=r"(?i)message_too_long"):
        await bot.answer_callback_query(press, "x" * 201)
    world.clock.forward(31)
    for stale in (press, "12345"):
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
            await bot.answer_callback_query(stale)


async def test_forged_presses_and_presses_on_deleted_messages_come_too(bot, drive, tg):
    sent = await bot.send_message(INCIDENTS, "card", reply_markup=card())
    await drive("delete", user=1001, chat=INCIDENTS, message_id=sent.message_id)
    assert (await drive("press", user=1001, chat=INCIDENTS, button="Ack"))["ok"] is False
    forged = {"user": 6666, "chat": INCIDENTS, "message_id": sent.message_id, "forge": "ok:op-9999"}
    assert (await drive("press", **forged))["ok"]
    (update,) = await bot.get_updates(timeout=0)
    assert update.callback_query.data == "ok:op-9999"
    assert update.callback_query.message.is_accessible is False


async def test_payloads_are_telegrams(bot, drive, tg):
    said = await drive("say", user=1001, chat=OPS, thread=17, text="/deploy@pult_sim_bot api")
    await drive("edit", user=1001, chat=OPS, message_id=said["message_id"], text="/deploy@pult_sim_bot web")
    await drive("bot", user=1001, chat=OPS, status="member")
    message, edited, membership = await bot.get_updates(timeout=0)
    assert message.message.entities[0].to_dict() == {"type": "bot_command", "offset": 0, "length": 20}
    assert message.message.is_topic_message
    assert message.message.reply_to_message.forum_topic_created.name == "deploys"
    assert edited.edited_message.edit_date is not None
    assert membership.my_chat_member.old_chat_member.status == "administrator"
    assert membership.my_chat_member.new_chat_member.status == "member"


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [
        ("dance", {}, 404),
        ("say", {"user": 99, "text": "hi"}, 400),
        ("say", {"user": 1001, "chat": OPS, "thread": 99, "text": "hi"}, 400),
        ("bot", {"user": 1001, "chat": OPS, "status": "king"}, 400),
        ("press", {"user": 1001, "button": "Nope"}, 400),
    ],
)
async def test_acts_that_cannot_be_are_refused_with_a_sentence(http, base, act, body, status):
    async with http.post(f"{base}/_drive/{act}", json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_a_waiting_poll_does_not_hold_up_the_end(world):
    surface = telegram.application(world)
    async with TestServer(surface, host="127.0.0.1") as running:
        bot = Bot("424242:SIM", base_url=str(running.make_url("/bot")))
        await bot.initialize()
        polling = asyncio.create_task(bot.get_updates(timeout=50))
        await until(lambda: surface[telegram.TELEGRAM].updates._poll is not None)
    assert list(await polling) == []
    await bot.shutdown()
