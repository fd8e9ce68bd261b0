"""Rich and classic: what is sent first, what after a refusal, and that there is never a second message."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.cards import Place, Priority, Ref
from bot.domain.errors import (
    AmbiguousError,
    ClosedError,
    DeferredError,
    LostReferenceError,
    PermanentError,
    TemporaryError,
    told,
)
from bot.domain.messages import Button, Curve, Facts, Graph, Message, Paragraph, Progress, StepMark, Table, Tone
from bot.domain.phrases import English, phrase, verbatim
from bot.platforms.slack import limits, open_slack
from bot.simulator import slack
from bot.simulator.slack.messages import Revision
from bot.simulator.slack.trouble import Trouble
from bot.simulator.world import World
from tests.platforms.slack_setup import START, Clock, card, settings
from tests.spoken import in_russian

WORDS = English()
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50000001820101"
    "7ed7d2b50000000049454e44ae426082"
)
"""One transparent pixel."""
GRAPH = Graph(
    phrase("Errors"),
    (Curve(verbatim("api"), tuple((START + timedelta(minutes=n), n / 10) for n in range(30))),),
    "%",
    limit=2.0,
)
ALERT = Message(
    phrase("{name} is firing", name="HighErrorRate"),
    Tone.CRITICAL,
    (Paragraph(verbatim("5 % of requests fail")), GRAPH),
    (Button(phrase("Ack"), "ack a-7k2f"),),
)
RESOLVED = replace(ALERT, title=phrase("Resolved"), tone=Tone.OK)
TABLE = Message(phrase("Pods"), blocks=(Table((phrase("Pod"),), ((verbatim("api-1"),),)),))
OPERATION = Message(
    phrase("Restart api"),
    blocks=(Progress(((StepMark.RUNNING, verbatim("Roll out"), verbatim("3 of 8")),)),),
)
BOTH = replace(ALERT, blocks=(GRAPH, *OPERATION.blocks))


class Painter:
    """Paints one pixel."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    async def paint(self, graph, words):
        self.asked.append(graph)
        if self.error:
            raise self.error
        return PNG


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def surface(clock):
    return slack.application(World(seed=7, speed=1000, clock=clock))


@pytest.fixture
def ws(surface):
    surface[slack.WORKSPACE].rates.scale = 0
    return surface[slack.WORKSPACE]


@pytest.fixture
async def base(surface):
    root = web.Application()
    root.add_subapp("/slack", surface)
    async with TestServer(root, host="127.0.0.1") as running:
        yield str(running.make_url("/slack"))


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
async def chat(base, clock, painter):
    async with open_slack(settings(base), clock, painter) as opened:
        yield opened


def page(**more):
    return replace(card(**more), priority=Priority.PAGE)


def kinds(message):
    return [block["type"] for block in message.blocks]


def methods(ws):
    return [call.method for call in ws.calls]


async def test_a_workspace_that_knows_the_newer_blocks_gets_them(chat, ws):
    ref = await chat.post(card(), ALERT, WORDS)
    (message,) = ws.everything("C0INC")
    assert kinds(message) == ["header", "rich_text", "context", "data_visualization", "actions"]
    assert ref.extra == {"form": "rich"}
    assert "Errors: " in message.text
    assert "now 2.90" in message.text


@pytest.mark.parametrize("message", [ALERT, TABLE, OPERATION, BOTH])
async def test_an_older_workspace_gets_one_classic_message_at_once(chat, ws, message):
    ws.unknown_blocks = {"data_visualization", "data_table", "plan"}
    ref = await chat.post(card(), message, WORDS)
    (posted,) = ws.everything("C0INC")
    assert not ws.unknown_blocks & set(kinds(posted))
    assert [call.error for call in ws.calls] == ["invalid_blocks", None]
    assert ref == Ref("C0INC", posted.ts, extra={"form": "classic"})
    assert posted.buttons or not message.buttons


async def test_what_was_refused_is_not_tried_again_for_a_day(chat, ws, clock):
    ws.unknown_blocks = {"data_visualization"}
    for _ in range(3):
        await chat.post(card(), ALERT, WORDS)
    assert [call.error for call in ws.calls] == ["invalid_blocks", None, None, None]
    ws.unknown_blocks = set()
    await chat.post(card(), TABLE, WORDS)
    assert kinds(ws.messages[-1]) == ["header", "data_table"]
    clock.forward(limits.REFUSAL_HOURS * 3_600)
    await chat.post(card(), ALERT, WORDS)
    assert "data_visualization" in kinds(ws.messages[-1])


