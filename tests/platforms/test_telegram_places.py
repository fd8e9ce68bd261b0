"""Chats that close, move or lose a topic: each is handled, says what to mend, and opens again without a restart."""

import pytest

from bot.domain.cards import Place, Priority, Ref
from bot.domain.errors import ClosedError, LostReferenceError, PermanentError, RateLimitedError, told
from bot.domain.messages import Message
from bot.domain.phrases import NOTHING, English, verbatim
from bot.platforms.telegram import limits
from bot.simulator.telegram.department import Topic
from tests.platforms.telegram_cards import alert
from tests.platforms.telegram_pictures import Painter, graphed
from tests.platforms.telegram_setup import ANNA, INCIDENTS, MALLORY, OPS, TOPIC, card, opened, simulated
from tests.spoken import in_russian

WORDS = English()
IN_TOPIC = f"telegram:{OPS}/{TOPIC}"


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


# --- closed to us ---


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ({"error": "chat not found"}, "check its id in the configuration, and invite the bot there"),
        ({"error": "bot was kicked from the supergroup chat", "status": 403}, "invite it again"),
        ({"error": "bot is not a member of the supergroup chat", "status": 403}, "invite it"),
        ({"error": "bot was blocked by the user", "status": 403}, "they must unblock it"),
        ({"error": "bot can't initiate conversation with a user", "status": 403}, "open it and press Start"),
        ({"error": "user is deactivated", "status": 403}, r"take it out of \[\[people\]\]"),
        ({"error": "the group chat was deleted", "status": 403}, "change the route"),
        ({"error": "something new", "status": 403}, "something new"),
        ({"error": "not enough rights to send text messages to the chat"}, "let it send messages"),
        ({"error": "CHAT_WRITE_FORBIDDEN"}, "let it send messages"),
        ({"error": "Unauthorized", "status": 401}, "put a new one from @BotFather into telegram.bot_token"),
        ({"error": "", "status": 404}, "check telegram.bot_token and telegram.api_url"),
    ],
)
async def test_what_is_closed_says_what_to_do_and_is_tried_again(sim, chat, how, remedy):
    """Nothing is lost; the lane drops an answer that nobody waits for any more."""
    sim.fail("sendMessage", **how)
    with pytest.raises(ClosedError, match=remedy) as caught:
        await chat.post(card(priority=Priority.PAGE), say("x"), WORDS)
    assert "SIM" not in str(caught.value)
    assert caught.value.delay is None, "the lane's own back-off, a minute at most"
    assert "SIM" not in in_russian(told(caught.value))
    assert (await chat.post(card(), say("x"), WORDS)).kind == "text"


async def test_an_edit_in_a_closed_chat_waits_too_and_arrives_once_we_are_back(sim, chat):
    ref = await chat.post(card(), say("x"), WORDS)
    sim.person(ANNA).membership(INCIDENTS, "kicked")
    with pytest.raises(ClosedError, match="invite it again"):
        await chat.edit(card(ref=ref), ref, say("y"), WORDS)
    sim.person(ANNA).membership(INCIDENTS, "member")
    assert await chat.edit(card(ref=ref), ref, say("y"), WORDS) == ref


# --- topics ---


@pytest.mark.parametrize("state", ["closed", "deleted"])
async def test_a_lost_topic_is_left_for_general_and_comes_back(sim, chat, state):
    sim.person(ANNA).topic(OPS, TOPIC, state)
    first = await chat.post(card(IN_TOPIC), say("1"), WORDS)
    second = await chat.post(card(IN_TOPIC), say("2"), WORDS)
    assert [m.thread for m in sim.standing(OPS)] == [None, None]
    assert len(sim.calls("sendMessage")) == 3, "the topic is tried once, not with every card"
    assert first.trouble == second.trouble
    assert first.trouble.plain() == (
        f"topic {TOPIC} is closed or gone, cards go to General: reopen it, or change the route"
    )
    assert in_russian(first.trouble).startswith(f"тема {TOPIC} закрыта или удалена")
    sim.tg.chats[OPS].topics[TOPIC] = Topic("deploys")
    sim.clock.forward(limits.LOST_TOPIC)
    back = await chat.post(card(IN_TOPIC), say("3"), WORDS)
    assert (sim.standing(OPS)[-1].thread, back.trouble) == (TOPIC, NOTHING)
    assert (await chat.edit(card(IN_TOPIC, ref=first), first, say("changed"), WORDS)).trouble == NOTHING


async def test_an_answer_to_a_message_in_a_closed_topic_is_a_message_of_its_own(sim, chat):
    parent = await chat.post(card(IN_TOPIC), say("parent"), WORDS)
    sim.person(ANNA).topic(OPS, TOPIC, "closed")
    ref = await chat.post(card(IN_TOPIC, parent_ref=parent), say("news"), WORDS)
    (_, news) = sim.standing(OPS)
    assert (news.thread, news.reply_to, str(news.id)) == (None, None, ref.message)


async def test_with_general_closed_too_it_says_so(sim, chat):
    sim.person(ANNA).topic(OPS, TOPIC, "closed")
    sim.person(ANNA).topic(OPS, 0, "closed")
    with pytest.raises(PermanentError, match="reopen it, or route to an open topic"):
        await chat.post(card(IN_TOPIC), say("x"), WORDS)


