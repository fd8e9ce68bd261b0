"""What people do in Slack reaches pult: over signed HTTP and over Socket Mode."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.errors import PermanentError, UnavailableError
from bot.domain.messages import Button, Message
from bot.domain.phrases import English, phrase
from bot.platforms.slack import open_slack
from bot.simulator import slack
from bot.simulator.slack.courier import sign
from bot.simulator.slack.messages import Revision
from bot.simulator.slack.person import Person
from bot.simulator.world import World
from tests.platforms.slack_setup import Clock, body, card, recorded, settings, until

NOW = datetime.fromtimestamp(1795482600, UTC)
SECRET = "test-slack-signing-secret"


# --- signed HTTP ---


@asynccontextmanager
async def hearing(chat, ask):
    """*chat* listens meanwhile."""
    task = asyncio.create_task(chat.listen(ask))
    try:
        await asyncio.sleep(0)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def heard():
    return []


@pytest.fixture
def ask(heard):
    async def keep(request):
        heard.append(request)

    return keep


@pytest.fixture
async def http_chat():
    async with open_slack(settings("http://127.0.0.1:1", signing_secret=SECRET), Clock(NOW)) as chat:
        yield chat


@pytest.mark.parametrize(
    ("case", "text"),
    [("slash-command", "status checkout"), ("app-mention", "status checkout"), ("block-actions", "req-17")],
)
async def test_a_signed_request_is_stored_and_acknowledged(http_chat, heard, ask, case, text):
    async with hearing(http_chat, ask):
        answer = await http_chat.receive(*recorded(case))
    assert (answer.status, answer.body) == (200, "")
    assert [request.text for request in heard] == [text]


@pytest.mark.parametrize("case", ["message-thread", "app-home-opened"])
async def test_what_is_not_for_us_is_acknowledged_too(http_chat, heard, ask, case):
    async with hearing(http_chat, ask):
        assert (await http_chat.receive(*recorded(case))).status == 200
    assert heard == []


async def test_slack_may_ask_whether_the_address_is_ours(http_chat, ask):
    async with hearing(http_chat, ask):
        answer = await http_chat.receive(*recorded("url-verification"))
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert json.loads(answer.body) == {"challenge": body("url-verification")["challenge"]}


def stale(seconds):
    def spoil(headers, raw):
        stamp = int(NOW.timestamp()) + seconds
        return headers | {"x-slack-request-timestamp": str(stamp), "x-slack-signature": sign(raw, stamp, SECRET)}, raw

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers, raw: ({}, raw),
        lambda headers, raw: (headers | {"x-slack-signature": "v0=00"}, raw),
        lambda headers, raw: (headers | {"x-slack-signature": "v0=é"}, raw),
        lambda headers, raw: (headers | {"x-slack-request-timestamp": "1795482601"}, raw),
        lambda headers, raw: (headers | {"x-slack-request-timestamp": "-1"}, raw),
        lambda headers, raw: (headers, raw + b" "),
        stale(301),
        stale(-301),
    ],
    ids=["bare", "wrong", "not ascii", "other time", "no time", "other body", "ahead", "old"],
)
async def test_what_slack_did_not_sign_now_changes_nothing(http_chat, heard, ask, spoil):
    async with hearing(http_chat, ask):
        answer = await http_chat.receive(*spoil(*recorded("slash-command")))
    assert answer.status == 401
    assert heard == []


@pytest.mark.parametrize("seconds", [300, -300])
async def test_five_minutes_are_allowed(http_chat, heard, ask, seconds):
    async with hearing(http_chat, ask):
        await http_chat.receive(*stale(seconds)(*recorded("slash-command")))
    assert len(heard) == 1


@pytest.mark.parametrize("case", ["slash-command", "app-mention", "block-actions"])
async def test_what_cannot_be_stored_is_not_acknowledged(http_chat, case):
    async def full(_):
        raise UnavailableError("disk full")

    async with hearing(http_chat, full):
        assert (await http_chat.receive(*recorded(case))).status == 503


async def test_before_it_listens_it_is_starting(http_chat):
    assert (await http_chat.receive(*recorded("slash-command"))).status == 503


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"type":'])
async def test_a_signed_but_unreadable_body_is_refused(http_chat, ask, raw):
    stamp = int(NOW.timestamp())
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": str(stamp),
        "x-slack-signature": sign(raw, stamp, SECRET),
    }
    async with hearing(http_chat, ask):
        assert (await http_chat.receive(headers, raw)).status == 400


# --- Socket Mode ---


@pytest.fixture
def surface():
    """A minute between Slack's repeats takes ten milliseconds."""
    return slack.application(World(seed=7, speed=6000))