async def test_only_the_type_that_was_pointed_at_is_left_out_of_the_next_message(chat, ws):
    ws.unknown_blocks = {"data_visualization"}
    first = await chat.post(card(), BOTH, WORDS)
    second = await chat.post(card("op:op-1"), BOTH, WORDS)
    assert kinds(ws.find("C0INC", first.message)) == ["header", "rich_text", "rich_text", "actions"]
    assert kinds(ws.find("C0INC", second.message)) == ["header", "rich_text", "plan", "actions"]


async def test_a_card_refused_as_rich_stays_classic_for_life(chat, ws, clock):
    ws.unknown_blocks = {"data_visualization"}
    ref = await chat.post(card(), ALERT, WORDS)
    ws.unknown_blocks = set()
    clock.forward(limits.REFUSAL_HOURS * 3_600)
    ref = await chat.edit(card(), ref, RESOLVED, WORDS)
    assert "data_visualization" not in kinds(ws.everything("C0INC")[0])
    assert ref.extra["form"] == "classic"


async def test_a_rich_card_that_the_workspace_no_longer_takes_is_edited_classic(chat, ws):
    ref = await chat.post(card(), ALERT, WORDS)
    ws.unknown_blocks = {"data_visualization"}
    edited = await chat.edit(card(), ref, RESOLVED, WORDS)
    (message,) = ws.everything("C0INC")
    assert "data_visualization" not in kinds(message)
    assert message.text.startswith("✅ Resolved")
    assert (edited.message, edited.extra) == (ref.message, {"form": "classic"})


async def test_a_card_that_gets_a_table_later_may_still_become_rich(chat, ws):
    plain = replace(ALERT, blocks=ALERT.blocks[:1])
    ref = await chat.post(card(), plain, WORDS)
    assert ref.extra == {}
    ref = await chat.edit(card(), ref, ALERT, WORDS)
    assert ref.extra == {"form": "rich"}


async def test_rich_can_be_switched_off(base, ws, clock):
    async with open_slack(settings(base, rich=False), clock) as chat:
        ref = await chat.post(card(), BOTH, WORDS)
    assert kinds(ws.everything("C0INC")[0]) == ["header", "rich_text", "rich_text", "actions"]
    assert ref.extra == {"form": "classic"}


async def test_both_forms_refused_leave_the_words_and_an_alarm(chat, ws, caplog):
    ws.unknown_blocks = {"data_visualization", "header"}
    ref = await chat.post(card(), ALERT, WORDS)
    (message,) = ws.everything("C0INC")
    assert message.blocks == ()
    assert "Ack → /pult ack a-7k2f" in message.text
    assert [r.levelno for r in caplog.records if "Slack" in r.message] == [logging.WARNING, logging.ERROR]
    ws.unknown_blocks = set()
    await chat.edit(card(), ref, RESOLVED, WORDS)
    assert kinds(message)[0] == "header"


async def test_a_card_that_is_too_long_says_nothing_about_block_types(chat, ws):
    ws.troubles.add(Trouble("chat.postMessage", error="msg_blocks_too_long"))
    await chat.post(card(), ALERT, WORDS)
    await chat.post(card(), ALERT, WORDS)
    assert "data_visualization" in kinds(ws.messages[-1])


@pytest.mark.parametrize("trouble", [{"drop": True}, {"status": 503}, {"error": "internal_error"}])
@pytest.mark.parametrize("after", [True, False])
async def test_a_lost_answer_changes_no_form_and_makes_no_second_message(chat, ws, clock, trouble, after):
    ws.troubles.add(Trouble("chat.postMessage", after=after, **trouble))
    with pytest.raises(AmbiguousError):
        await chat.post(card(), ALERT, WORDS)
    found = await chat.find(Place("slack:C0INC"), clock.now())
    if after:
        ref = await chat.edit(card(), found[card().key], RESOLVED, WORDS)
    else:
        assert found == {}
        ref = await chat.post(card(), ALERT, WORDS)
    assert ref.extra["form"] == "rich"
    assert len(ws.everything("C0INC")) == 1
    assert methods(ws).count("chat.postMessage") == (1 if after else 2)


async def test_a_lost_answer_to_an_edit_leaves_the_rich_form(chat, ws):
    ref = await chat.post(card(), ALERT, WORDS)
    ws.troubles.add(Trouble("chat.update", after=True, drop=True))
    with pytest.raises(AmbiguousError):
        await chat.edit(card(), ref, RESOLVED, WORDS)
    (message,) = ws.everything("C0INC")
    assert "data_visualization" in kinds(message)


async def test_private_answers_learn_apart_from_public_ones(chat, ws, base):
    key = ws.tickets.response("U0ANNA", "C0OPS", None, None)
    private = card("reply:r1", Place("slack:C0OPS", private_to="U0ANNA", press=f"{base}/hooks/commands/{key}"))
    ws.unknown_blocks = {"data_table"}
    await chat.post(private, TABLE, WORDS)
    assert [kinds(message) for message in ws.answers("U0ANNA")] == [["header", "rich_text"]]
    ws.unknown_blocks = set()
    await chat.post(card(), TABLE, WORDS)
    assert kinds(ws.messages[-1]) == ["header", "data_table"]


