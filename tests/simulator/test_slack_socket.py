"""People act, a real slack-bolt app answers: Socket Mode, signed HTTP, acknowledgements, repeats, reconnects."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.simulator import slack
from bot.simulator.world import World


@pytest.fixture
def surface():
    """A minute between retries takes ten milliseconds."""
    return slack.application(World(seed=7, speed=6000))


@pytest.fixture
async def base(surface):
    root = web.Application()
    root.add_subapp("/slack", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield str(running.make_url("/slack"))


@pytest.fixture
def ws(surface):
    return surface[slack.WORKSPACE]


@pytest.fixture
def courier(surface):
    return surface[slack.COURIER]


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


@pytest.fixture
def app(base):
    return AsyncApp(client=AsyncWebClient("xoxb-sim", base_url=f"{base}/api/", retry_handlers=[]), signing_secret="x")


@pytest.fixture
async def connected(app, courier):
    handler = AsyncSocketModeHandler(app, "xapp-sim", ping_interval=0.5)
    handler.client.web_client.base_url = app.client.base_url
    await handler.connect_async()
    await until(lambda: courier.sockets.open)
    yield handler
    await handler.close_async()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_mention_arrives_and_is_answered_in_its_thread(app, connected, drive, ws):
    @app.event("app_mention")
    async def mentioned(event, say):
        await say(text=f"you said {event['text']}", thread_ts=event["ts"])

    said = await drive("say", user="U0ANNA", channel="C0OPS", text="status api", mention=True)
    await until(lambda: len(ws.everything("C0OPS")) == 2)
    reply = ws.everything("C0OPS")[1]
    assert reply.text == "you said <@U0PULT> status api"
    assert reply.thread_ts == said["ts"]


async def test_a_direct_message_arrives_and_channel_chatter_does_not(app, connected, drive, ws, courier):
    @app.event("message")
    async def message(event, say):
        await say(f"{event['channel_type']}: {event['text']}")

    await drive("say", user="U0VERA", channel="C0OPS", text="lunch?")
    await drive("say", user="U0VERA", text="help")
    await until(lambda: len(ws.everything("D0VERA")) == 2)
    assert ws.everything("D0VERA")[1].text == "im: help"
    assert [d.payload["event"]["channel"] for d in courier.deliveries] == ["D0VERA"]


async def test_a_slash_command_is_answered_privately_three_ways(app, connected, drive, ws):
    @app.command("/pult")
    async def command(ack, respond, command):
        await ack(text=f"got {command['text']}")
        await respond("later")
        await respond(text="for all", response_type="in_channel")

    outcome = await drive("slash", user="U0ANNA", channel="C0OPS", text="slo api")
    assert outcome["acked"]
    await until(lambda: len(ws.everything("C0OPS")) == 3)
    assert sorted(m.text for m in ws.answers("U0ANNA")) == ["got slo api", "later"]
    assert [m.text for m in ws.standing("C0OPS")] == ["for all"]


async def test_a_button_is_pressed_and_the_card_changes(app, connected, drive, ws):
    @app.action("ack")
    async def ack_(ack, body, client):
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=f"acked by {body['user']['id']}"
        )

    button = {"type": "button", "text": {"type": "plain_text", "text": "Ack"}, "action_id": "ack", "value": "a-7k2f"}
    posted = await app.client.chat_postMessage(
        channel="C0INC", text="firing", blocks=[{"type": "actions", "elements": [button]}]
    )
    assert (await drive("press", user="U0BORIS", channel="C0INC", button="Nope"))["ok"] is False
    assert (await drive("press", user="U0BORIS", channel="C0INC", button="Ack"))["acked"]
    await until(lambda: len(ws.everything("C0INC")[0].revisions) == 2)
    assert ws.everything("C0INC")[0].text == "acked by U0BORIS"
    forged = {"action_id": "ack", "value": "op-9999"}
    await drive("press", user="U0MALLORY", channel="C0INC", ts=posted["ts"], forge=forged)
    await until(lambda: ws.everything("C0INC")[0].text == "acked by U0MALLORY")


async def test_a_button_for_some_is_not_there_for_others(app, connected, drive, ws):
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Approve"},
        "action_id": "approve",
        "visible_to_user_ids": ["U0CHEN"],
    }
    await app.client.chat_postMessage(channel="C0REL", text="plan", blocks=[{"type": "actions", "elements": [button]}])
    refused = await drive("press", user="U0VERA", channel="C0REL", button="Approve")
    assert refused == {"ok": False, "error": "U0VERA sees no button 'Approve' in C0REL"}


async def test_a_modal_is_opened_refused_and_submitted(app, connected, drive, ws):
    @app.command("/pult")
    async def command(ack, body, client):
        await ack()
        field = {"type": "plain_text_input", "action_id": "why"}
        label = {"type": "plain_text", "text": "Why"}
        view = {
            "type": "modal",
            "callback_id": "silence",
            "title": {"type": "plain_text", "text": "Silence"},
            "submit": {"type": "plain_text", "text": "Create"},
            "blocks": [{"type": "input", "block_id": "why", "label": label, "element": field}],
        }
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("silence")
    async def submitted(ack, view):
        if view["state"]["values"]["why"]["why"]["value"] == "no":
            await ack(response_action="errors", errors={"why": "say more"})
        else:
            await ack()

    await drive("slash", user="U0ANNA", channel="C0OPS", text="silence")
    await until(lambda: ws.modals)

    async def submit(value):
        values = {"why": {"why": {"type": "plain_text_input", "value": value}}}
        return await drive("submit", user="U0ANNA", values=values)

    assert (await submit("no"))["answer"] == {"response_action": "errors", "errors": {"why": "say more"}}
    assert ws.modals
    assert (await submit("noisy"))["acked"]
    assert not ws.modals


async def test_the_home_tab_is_asked_for(app, connected, drive, ws):
    @app.event("app_home_opened")
    async def opened(event, client):
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    await drive("home", user="U0CHEN")
    await until(lambda: "U0CHEN" in ws.homes)


async def test_an_app_that_does_not_acknowledge_gets_the_event_again(http, base, drive, courier):
    await drive("settings", ack_seconds=0.05)
    async with (
        http.post(f"{base}/api/apps.connections.open", headers={"Authorization": "Bearer xapp-sim"}) as opened,
        http.ws_connect((await opened.json())["url"]) as socket,
    ):
        assert (await socket.receive_json())["type"] == "hello"
        await drive("say", user="U0ANNA", channel="C0OPS", text="status", mention=True)
        frames = [await socket.receive_json() for _ in range(3)]
        await socket.send_json({"envelope_id": frames[-1]["envelope_id"]})
        await until(lambda: courier.deliveries[0].acked)
    assert len({frame["envelope_id"] for frame in frames}) == 3
    assert len({frame["payload"]["event_id"] for frame in frames}) == 1
    assert [(f["retry_attempt"], f["retry_reason"]) for f in frames] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert [a.failure for a in courier.deliveries[0].attempts] == ["timeout", "timeout", None]


async def test_nobody_listening_is_tried_four_times(drive, courier):
    await drive("say", user="U0ANNA", channel="C0OPS", text="status", mention=True)
    await until(lambda: courier.deliveries and len(courier.deliveries[0].attempts) == 4)
    assert {a.via for a in courier.deliveries[0].attempts} == {"nowhere"}
    assert (await drive("slash", user="U0ANNA", channel="C0OPS", text="status"))["acked"] is False


async def test_a_ticket_opens_one_socket_once(http, base, ws):
    ticket = ws.tickets.socket()
    async with http.ws_connect(f"{base}/socket?ticket={ticket}") as socket:
        assert (await socket.receive_json())["type"] == "hello"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"{base}/socket?ticket={ticket}")


async def test_the_eleventh_socket_is_sent_away(http, base, ws, courier):
    sockets = [await http.ws_connect(f"{base}/socket?ticket={ws.tickets.socket()}") for _ in range(11)]
    first = [(await socket.receive_json()) for socket in sockets]
    assert [frame["type"] for frame in first] == ["hello"] * 10 + ["disconnect"]
    assert first[-1]["reason"] == "too_many_websockets"
    for socket in sockets:
        await socket.close()
    await until(lambda: not courier.sockets.open)


@pytest.mark.parametrize("do", ["refresh_requested", "drop"])
async def test_the_app_comes_back_after_its_socket_is_closed(app, connected, drive, courier, do):
    @app.command("/pult")
    async def command(ack):
        await ack("here")

    first = courier.sockets.open[0]
    assert (await drive("socket", do=do))["sockets"] == 1
    await until(lambda: courier.sockets.open and courier.sockets.open[0] is not first)
    for _ in range(20):  # the new socket is open before the client listens on it
        if (await drive("slash", user="U0ANNA", channel="C0OPS", text="status"))["acked"]:
            return
    pytest.fail("the app does not hear on its new socket")


async def test_http_mode_is_signed_verified_and_repeated(http, base, drive, courier, ws):
    seen = []
    verifier = SignatureVerifier("sim-signing-secret")

    async def events(request):
        body = await request.read()
        assert verifier.is_valid_request(body, dict(request.headers))
        if request.content_type == "application/json":
            found = json.loads(body)
            if found["type"] == "url_verification":
                return web.json_response({"challenge": found["challenge"]})
        else:
            found = dict(await request.post())
        seen.append((found, request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        if "command" in found:
            return web.Response(text="at once")
        return web.Response(status=500 if len(seen) < 3 else 200)

    target = web.Application()
    target.add_routes([web.post("/slack/events", events)])
    async with TestServer(target, host="127.0.0.1") as receiver:
        assert (await drive("target", url=str(receiver.make_url("/slack/events"))))["verified"]
        await drive("say", user="U0ANNA", channel="C0OPS", text="status", mention=True)
        await until(lambda: courier.deliveries[0].acked)
        outcome = await drive("slash", user="U0ANNA", channel="C0OPS", text="slo api")
    assert outcome["answer"] == "at once"
    assert [m.text for m in ws.answers("U0ANNA")] == ["at once"]
    assert [retry for _, retry, _ in seen[:3]] == [None, "1", "2"]
    assert seen[1][2] == "http_error"
    assert seen[3][0]["is_enterprise_install"] == "false"


async def test_a_message_deleted_by_hand_is_gone(app, connected, drive, ws, http, base):
    posted = await app.client.chat_postMessage(channel="C0INC", text="card")
    assert (await drive("delete", user="U0ANNA", channel="C0INC", ts=posted["ts"]))["ok"]
    assert ws.standing("C0INC") == []
    async with http.get(f"{base}/_drive/messages?channel=C0INC") as answer:
        (shown,) = (await answer.json())["messages"]
    assert shown["deleted_at"] is not None
    assert shown["revisions"][0]["text"] == "card"


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [("dance", {}, 404), ("say", {"user": "U0NOBODY", "text": "hi"}, 400), ("say", {"user": "U0ANNA"}, 400)],
)
async def test_acts_that_cannot_be_are_refused_with_a_sentence(http, base, act, body, status):
    async with http.post(f"{base}/_drive/{act}", json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_an_open_socket_does_not_hold_up_the_end(surface, http):
    async with TestServer(surface, host="127.0.0.1") as running:
        ticket = surface[slack.WORKSPACE].tickets.socket()
        socket = await http.ws_connect(running.make_url(f"/socket?ticket={ticket}"))
        assert (await socket.receive_json())["type"] == "hello"
    assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    await socket.close()
