"""Posting, editing, whispering, finding again, on the strict Slack: what stands there, what each failure means."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.cards import Place, Ref
from bot.domain.errors import (
    AmbiguousError,
    ClosedError,
    DeferredError,
    LostReferenceError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
)
from bot.domain.messages import Button, Lines, Message, Paragraph, Tone
from bot.domain.phrases import English, phrase, verbatim
from bot.platforms.slack import limits, open_slack
from bot.simulator import slack
from bot.simulator.slack import department
from bot.simulator.slack.messages import Revision
from bot.simulator.slack.trouble import Trouble
from bot.simulator.world import World
from tests.platforms.slack_setup import START, Clock, card, settings

FIXTURES = Path(__file__).parent.parent / "fixtures" / "slack-api"
WORDS = English()
FIRING = Message(
    phrase("{name} is firing", name="HighErrorRate"),
    Tone.CRITICAL,
    (Paragraph(verbatim("5 % of requests fail")),),
    (Button(phrase("Ack"), "ack a-7k2f"),),
)
RESOLVED = Message(phrase("Resolved: {name}", name="HighErrorRate"), Tone.OK)
LONG = replace(FIRING, blocks=(Lines((verbatim("one"),), more=2),), whole="one\ntwo token=abcdefgh\nthree")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def surface(clock):
    return slack.application(World(seed=7, speed=1000, clock=clock))


@pytest.fixture
def ws(surface):
    return surface[slack.WORKSPACE]


@pytest.fixture
async def base(surface):
    root = web.Application()
    root.add_subapp("/slack", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield str(running.make_url("/slack"))


@pytest.fixture
async def chat(base, clock):
    async with open_slack(settings(base), clock) as opened:
        yield opened


def texts(ws, channel):
    return [message.text.split("\n")[0] for message in ws.everything(channel)]


async def test_a_card_is_posted_with_blocks_words_and_its_key(chat, ws):
    ref = await chat.post(card(), FIRING, WORDS)
    (message,) = ws.everything("C0INC")
    assert ref == Ref("C0INC", message.ts)
    assert message.text.startswith("🔴 HighErrorRate is firing\n5 % of requests fail")
    assert [button.value for button in message.buttons] == ["ack a-7k2f"]
    assert message.now.metadata == {"event_type": "pult_card", "event_payload": {"key": "alert:a-7k2f@slack:C0INC"}}
    assert ws.calls[-1].args["unfurl_links"] is False


async def test_an_edit_changes_words_and_blocks_and_keeps_the_key(chat, ws):
    ref = await chat.post(card(), FIRING, WORDS)
    assert await chat.edit(card(), ref, RESOLVED, WORDS) == ref
    (message,) = ws.everything("C0INC")
    assert message.text == "✅ Resolved: HighErrorRate"
    assert message.buttons == []
    assert message.now.metadata["event_payload"] == {"key": "alert:a-7k2f@slack:C0INC"}


async def test_news_goes_under_its_card(chat, ws):
    parent = await chat.post(card(), FIRING, WORDS)
    ref = await chat.post(card("notice:n1", parent_ref=parent), RESOLVED, WORDS)
    assert ws.find("C0INC", ref.message).thread_ts == parent.message
    assert ref.extra == {"thread": parent.message}


async def test_an_answer_goes_into_the_thread_it_was_asked_in(chat, ws):
    root = ws.post("C0OPS", "U0ANNA", Revision(START, "hello"))
    ref = await chat.post(card("reply:r1", Place("slack:C0OPS", thread=root.ts)), RESOLVED, WORDS)
    assert ws.find("C0OPS", ref.message).thread_ts == root.ts


async def test_news_of_a_deleted_card_is_told_in_the_open(chat, ws):
    ref = await chat.post(card("notice:n1", parent_ref=Ref("C0INC", "1700000000.000100")), RESOLVED, WORDS)
    assert ws.find("C0INC", ref.message).thread_ts is None
    assert len(ws.everything("C0INC")) == 1


async def test_a_person_is_written_to_in_their_own_chat(chat, ws):
    ref = await chat.post(card(place="slack:U0CHEN"), FIRING, WORDS)
    assert ref.chat == "D0CHEN"
    await chat.edit(card(place="slack:U0CHEN"), ref, RESOLVED, WORDS)
    assert texts(ws, "D0CHEN") == ["✅ Resolved: HighErrorRate"]


async def test_a_deleted_message_is_a_lost_reference(chat, ws):
    ref = await chat.post(card(), FIRING, WORDS)
    ws.delete(ws.find("C0INC", ref.message))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(), ref, RESOLVED, WORDS)


# --- private answers ---


def private(base, ws, *, press=True, thread="", uses=0):
    key = ws.tickets.response("U0ANNA", "C0OPS", None, None)
    for _ in range(uses):
        ws.tickets.use(key)
    url = f"{base}/hooks/commands/{key}" if press else ""
    return card("reply:r1", Place("slack:C0OPS", thread=thread, private_to="U0ANNA", press=url))


async def test_a_private_answer_goes_through_the_response_url(chat, ws, base):
    ref = await chat.post(private(base, ws), FIRING, WORDS)
    (message,) = ws.answers("U0ANNA")
    assert message.text.startswith("🔴 HighErrorRate")
    assert [button.text for button in message.buttons] == ["Ack"]
    assert [call.method for call in ws.calls] == ["response_url"]
    assert ref.kind == "ephemeral"
    with pytest.raises(LostReferenceError):
        await chat.edit(private(base, ws), ref, RESOLVED, WORDS)


@pytest.mark.parametrize("answer", [{"uses": 5}, {"press": False}])
async def test_without_a_response_url_it_is_an_ephemeral_message(chat, ws, base, answer):
    await chat.post(private(base, ws, **answer), FIRING, WORDS)
    assert [message.channel for message in ws.answers("U0ANNA")] == ["C0OPS"]
    assert ws.calls[-1].method == "chat.postEphemeral"


async def test_who_left_the_channel_is_told_in_a_direct_message_and_nobody_else_is(chat, ws, base):
    ws.channels["C0OPS"].members.discard("U0ANNA")
    ref = await chat.post(private(base, ws, press=False), FIRING, WORDS)
    assert ref.chat == "D0ANNA"
    assert ws.everything("C0OPS") == []
    assert texts(ws, "D0ANNA") == ["🔴 HighErrorRate is firing"]


async def test_a_private_answer_stays_in_its_thread(chat, ws, base):
    root = ws.post("C0OPS", "U0ANNA", Revision(START, "hello"))
    await chat.post(private(base, ws, thread=root.ts), FIRING, WORDS)
    assert ws.answers("U0ANNA")[0].thread_ts == root.ts


# --- what failures mean ---


@pytest.mark.parametrize(
    ("trouble", "verdict"),
    [
        ({"error": "internal_error"}, AmbiguousError),
        ({"error": "fatal_error", "after": True}, AmbiguousError),
        ({"status": 500}, AmbiguousError),
        ({"status": 503, "after": True}, AmbiguousError),
        ({"drop": True, "after": True}, AmbiguousError),
        ({"error": "restricted_action"}, ClosedError),
        ({"error": "account_inactive"}, ClosedError),
        ({"error": "never_heard_of"}, PermanentError),
    ],
)
async def test_what_a_failed_post_means(chat, ws, trouble, verdict):
    ws.troubles.add(Trouble("chat.postMessage", **trouble))
    with pytest.raises(verdict) as caught:
        await chat.post(card(), FIRING, WORDS)
    assert type(caught.value) is verdict or verdict is PermanentError
    assert "chat.postMessage: " in str(caught.value)
    assert len(ws.everything("C0INC")) == (1 if trouble.get("after") else 0)


async def test_an_answer_too_late_may_have_been_a_yes(base, ws, clock, monkeypatch):
    monkeypatch.setattr(limits, "CALL_SECONDS", 0.05)
    ws.troubles.add(Trouble("chat.postMessage", delay=1))
    async with open_slack(settings(base), clock) as chat:
        with pytest.raises(AmbiguousError):
            await chat.post(card(), FIRING, WORDS)
    assert len(ws.everything("C0INC")) == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda ws: setattr(ws.channels["C0INC"], "archived", True), "unarchive"),
        (lambda ws: ws.channels["C0INC"].members.discard("U0PULT"), "/invite"),
        (lambda ws: ws.channels.pop("C0INC"), "there is no such channel, or it is private"),
    ],
    ids=["archived", "not in it", "unknown"],
)
async def test_a_closed_channel_says_what_to_do(chat, ws, spoil, said):
    spoil(ws)
    with pytest.raises(ClosedError, match=said):
        await chat.post(card(), FIRING, WORDS)


async def test_slacks_rate_comes_with_its_delay(chat, ws, clock):
    for _ in range(3):
        await chat.post(card(), FIRING, WORDS)
    with pytest.raises(RateLimitedError) as caught:
        await chat.post(card(), FIRING, WORDS)
    assert caught.value.delay == 1.0
    clock.forward(1)
    await chat.post(card(), FIRING, WORDS)


async def test_a_slack_that_takes_no_connection_has_got_nothing(clock, unused_tcp_port):
    async with open_slack(settings(f"http://127.0.0.1:{unused_tcp_port}"), clock) as chat:
        with pytest.raises(TemporaryError) as caught:
            await chat.post(card(), FIRING, WORDS)
    assert type(caught.value) is TemporaryError


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("channel-not-found", ClosedError),
        ("ratelimited", RateLimitedError),
        ("update-message-not-found", LostReferenceError),
        ("invalid-blocks", PermanentError),
        ("msg-blocks-too-long", PermanentError),
    ],
)
async def test_recorded_refusals(clock, case, verdict):
    recorded = json.loads((FIXTURES / case / "headers.json").read_text())
    calls = []

    async def answer(request):
        calls.append(await request.json())
        headers = {k: v for k, v in recorded["headers"].items() if k != "Content-Type"}
        body = (FIXTURES / case / "body.json").read_bytes()
        return web.Response(status=recorded["status"], body=body, headers=headers, content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/{method}", answer)
    async with TestServer(app, host="127.0.0.1") as server, open_slack(settings(str(server.make_url(""))), clock) as it:
        with pytest.raises(verdict) as caught:
            await (
                it.edit(card(), Ref("C1", "1.2"), FIRING, WORDS) if "update" in case else it.post(card(), FIRING, WORDS)
            )
    if case == "ratelimited":
        assert caught.value.delay == 30
    assert ["blocks" in call for call in calls] == ([True, False] if "blocks" in case else [True])


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_refused_blocks_go_as_words_at_once_and_only_once(chat, ws, error):
    ws.troubles.add(Trouble("chat.postMessage", error=error))
    ref = await chat.post(card(), FIRING, WORDS)
    (message,) = ws.everything("C0INC")
    assert message.blocks == ()
    assert "Ack → /pult ack a-7k2f" in message.text
    ws.troubles.add(Trouble("chat.update", error=error))
    await chat.edit(card(), ref, RESOLVED, WORDS)
    assert (message.blocks, message.text) == ((), "✅ Resolved: HighErrorRate")


# --- finding again ---


@pytest.mark.parametrize("place", [Place("slack:C0INC"), Place("slack:U0CHEN")])
async def test_a_post_whose_answer_was_lost_is_found_and_edited(chat, ws, clock, place):
    ws.troubles.add(Trouble("chat.postMessage", after=True, drop=True))
    with pytest.raises(AmbiguousError):
        await chat.post(card(place=place), FIRING, WORDS)
    found = await chat.find(place, clock.now())
    ref = found[card(place=place).key]
    await chat.edit(card(place=place), ref, RESOLVED, WORDS)
    assert texts(ws, ref.chat) == ["✅ Resolved: HighErrorRate"]


async def test_a_reply_is_found_in_its_thread(chat, ws, clock):
    root = ws.post("C0OPS", "U0ANNA", Revision(START, "hello"))
    place = Place("slack:C0OPS", thread=root.ts)
    ref = await chat.post(card("reply:r1", place), RESOLVED, WORDS)
    assert await chat.find(place, clock.now()) == {"reply:r1@slack:C0OPS": ref}
    assert await chat.find(replace(place, thread="1700000000.000100"), clock.now()) == {}


async def test_others_words_with_our_key_are_not_ours_and_old_ones_are_old(chat, ws, clock):
    await chat.post(card("alert:a-old"), FIRING, WORDS)
    clock.forward(60)
    fake = {"event_type": "pult_card", "event_payload": {"key": "alert:a-7k2f@slack:C0INC"}}
    ws.post("C0INC", "U0MALLORY", Revision(START, "mine", (), fake))
    assert await chat.find(Place("slack:C0INC"), clock.now()) == {}


async def test_a_long_history_is_read_page_by_page(chat, ws, clock):
    ref = await chat.post(card(), FIRING, WORDS)
    for number in range(limits.PAGE + 5):
        ws.post("C0INC", "U0ANNA", Revision(START, f"talk {number}"))
    assert await chat.find(Place("slack:C0INC"), START) == {card().key: ref}


# --- the whole text ---


async def test_what_was_left_out_is_attached_once_under_the_card(chat, ws):
    ref = await chat.post(card(), LONG, WORDS)
    ref = await chat.edit(card(), ref, LONG, WORDS)
    message, file = ws.everything("C0INC")
    assert file.thread_ts == message.ts
    assert [each["name"] for each in file.files] == ["higherrorrate-is-firing.txt"]
    (upload,) = ws.shelf.files.values()
    assert upload.content.decode() == "one\ntwo token=•••\nthree"
    assert ref.extra == {"file": upload.id}


async def test_a_private_answers_file_goes_to_that_person(chat, ws, base):
    await chat.post(private(base, ws), LONG, WORDS)
    assert [message.kind for message in ws.everything("D0ANNA")] == ["file"]
    assert [message.receiver for message in ws.everything("C0OPS")] == ["U0ANNA"]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_card_stands_without_its_file(chat, ws, method):
    ws.troubles.add(Trouble(method, status=500))
    ref = await chat.post(card(), LONG, WORDS)
    assert ref.extra == {}
    assert len(ws.everything("C0INC")) == 1
    assert "file" in (await chat.edit(card(), ref, LONG, WORDS)).extra


# --- rates ---


def test_the_pace_is_slacks_published_one(chat):
    assert chat.pace.interval("slack:C0INC") == 1.0
    assert chat.pace.burst("slack:C0INC") == 3


async def test_edits_share_one_budget_in_the_workspace(chat, ws, clock):
    refs = [await chat.post(card(place=f"slack:{name}"), FIRING, WORDS) for name in ("C0INC", "C0OPS")]
    for number in range(limits.EDITS_BURST):
        await chat.edit(card(), refs[number % 2], FIRING, WORDS)
    with pytest.raises(DeferredError) as caught:  # a post to the same channel may go meanwhile
        await chat.edit(card(), refs[0], FIRING, WORDS)
    assert caught.value.delay == pytest.approx(1.2)
    assert len([call for call in ws.calls if call.method == "chat.update"]) == limits.EDITS_BURST
    clock.forward(caught.value.delay)
    await chat.edit(card(), refs[0], RESOLVED, WORDS)


async def test_an_edit_that_slack_refuses_for_its_rate_holds_all_edits(chat, ws, clock):
    ref = await chat.post(card(), FIRING, WORDS)
    ws.troubles.add(Trouble("chat.update", error="ratelimited"))
    with pytest.raises(RateLimitedError):
        await chat.edit(card(), ref, RESOLVED, WORDS)
    with pytest.raises(RateLimitedError, match="spent"):
        await chat.edit(card(), ref, RESOLVED, WORDS)
    clock.forward(1)
    await chat.edit(card(), ref, RESOLVED, WORDS)


# --- the doctor ---


async def test_the_doctor_says_who_we_are(base, clock):
    async with open_slack(settings(base, app_token="xapp-sim"), clock) as chat:
        assert await chat.check() == "pult in Department, hears over Socket Mode"


async def test_the_doctor_names_a_missing_scope(chat, monkeypatch):
    monkeypatch.setattr(department, "SCOPES", "chat:write,commands,im:history,channels:history,groups:history")
    with pytest.raises(PermanentError, match="app_mentions:read, files:write, im:write"):
        await chat.check()


@pytest.mark.parametrize("tokens", [{"bot_token": "xoxb-wrong"}, {"app_token": "xapp-wrong"}])
async def test_the_doctor_names_a_wrong_token(base, clock, tokens):
    async with open_slack(settings(base, **tokens), clock) as chat:
        with pytest.raises(PermanentError, match="invalid_auth"):
            await chat.check()


async def test_channels_do_not_wait_for_each_other(chat, ws):
    ws.troubles.add(Trouble("chat.postMessage", delay=0.2))
    done = []

    async def post(place):
        await chat.post(card(place=place), FIRING, WORDS)
        done.append(place)

    async with asyncio.TaskGroup() as group:
        group.create_task(post("slack:C0INC"))
        await asyncio.sleep(0.02)
        group.create_task(post("slack:C0OPS"))
    assert done == ["slack:C0OPS", "slack:C0INC"]