# --- block_mismatch ---


async def test_a_message_that_begins_with_rich_text_goes_on_doing_so(chat, ws):
    old = ws.post("C0INC", "U0PULT", Revision(START, "x", ({"type": "rich_text", "elements": []},)))
    ref = await chat.edit(card(), Ref("C0INC", old.ts), ALERT, WORDS)
    assert kinds(old)[0] == "rich_text"
    assert old.buttons
    assert ref == Ref("C0INC", old.ts, extra={"form": "literal"})
    ws.calls.clear()
    assert await chat.edit(card(), ref, RESOLVED, WORDS) == ref
    assert [call.error for call in ws.calls] == [None]
    assert len(ws.everything("C0INC")) == 1


async def test_a_message_that_takes_no_form_is_taken_back_before_a_new_one_comes(chat, ws):
    ref = await chat.post(card(), ALERT, WORDS)
    for _ in range(3):
        ws.troubles.add(Trouble("chat.update", error="block_mismatch"))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(), ref, RESOLVED, WORDS)
    assert ws.standing("C0INC") == []


# --- pictures ---


async def test_a_classic_page_gets_its_graph_as_a_picture_once_in_its_life(chat, ws, painter):
    ws.unknown_blocks = {"data_visualization"}
    ref = await chat.post(page(), ALERT, WORDS)
    assert methods(ws)[-1] == "chat.postMessage"  # the card went first, and was not waited with
    await chat._pictures.settled()
    ref = await chat.edit(page(), ref, replace(ALERT, title=phrase("Acked")), WORDS)
    await chat._pictures.settled()
    message, file = ws.everything("C0INC")
    assert (file.thread_ts, [each["name"] for each in file.files]) == (message.ts, ["graph.png"])
    (upload,) = ws.shelf.files.values()
    assert upload.content == PNG
    announced = next(call.args for call in ws.calls if call.method == "files.getUploadURLExternal")
    assert announced["alt_txt"].startswith("Errors: ▁")
    assert painter.asked == [GRAPH]
    assert "▁" in str(message.blocks)


@pytest.mark.parametrize(
    ("what", "message"),
    [(page(), replace(ALERT, blocks=())), (card(), ALERT), (page(), RESOLVED)],
    ids=["no graph", "no page", "resolved"],
)
async def test_nothing_else_gets_a_picture(base, clock, ws, painter, what, message):
    async with open_slack(settings(base, rich=False), clock, painter) as chat:
        await chat.post(what, message, WORDS)
        await chat._pictures.settled()
    assert painter.asked == []


async def test_who_sees_the_chart_needs_no_picture(chat, ws, painter):
    await chat.post(page(), ALERT, WORDS)
    await chat._pictures.settled()
    assert painter.asked == []


@pytest.mark.parametrize("error", [TemporaryError("busy"), TimeoutError(), ValueError("a defect")])
async def test_a_page_stands_without_its_picture(base, clock, ws, error):
    async with open_slack(settings(base, rich=False), clock, Painter(error)) as chat:
        ref = await chat.post(page(), ALERT, WORDS)
        await chat._pictures.settled()
        await chat.edit(page(), ref, ALERT, WORDS)
    assert len(ws.everything("C0INC")) == 1


async def test_a_storm_of_pages_is_not_followed_by_a_storm_of_pictures(base, clock, ws, painter):
    async with open_slack(settings(base, rich=False), clock, painter) as chat:
        for number in range(limits.PICTURES + 5):
            await chat.post(page(subject=f"alert:a-{number}"), ALERT, WORDS)
        running = len(chat._pictures._running)
        await chat._pictures.settled()
    assert running <= limits.PICTURES
    assert len(painter.asked) >= limits.PICTURES


async def test_a_found_message_with_something_under_it_gets_no_picture(base, clock, ws, painter):
    async with open_slack(settings(base, rich=False), clock, painter) as chat:
        await chat.post(page(), ALERT, WORDS)
        await chat._pictures.settled()
        found = await chat.find(Place("slack:C0INC"), clock.now())
        await chat.edit(page(), found[page().key], ALERT, WORDS)
        await chat._pictures.settled()
    assert len(painter.asked) == 1


# --- news ---