# --- moves ---


async def test_a_group_that_moved_is_followed_and_remembered(sim, chat):
    ref = await chat.post(card(), say("old"), WORDS)
    new = sim.person(ANNA).migrate(INCIDENTS).id
    moved = await chat.post(card(), say("new"), WORDS)
    assert moved.chat == str(new)
    assert moved.trouble.plain() == (
        f"the group became a supergroup: write telegram:{new} in place of telegram:{INCIDENTS} in the configuration"
    )
    await chat.post(card(), say("newer"), WORDS)
    assert [c.args["chat_id"] for c in sim.calls("sendMessage")] == list(map(str, (INCIDENTS, INCIDENTS, new, new)))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(ref=ref), ref, say("changed"), WORDS)


async def test_after_a_restart_an_edit_tells_where_the_group_is(sim, chat):
    new = sim.person(ANNA).migrate(INCIDENTS).id
    ref = await chat.post(card(), say("new"), WORDS)
    async with opened(sim) as restarted:
        await restarted.edit(card(ref=ref), ref, say("changed"), WORDS)
        await restarted.post(card(), say("newer"), WORDS)
    assert [c.args["chat_id"] for c in sim.calls("sendMessage")] == [str(INCIDENTS), str(new), str(new)]


async def test_news_do_not_answer_a_message_that_stayed_in_the_old_group(sim, chat):
    parent = await chat.post(card(), say("parent"), WORDS)
    sim.person(ANNA).migrate(INCIDENTS)
    ref = await chat.post(card(parent_ref=parent), say("news"), WORDS)
    (news,) = sim.standing(int(ref.chat))
    assert news.reply_to is None


async def test_a_photo_follows_its_group(sim):
    async with opened(sim, painter=Painter()) as chat:
        sim.person(ANNA).migrate(INCIDENTS)
        ref = await chat.post(card(), graphed(), WORDS)
        assert ref.kind == "photo"
        assert ref.chat != str(INCIDENTS)


# --- sound ---


@pytest.mark.parametrize(
    ("place", "priority", "silent"),
    [
        (f"telegram:{INCIDENTS}", Priority.PAGE, False),
        (f"telegram:{INCIDENTS}", Priority.ANSWER, False),
        (f"telegram:{INCIDENTS}", Priority.OPERATION, True),
        (f"telegram:{INCIDENTS}", Priority.NORMAL, True),
        (f"telegram:{ANNA}", Priority.OPERATION, False),
        (f"telegram:{ANNA}", Priority.NORMAL, True),
        (Place(f"telegram:{INCIDENTS}", private_to=str(ANNA)), Priority.OPERATION, False),
    ],
)
@pytest.mark.parametrize("drawn", [alert, graphed])
async def test_only_what_somebody_must_hear_rings(sim, place, priority, silent, drawn):
    async with opened(sim, painter=Painter()) as chat:
        ref = await chat.post(card(place, priority=priority), drawn(), WORDS)
    assert sim.standing(int(ref.chat))[-1].silent is silent


@pytest.mark.parametrize(("priority", "silent"), [(Priority.PAGE, False), (Priority.ANSWER, True)])
async def test_news_ring_where_they_wake_people(sim, chat, priority, silent):
    await chat.post(card(subject="news:a-7k2f/1", priority=priority), alert(), WORDS)
    assert sim.standing()[-1].silent is silent


# --- for one person ---


async def test_a_private_card_spends_the_persons_pace_not_the_groups(sim, chat):
    """Its lane is the person's (``Place.lane``); the rates follow the chat it really goes to."""
    private = Place(f"telegram:{INCIDENTS}", private_to=str(ANNA))
    for number in range(3):
        await chat.post(card(f"telegram:{INCIDENTS}", priority=Priority.PAGE), say(f"{number}"), WORDS)
    with pytest.raises(RateLimitedError):
        await chat.post(card(priority=Priority.PAGE), say("one too many for the group"), WORDS)
    ref = await chat.post(card(private), say("for you"), WORDS)
    await chat.edit(card(private, ref=ref), ref, say("for you, changed"), WORDS)
    assert private.lane == f"telegram:{ANNA}"
    assert [m.text for m in sim.standing(ANNA)] == ["🔵 for you, changed"]


async def test_a_private_card_is_never_shown_in_public(sim, chat):
    private = Place(f"telegram:{INCIDENTS}", private_to=str(MALLORY))
    for priority in Priority:
        with pytest.raises(ClosedError, match="press Start"):
            await chat.post(card(private, priority=priority), say("secret"), WORDS)
        sim.clock.forward(3)
    assert sim.standing() == []


async def test_private_news_answer_the_private_card(sim, chat):
    private = Place(f"telegram:{INCIDENTS}", private_to=str(ANNA))
    parent = await chat.post(card(private), say("card"), WORDS)
    await chat.post(card(private, parent_ref=parent), say("news"), WORDS)
    await chat.post(card(private, parent_ref=Ref(str(INCIDENTS), "1")), say("other"), WORDS)
    assert [m.reply_to for m in sim.standing(ANNA)] == [None, int(parent.message), None]
