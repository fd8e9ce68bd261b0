"""The Web API through slack_sdk's own client: what it takes, refuses, limits, forgets and loses."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.simulator import slack
from bot.simulator.slack.messages import Revision
from bot.simulator.world import World


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

    def now(self):
        return self.at

    def forward(self, seconds):
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def world():
    return World(seed=7, speed=1000, clock=Clock())


@pytest.fixture
def surface(world):
    return slack.application(world)


@pytest.fixture
async def server(surface):
    root = web.Application()
    root.add_subapp("/slack", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield running


@pytest.fixture
def ws(surface):
    return surface[slack.WORKSPACE]


@pytest.fixture
def base(server):
    return str(server.make_url("/slack"))


@pytest.fixture
def client(base):
    return AsyncWebClient("xoxb-sim", base_url=f"{base}/api/", retry_handlers=[])


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def drive(http, base, act, **body):
    async with http.post(f"{base}/_drive/{act}", json=body) as answer:
        return await answer.json()


async def error_of(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


def button(text="Ack", **more):
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": text.lower(), **more}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_message_is_posted_edited_and_every_revision_kept(client, ws):
    posted = await client.chat_postMessage(
        channel="C0INC",
        text="firing",
        blocks=[section("firing")],
        metadata={"event_type": "k", "event_payload": {"a": 1}},
    )
    assert posted["channel"] == "C0INC"
    assert posted["message"]["bot_id"] == "B0PULT"
    await client.chat_update(channel="C0INC", ts=posted["ts"], text="resolved")
    (message,) = ws.everything("C0INC")
    assert [r.text for r in message.revisions] == ["firing", "resolved"]
    assert message.blocks == ()
    assert message.now.metadata == {"event_type": "k", "event_payload": {"a": 1}}
    assert [(c.method, c.status, c.error) for c in ws.calls] == [
        ("chat.postMessage", 200, None),
        ("chat.update", 200, None),
    ]


@pytest.mark.parametrize(
    ("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("xapp-sim", "not_allowed_token_type")]
)
async def test_tokens(base, http, token, error):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(f"{base}/api/auth.test", headers=headers) as answer:
        assert answer.status == 200
        assert await answer.json() == {"ok": False, "error": error}


async def test_forms_and_json_are_both_read(base, http, ws):
    form = {"token": "xoxb-sim", "channel": "C0INC", "blocks": '[{"type":"divider"}]', "text": "t"}
    async with http.post(f"{base}/api/chat.postMessage", data=form) as answer:
        assert (await answer.json())["ok"]
    async with http.post(f"{base}/api/chat.postMessage", json={**form, "channel": "C0OPS"}) as answer:
        assert await answer.json() == {"ok": False, "error": "not_authed"}
    assert ws.everything("C0INC")[0].blocks[0]["type"] == "divider"


async def test_unknown_methods(client):
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NOPE", "text": "hi"}, "channel_not_found"),
        ({"channel": "C0INC", "text": " "}, "no_text"),
        ({"channel": "C0INC", "text": "hi", "blocks": "[oops"}, "invalid_blocks_format"),
        ({"channel": "C0INC", "text": "hi", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C0INC", "text": "hi", "metadata": {"event_type": "k"}}, "invalid_metadata_format"),
        ({"channel": "C0INC", "text": "hi", "markdown_text": "hi"}, "markdown_text_conflict"),
    ],
)
async def test_posts_refused(client, ws, args, error):
    assert await error_of(client.api_call("chat.postMessage", json=args)) == error
    assert ws.messages == []


async def test_refused_blocks_carry_their_pointer(client):
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0INC", text="t", blocks=[section("x" * 3001)])
    sentence = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert caught.value.response["errors"] == [sentence]
    assert caught.value.response["response_metadata"]["messages"] == [f"[ERROR] {sentence}"]


async def test_long_text_is_cut_in_a_post_and_refused_in_an_update(client):
    posted = await client.chat_postMessage(channel="C0INC", text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    assert posted["warning"] == "message_truncated"
    assert await error_of(client.chat_update(channel="C0INC", ts=posted["ts"], text="x" * 4_001)) == "msg_too_long"


async def test_what_cannot_be_updated(client, ws):
    ephemeral = await client.chat_postEphemeral(channel="C0INC", user="U0ANNA", text="psst")
    theirs = ws.post("C0INC", "U0ANNA", Revision(ws.now(), "mine"))
    rich = {"type": "rich_text", "elements": []}
    card = await client.chat_postMessage(channel="C0INC", text="t", blocks=[rich])

    async def update(ts, **more):
        return await error_of(client.chat_update(channel="C0INC", ts=ts, text="new", **more))

    assert await update(ephemeral["message_ts"]) == "cant_update_message"
    assert await update(theirs.ts) == "cant_update_message"
    assert await update("1.000001") == "message_not_found"
    assert await update(card["ts"], blocks=[section("x")]) == "block_mismatch"
    await client.chat_delete(channel="C0INC", ts=card["ts"])
    assert await update(card["ts"]) == "message_not_found"


async def test_ephemeral_messages_reach_members_only_and_are_in_no_history(client, ws, base, http):
    await client.chat_postEphemeral(channel="C0INC", user="U0ANNA", text="for you")
    assert (
        await error_of(client.chat_postEphemeral(channel="C0INC", user="U0NOBODY", text="x")) == "user_not_in_channel"
    )
    assert (await client.conversations_history(channel="C0INC"))["messages"] == []
    async with http.get(f"{base}/_drive/answers?user=U0ANNA") as answer:
        assert [m["text"] for m in (await answer.json())["messages"]] == ["for you"]
    assert ws.answers("U0VERA") == []


async def test_history_finds_a_message_by_its_metadata_and_leaves_replies_out(client, world):
    keys = []
    for number in range(3):
        world.clock.forward(10)
        posted = await client.chat_postMessage(
            channel="C0INC", text="t", metadata={"event_type": "card", "event_payload": {"key": number}}
        )
        keys.append(posted["ts"])
    await client.chat_postMessage(channel="C0INC", text="reply", thread_ts=keys[0])
    found = await client.conversations_history(channel="C0INC", oldest=keys[0], include_all_metadata=True)
    assert [m["metadata"]["event_payload"]["key"] for m in found["messages"]] == [2, 1]
    bare = await client.conversations_history(channel="C0INC", limit=1)
    assert "metadata" not in bare["messages"][0]
    assert bare["has_more"]
    rest = await client.conversations_history(
        channel="C0INC", limit=5, cursor=bare["response_metadata"]["next_cursor"], include_all_metadata=True
    )
    assert [m["ts"] for m in rest["messages"]] == keys[1::-1]
    thread = await client.conversations_replies(channel="C0INC", ts=keys[0])
    assert [m["text"] for m in thread["messages"]] == ["t", "reply"]
    assert thread["messages"][0]["reply_count"] == 1


async def test_one_post_a_second_per_channel_after_a_burst_of_three(client, world):
    for _ in range(3):
        await client.chat_postMessage(channel="C0INC", text="t")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0INC", text="t")
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="C0OPS", text="t")
    world.clock.forward(1)
    await client.chat_postMessage(channel="C0INC", text="t")


async def test_updates_share_one_budget_across_channels(client, world, ws):
    ts = [(await client.chat_postMessage(channel=c, text="t"))["ts"] for c in ("C0INC", "C0OPS")]
    waits = []
    for number in range(60):
        channel = number % 2
        try:
            await client.chat_update(channel=("C0INC", "C0OPS")[channel], ts=ts[channel], text=f"{number}")
        except SlackApiError as limited:
            waits.append(limited.response.headers["Retry-After"])
    assert waits == ["2"] * 40
    world.clock.forward(2)
    await client.chat_update(channel="C0INC", ts=ts[0], text="again")
    ws.rates.scale = 0
    for number in range(100):
        await client.chat_update(channel="C0INC", ts=ts[0], text=f"free {number}")


async def test_the_worlds_rate_limit_fault_stops_every_method(client, world):
    world.faults.start("ratelimit", "slack")
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ANNA")
    assert caught.value.response.status_code == 429


async def test_channels_can_be_archived_and_the_bot_kicked(client, base, http):
    await drive(http, base, "archive", channel="C0INC")
    assert await error_of(client.chat_postMessage(channel="C0INC", text="t")) == "is_archived"
    await drive(http, base, "archive", channel="C0INC", archived=False)
    await drive(http, base, "kick", channel="C0INC")
    assert await error_of(client.chat_postMessage(channel="C0INC", text="t")) == "not_in_channel"
    await drive(http, base, "invite", channel="C0INC")
    await client.chat_postMessage(channel="C0INC", text="t")


async def test_a_person_is_reached_by_user_id_or_an_opened_channel(client, ws):
    opened = await client.conversations_open(users="U0ANNA")
    posted = await client.chat_postMessage(channel="U0ANNA", text="hello")
    assert posted["channel"] == opened["channel"]["id"] == "D0ANNA"
    assert await error_of(client.conversations_open(users="U0NOBODY")) == "user_not_found"


@pytest.mark.parametrize("trouble", [{"error": "internal_error"}, {"status": 503}, {"drop": True}])
async def test_the_answer_can_be_lost_after_the_message_was_posted(client, ws, base, http, trouble):
    assert (await drive(http, base, "fail", method="chat.postMessage", mode="after", **trouble))["ok"]
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await client.chat_postMessage(channel="C0INC", text="once")
    assert [m.text for m in ws.everything("C0INC")] == ["once"]
    await client.chat_postMessage(channel="C0INC", text="twice")
    assert [c.error is None for c in ws.calls] == [False, True]


async def test_or_before(client, ws, base, http):
    await drive(http, base, "fail", method="chat.postMessage", mode="before", error="fatal_error")
    assert await error_of(client.chat_postMessage(channel="C0INC", text="t")) == "fatal_error"
    assert ws.messages == []


@pytest.mark.parametrize(
    "body", [{}, {"method": "chat.update", "mode": "late", "drop": True}, {"method": "chat.update", "mode": "after"}]
)
async def test_a_failure_nobody_could_mean_is_refused(base, http, body):
    assert (await drive(http, base, "fail", **body))["ok"] is False


async def test_injection_shows_as_a_mention(client, ws):
    await client.chat_postMessage(
        channel="C0INC", text="label &lt;!channel&gt; &lt;@U0ANNA&gt; <!date^1700000000^{date}|then>"
    )
    quiet, loud = ws.everything("C0INC")[0], None
    assert quiet.mentions == []
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "<!here>"}]}],
    }
    await client.chat_postMessage(channel="C0INC", text="<!channel> <https://evil.example|runbook>", blocks=[rich])
    loud = ws.everything("C0INC")[1]
    assert loud.mentions == ["!channel"]
    assert loud.links == [("https://evil.example", "runbook")]
    await client.chat_update(channel="C0INC", ts=loud.ts, text="quiet", blocks=[rich])
    assert loud.mentions == ["!channel"]


async def test_the_content_of_a_shared_file_can_be_looked_at(client, base, http):
    await client.files_upload_v2(channel="C0INC", content="one\ntwo", filename="list.txt")
    async with http.get(f"{base}/_drive/files") as answer:
        (file,) = (await answer.json())["files"]
    assert (file["name"], file["channels"], file["text"]) == ("list.txt", ["C0INC"], "one\ntwo")


async def test_a_file_is_shared_in_a_thread_and_usable_in_blocks_a_little_later(client, ws, world):
    parent = await client.chat_postMessage(channel="C0INC", text="card")
    done = await client.files_upload_v2(
        channel="C0INC", thread_ts=parent["ts"], filename="graph.png", content=b"\x89PNG....", initial_comment="graph"
    )
    file_id = done["file"]["id"]
    assert [m.kind for m in ws.everything("C0INC")] == ["text", "file"]
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "graph"}
    assert await error_of(client.chat_postMessage(channel="C0INC", text="t", blocks=[image])) == "invalid_blocks"
    assert (await client.files_info(file=file_id))["file"]["mimetype"] == ""
    world.clock.forward(3)
    assert (await client.files_info(file=file_id))["file"]["mimetype"] == "image/png"
    await client.chat_postMessage(channel="C0INC", text="t", blocks=[image])


async def test_a_home_tab_is_published_and_guarded_by_its_hash(client, ws):
    view = {"type": "home", "blocks": [section("all is well")]}
    published = await client.views_publish(user_id="U0ANNA", view=view)
    assert ws.homes["U0ANNA"]["blocks"] == view["blocks"]
    await client.views_publish(user_id="U0ANNA", view=view, hash=published["view"]["hash"])
    assert await error_of(client.views_publish(user_id="U0ANNA", view=view, hash="1.stale")) == "hash_conflict"
    broken = {"type": "home", "blocks": [{"type": "plan", "title": "t", "tasks": []}]}
    assert await error_of(client.views_publish(user_id="U0ANNA", view=broken)) == "invalid_arguments"


async def test_a_trigger_lives_three_seconds_and_works_once(client, ws, world):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": []}
    old, fresh = ws.tickets.trigger("U0ANNA"), None
    world.clock.forward(3.1)
    assert await error_of(client.views_open(trigger_id=old, view=view)) == "expired_trigger_id"
    fresh = ws.tickets.trigger("U0ANNA")
    assert (await client.views_open(trigger_id=fresh, view=view))["view"]["id"] in ws.modals
    assert await error_of(client.views_open(trigger_id=fresh, view=view)) == "exchanged_trigger_id"
    for _ in range(2):
        await client.views_push(trigger_id=ws.tickets.trigger("U0ANNA"), view=view)
    assert await error_of(client.views_push(trigger_id=ws.tickets.trigger("U0ANNA"), view=view)) == "push_limit_reached"


async def test_a_response_url_answers_five_times_in_half_an_hour(base, http, ws, world):
    card = ws.post("C0INC", "U0PULT", Revision(ws.now(), "card"))
    url = f"{base}/hooks/actions/{ws.tickets.response('U0ANNA', 'C0INC', card.ts, None)}"

    async def respond(**body):
        async with http.post(url, json=body) as answer:
            return answer.status, await answer.text()

    assert await respond(text="only you") == (200, "ok")
    assert await respond(text="everyone", response_type="in_channel") == (200, "ok")
    assert await respond(text="new card", replace_original=True) == (200, "ok")
    assert await respond(delete_original=True) == (200, "ok")
    assert (await respond())[0] == 400
    assert await respond(text="sixth") == (404, '{"ok": false, "error": "used_url"}')
    assert [m.text for m in ws.answers("U0ANNA")] == ["only you"]
    assert [m.text for m in ws.standing("C0INC")] == ["everyone"]
    assert [r.text for r in card.revisions] == ["card", "new card"]
    late = f"{base}/hooks/actions/{ws.tickets.response('U0ANNA', 'C0INC', None, None)}"
    world.clock.forward(1801)
    async with http.post(late, json={"text": "late"}) as answer:
        assert (await answer.json())["error"] == "expired_url"


async def test_reactions_and_pins(client, ws):
    ts = (await client.chat_postMessage(channel="C0INC", text="t"))["ts"]
    await client.reactions_add(channel="C0INC", timestamp=ts, name="eyes")
    assert await error_of(client.reactions_add(channel="C0INC", timestamp=ts, name="eyes")) == "already_reacted"
    await client.pins_add(channel="C0INC", timestamp=ts)
    assert await error_of(client.pins_add(channel="C0INC", timestamp=ts)) == "already_pinned"
    message = ws.everything("C0INC")[0]
    assert message.reactions == {"eyes": ["U0PULT"]}
    assert message.pinned


async def test_people_channels_and_validation(client, base):
    names = [c["name"] for c in (await client.conversations_list())["channels"]]
    assert names == ["incidents", "ops", "releases"]
    assert (await client.users_info(user="U0CHEN"))["user"]["name"] == "chen"
    assert "U0PULT" in (await client.conversations_members(channel="C0INC"))["members"]
    nobody = AsyncWebClient(base_url=f"{base}/api/")
    assert (await nobody.api_call("blocks.validate", json={"blocks": [section("fine")]}))["ok"]
    assert await error_of(nobody.api_call("blocks.validate", json={"blocks": [{"type": "nope"}]})) == "invalid_blocks"