async def test_urgent_news_is_seen_in_the_channel_too(chat, ws, clock):
    parent = await chat.post(page(), ALERT, WORDS)
    urgent = await chat.post(page(subject="news:n1", parent_ref=parent), RESOLVED, WORDS)
    calm = await chat.post(card("news:n2", parent_ref=parent), RESOLVED, WORDS)
    assert ws.find("C0INC", urgent.message).broadcast
    assert not ws.find("C0INC", calm.message).broadcast
    thread = Place("slack:C0INC", thread=parent.message)
    assert set(await chat.find(thread, clock.now())) == {card("news:n1").key, card("news:n2").key, card().key}


async def test_news_for_a_person_goes_under_the_card_they_have(chat, ws):
    parent = await chat.post(page(place="slack:U0CHEN"), ALERT, WORDS)
    ref = await chat.post(page(subject="news:n1", place="slack:U0CHEN", parent_ref=parent), RESOLVED, WORDS)
    assert ref.extra["thread"] == parent.message
    assert ws.find("D0CHEN", ref.message).thread_ts == parent.message


async def test_news_told_in_the_open_is_found_there(chat, ws, clock):
    gone = Ref("C0INC", "1700000000.000100")
    ws.troubles.add(Trouble("chat.postMessage", error="thread_not_found"))
    ws.troubles.add(Trouble("chat.postMessage", after=True, drop=True))
    news = card("news:n1", parent_ref=gone)
    with pytest.raises(AmbiguousError):
        await chat.post(news, RESOLVED, WORDS)
    found = await chat.find(Place("slack:C0INC", thread=gone.message), clock.now())
    assert set(found) == {news.key}


# --- rates ---


async def test_private_answers_do_not_wait_as_posts_do(chat):
    assert chat.pace.interval("slack:U0ANNA") < 1
    assert chat.pace.burst("slack:U0ANNA") > 10
    assert (chat.pace.interval("slack:C0INC"), chat.pace.interval("slack:D0ANNA")) == (1.0, 1.0)


async def test_direct_messages_keep_slacks_rate(chat, ws, clock):
    ws.rates.scale = 1
    for _ in range(limits.BURST):
        await chat.post(card(place="slack:U0CHEN"), RESOLVED, WORDS)
    with pytest.raises(DeferredError, match="direct messages") as caught:
        await chat.post(card(place="slack:U0CHEN"), RESOLVED, WORDS)
    assert caught.value.delay == pytest.approx(1.0)
    await chat.post(card(place="slack:U0ANNA"), RESOLVED, WORDS)
    clock.forward(1)
    await chat.post(card(place="slack:U0CHEN"), RESOLVED, WORDS)


# --- destinations ---


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("not_in_channel", "invite it there with /invite"),
        ("is_archived", "unarchive it, or route elsewhere"),
        ("channel_not_found", "correct the channel's id"),
        ("restricted_action_read_only_channel", "let pult post there, or route elsewhere"),
        ("token_revoked", "install the Slack app again"),
        ("account_inactive", "install the Slack app again"),
        ("invalid_auth", "slack.bot_token"),
        ("user_not_found", "correct the id in"),
    ],
)
async def test_every_trouble_of_a_destination_names_its_remedy(chat, ws, error, remedy):
    ws.troubles.add(Trouble("chat.postMessage", error=error))
    with pytest.raises(ClosedError, match=remedy) as caught:
        await chat.post(card(), ALERT, WORDS)
    assert str(caught.value).endswith(f"(chat.postMessage: {error})"), "the log has Slack's own word"
    assert str(caught.value).startswith(told(caught.value).plain())
    assert in_russian(told(caught.value))


async def test_a_missing_scope_is_named(chat, ws, monkeypatch):
    monkeypatch.setattr(slack.department, "SCOPES", "chat:write,commands")
    with pytest.raises(PermanentError, match="lacks the scope im:write: add it"):
        await chat.find(Place("slack:U0CHEN"), START)


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (lambda c: c.members.discard("U0PULT"), lambda c: c.members.add("U0PULT")),
        (lambda c: setattr(c, "archived", True), lambda c: setattr(c, "archived", False)),
    ],
    ids=["kicked", "archived"],
)
async def test_after_an_invitation_it_delivers_again(chat, ws, spoil, mend):
    channel = ws.channels["C0INC"]
    ref = await chat.post(card(), ALERT, WORDS)
    spoil(channel)
    with pytest.raises(ClosedError):
        await chat.post(card(), ALERT, WORDS)
    with pytest.raises(ClosedError):
        await chat.edit(card(), ref, RESOLVED, WORDS)
    mend(channel)
    await chat.edit(card(), ref, RESOLVED, WORDS)
    assert (await chat.post(card("alert:a-2"), ALERT, WORDS)).chat == "C0INC"


async def test_a_renamed_channel_is_the_same_channel(chat, ws):
    ws.channels["C0INC"].name = "renamed"
    ref = await chat.post(card(), replace(ALERT, blocks=(Facts(()),)), WORDS)
    assert ref.chat == "C0INC"