@pytest.fixture
def ws(surface):
    return surface[slack.WORKSPACE]


@pytest.fixture
def courier(surface):
    return surface[slack.COURIER]


@pytest.fixture
async def base(surface):
    root = web.Application()
    root.add_subapp("/slack", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield str(running.make_url("/slack"))


@pytest.fixture
async def chat(base):
    async with open_slack(settings(base, app_token="xapp-sim"), Clock()) as opened:
        opened._inbound.ping = 0.2
        yield opened


@pytest.fixture
def anna(ws, courier, base):
    return Person(ws, courier, "U0ANNA", base)


async def test_words_commands_and_presses_come_over_the_socket(chat, heard, ask, ws, courier, anna):
    await chat.post(card(), Message(phrase("t"), buttons=(Button(phrase("Ack"), "ack a-7k2f"),)), English())
    async with hearing(chat, ask):
        await until(lambda: courier.sockets.open)
        anna.say("<@U0PULT> status api", "C0OPS")
        await until(lambda: len(heard) == 1)
        anna.say("help")
        await until(lambda: len(heard) == 2)
        command = await anna.slash("slo api", "C0OPS")
        press = await anna.press("Ack", "C0INC")
    assert command.acked
    assert press.acked
    assert [request.text for request in heard] == ["status api", "help", "slo api", "ack a-7k2f"]
    assert [request.shared for request in heard] == [True, False, True, True]
    assert {request.account for request in heard} == {"U0ANNA"}
    assert all(delivery.acked for delivery in courier.deliveries)


async def test_a_pressed_answer_reaches_only_who_pressed(chat, heard, ask, ws, courier, anna):
    await chat.post(card(), Message(phrase("t"), buttons=(Button(phrase("Ack"), "ack a-7k2f"),)), English())
    async with hearing(chat, ask):
        await until(lambda: courier.sockets.open)
        await anna.press("Ack", "C0INC")
    await chat.post(card("reply:r1", heard[0].private), Message(phrase("done")), English())
    assert [message.text for message in ws.answers("U0ANNA")] == ["🔵 done"]


async def test_what_could_not_be_stored_slack_sends_again(chat, heard, courier, anna):
    async def once_full(request):
        heard.append(request)
        if len(heard) == 1:
            raise UnavailableError("disk full")

    courier.ack_seconds = 0.2
    async with hearing(chat, once_full):
        await until(lambda: courier.sockets.open)
        anna.say("<@U0PULT> status", "C0OPS")
        await until(lambda: len(heard) == 2)
        await until(lambda: courier.deliveries[0].acked)
    assert heard[0].id == heard[1].id


@pytest.mark.parametrize("how", ["drop", "refresh_requested"])
async def test_a_lost_socket_is_opened_again(chat, heard, ask, courier, anna, how):
    async with hearing(chat, ask):
        await until(lambda: courier.sockets.open)
        first = courier.sockets.open[0]
        if how == "drop":
            courier.sockets.drop()
        else:
            await courier.sockets.refresh(first, how)
        await until(lambda: courier.sockets.open and courier.sockets.open[-1] is not first)
        anna.say("<@U0PULT> status", "C0OPS")
        await until(lambda: heard)
    assert heard[0].text == "status"


async def test_a_wrong_app_token_ends_listening_with_the_reason(base, ask):
    async with open_slack(settings(base, app_token="xapp-wrong"), Clock()) as chat:
        with pytest.raises(PermanentError, match="invalid_auth"):
            await chat.listen(ask)


async def test_bots_do_not_start_conversations(chat, heard, ask, ws, courier):
    async with hearing(chat, ask):
        await until(lambda: courier.sockets.open)
        ws.post("C0OPS", "U0PULT", Revision(ws.now(), "<@U0PULT> status"))
        Person(ws, courier, "U0ANNA", "").say("lunch?", "C0OPS")
        Person(ws, courier, "U0ANNA", "").open_home()
        await until(lambda: courier.deliveries and courier.deliveries[-1].acked)
    assert heard == []
