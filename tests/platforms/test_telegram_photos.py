"""Cards with a picture: posted once as a photo, edited as one, and never late, lost or double because of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.cards import Ref
from bot.domain.errors import AmbiguousError, LostReferenceError, PermanentError
from bot.domain.messages import Lines, Paragraph, Tone
from bot.domain.phrases import English, verbatim
from bot.platforms.telegram import limits
from bot.platforms.telegram.text import units
from tests.platforms.telegram_cards import AT, alert
from tests.platforms.telegram_pictures import Painter, graph, graphed
from tests.platforms.telegram_setup import ANNA, INCIDENTS, card, opened, simulated

WORDS = English()
NO_TEXT, NO_CAPTION = "there is no text in the message to edit", "there is no caption in the message to edit"


@pytest.fixture
async def sim():
    async with simulated() as world:
        yield world


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
async def chat(sim, painter):
    async with opened(sim, painter=painter) as made:
        yield made


def edited(sim):
    return [call.method for call in sim.tg.calls if call.method.startswith("edit")]


async def test_a_graph_becomes_a_photo_under_its_words(sim, chat):
    ref = await chat.post(card(), graphed(), WORDS)
    (message,) = sim.standing()
    assert (ref.kind, message.kind) == ("photo", "photo")
    assert message.now.media["show_caption_above_media"] is True
    assert message.text.startswith("🔴 HighErrorRate · api\n\n8 % of requests fail")
    assert "Errors: now 0.0800\N{NO-BREAK SPACE}%, highest 0.0800\N{NO-BREAK SPACE}%" in message.text
    assert "▁" not in message.text
    assert [button["text"] for button in message.buttons] == ["Ack", "Silence 1 h", "Details"]


async def test_without_a_painter_the_bars_say_it(sim):
    async with opened(sim) as chat:
        ref = await chat.post(card(), graphed(), WORDS)
    assert ref.kind == "text"
    assert "Errors: ▁" in sim.standing()[0].text


async def test_the_words_are_edited_as_a_caption_and_the_picture_stays(sim, chat, painter):
    ref = await chat.post(card(), graphed(), WORDS)
    again = await chat.edit(card(ref=ref), ref, graphed(blocks=(Paragraph(verbatim("held by anna")), graph())), WORDS)
    (message,) = sim.standing()
    assert again == ref
    assert edited(sim) == ["editMessageCaption"]
    assert message.text.startswith("🔴 HighErrorRate · api\n\nheld by anna")
    assert message.now.media == message.revisions[0].media
    assert len(painter.asked) == 1


@pytest.mark.parametrize(
    ("tone", "later", "anew"),
    [(Tone.OK, 1, True), (Tone.OK, 0, False), (Tone.CRITICAL, 4, False), (Tone.CRITICAL, 5, True)],
)
async def test_a_new_picture_only_when_it_has_something_to_show(sim, chat, tone, later, anew):
    ref = await chat.post(card(), graphed(), WORDS)
    changed = graphed(graph(AT + timedelta(minutes=later)), tone=tone, title=verbatim("changed"))
    again = await chat.edit(card(ref=ref), ref, changed, WORDS)
    (message,) = sim.standing()
    assert edited(sim) == ["editMessageMedia" if anew else "editMessageCaption"]
    assert (message.now.media["photo"] != message.revisions[0].media["photo"]) is anew
    assert message.now.media["show_caption_above_media"] is True
    assert (again.extra != ref.extra) is anew
    assert message.text.splitlines()[0].endswith("changed")


async def test_a_picture_that_is_refused_at_an_edit_leaves_the_words(sim, chat):
    ref = await chat.post(card(), graphed(), WORDS)
    sim.fail("editMessageMedia", error="IMAGE_PROCESS_FAILED")
    again = await chat.edit(card(ref=ref), ref, graphed(graph(AT + timedelta(hours=1)), tone=Tone.OK), WORDS)
    (message,) = sim.standing()
    assert (message.text[0], again.extra) == ("🟢", ref.extra)


@pytest.mark.parametrize("how", [{"broken": True}, {"late": 5.0}])
async def test_a_painter_that_fails_or_is_late_holds_up_nothing(sim, chat, painter, how, monkeypatch):
    monkeypatch.setattr(limits, "PAINT", 0.05)
    vars(painter).update(how)
    refs = [await chat.post(card(), graphed(), WORDS) for _ in range(3)]
    assert {ref.kind for ref in refs} == {"text"}
    assert len(sim.standing()) == 3
    assert len(painter.asked) == 1, "a storm must not wait for it again and again"
    assert {ref.again for ref in refs} == {limits.PAINT_AGAIN}, "worth an edit"
    vars(painter).update(broken=False, late=0.0)
    sim.clock.forward(limits.PAINT_REST)
    assert (await chat.post(card(), graphed(), WORDS)).kind == "photo"


@pytest.fixture
async def bare(chat, painter, monkeypatch):
    """A card whose picture did not come in time; the painter is awake by now."""
    painter.late = 5.0
    with monkeypatch.context() as hasty:
        hasty.setattr(limits, "PAINT", 0.05)
        ref = await chat.post(card(), graphed(), WORDS)
    painter.late = 0.0
    return ref


async def test_a_late_picture_joins_the_words_at_the_next_edit(sim, chat, bare):
    assert bare.kind == "text"
    sim.clock.forward(bare.again)
    ref = await chat.edit(card(ref=bare), bare, graphed(), WORDS)
    (message,) = sim.standing()
    assert edited(sim) == ["editMessageMedia"]
    assert (ref.kind, message.kind, ref.again) == ("photo", "photo", 0.0)
    assert message.text.startswith("🔴 HighErrorRate · api\n\n8 % of requests fail")
    assert "▁" not in message.text
    assert [button["text"] for button in message.buttons] == ["Ack", "Silence 1 h", "Details"]
    again = await chat.edit(card(ref=ref), ref, graphed(blocks=(Paragraph(verbatim("held by anna")), graph())), WORDS)
    assert (edited(sim)[1:], again) == (["editMessageCaption"], ref)


@pytest.mark.parametrize("text", ["there is no media in the message to edit", "not enough rights to send photos"])
async def test_where_no_picture_can_join_the_words_are_edited_all_the_same(sim, chat, bare, text):
    sim.fail("editMessageMedia", error=text)
    sim.clock.forward(bare.again)
    ref = await chat.edit(card(ref=bare), bare, graphed(tone=Tone.OK), WORDS)
    (message,) = sim.standing()
    assert (ref.kind, message.kind, message.text[0]) == ("text", "text", "🟢")
    assert edited(sim) == ["editMessageMedia", "editMessageText"]


@pytest.mark.parametrize("text", ["IMAGE_PROCESS_FAILED", "not enough rights to send photos to the chat"])
async def test_a_refused_photo_is_text_at_once(sim, chat, text):
    sim.fail("sendPhoto", error=text)
    ref = await chat.post(card(), graphed(), WORDS)
    (message,) = sim.standing()
    assert (ref.kind, message.kind) == ("text", "text")
    assert "▁" in message.text


async def test_a_chat_that_forbids_photos_is_not_tried_until_our_rights_change(sim, chat):
    sim.fail("sendPhoto", error="not enough rights to send photos to the chat")
    kinds = [(await chat.post(card(), graphed(), WORDS)).kind for _ in range(2)]
    assert len(sim.calls("sendPhoto")) == 1
    sim.clock.forward(limits.NO_PHOTOS)
    kinds.append((await chat.post(card(), graphed(), WORDS)).kind)
    assert kinds == ["text", "text", "photo"]


async def test_an_unclear_answer_is_never_tried_in_another_form(sim, chat):
    sim.fail("sendPhoto", drop=True, mode="after")
    with pytest.raises(AmbiguousError):
        await chat.post(card(), graphed(), WORDS)
    assert [message.kind for message in sim.standing()] == ["photo"]


async def test_what_does_not_fit_under_a_picture_is_text_with_bars(sim, chat, painter):
    long = graphed()
    long = replace(long, blocks=(*long.blocks, Lines(tuple(verbatim(f"{n} " + "x" * 80) for n in range(20)))))
    ref = await chat.post(card(), long, WORDS)
    assert (ref.kind, painter.asked) == ("text", [])
    assert "▁" in sim.standing()[0].text


async def test_a_photo_whose_words_grew_stays_one_and_the_rest_follows_as_a_file(sim, chat):
    ref = await chat.post(card(), graphed(), WORDS)
    lines = Lines(tuple(verbatim(f"{n} " + "x" * 80) for n in range(20)))
    again = await chat.edit(card(ref=ref), ref, graphed(blocks=(lines, graph()), whole="all of it"), WORDS)
    message = sim.standing()[0]
    assert units(message.text) <= limits.CAPTION
    assert "… and" in message.text
    assert again.extra["file"]


async def test_a_graph_without_data_is_no_picture(sim, chat, painter):
    ref = await chat.post(card(), graphed(graph(values=(float("nan"),) * 3)), WORDS)
    assert (ref.kind, painter.asked) == ("text", [])
    assert "Errors: no data" in sim.standing()[0].text


@pytest.mark.parametrize("kind", ["text", "photo"])
async def test_a_kind_that_is_remembered_wrongly_is_put_right(sim, chat, kind):
    """Neither a second message nor a lost one."""
    ref = await chat.post(card(), graphed() if kind == "photo" else alert(), WORDS)
    wrong = replace(ref, kind="text" if kind == "photo" else "photo")
    again = await chat.edit(card(ref=wrong), wrong, alert(), WORDS)
    assert again.kind == kind
    again = await chat.edit(card(ref=wrong), wrong, replace(alert(), title=verbatim("changed")), WORDS)
    (message,) = sim.standing()
    assert (again.kind, message.kind) == (kind, kind)
    assert message.text.splitlines()[0] == "🔴 changed"


async def test_a_message_that_takes_neither_ends(sim, chat):
    ref = await chat.post(card(), alert(), WORDS)
    for _ in range(4):
        sim.fail("editMessageText", error=NO_TEXT)
        sim.fail("editMessageCaption", error=NO_CAPTION)
    with pytest.raises(PermanentError):
        await chat.edit(card(ref=ref), ref, alert(), WORDS)


async def test_refused_markup_of_a_caption_goes_bare(sim, chat):
    ref = await chat.post(card(), graphed(), WORDS)
    sim.fail("editMessageCaption", error="can't parse entities: Unsupported start tag")
    await chat.edit(card(ref=ref), ref, graphed(title=verbatim("a & b")), WORDS)
    (message,) = sim.standing()
    assert message.text.startswith("🔴 a & b")
    assert not [entity for entity in message.now.entities if entity["type"] == "bold"]


async def test_a_deleted_photo_is_lost_and_an_unchanged_one_is_not(sim, chat):
    ref = await chat.post(card(), graphed(), WORDS)
    assert await chat.edit(card(ref=ref), ref, graphed(), WORDS) == ref
    sim.person(ANNA).delete(INCIDENTS, int(ref.message))
    with pytest.raises(LostReferenceError):
        await chat.edit(card(ref=ref), ref, graphed(title=verbatim("x")), WORDS)


async def test_news_answer_the_picture(sim, chat):
    parent = await chat.post(card(), graphed(), WORDS)
    await chat.post(card(subject="news:a-7k2f", parent="alert:a-7k2f", parent_ref=parent), alert(), WORDS)
    assert [message.reply_to for message in sim.standing()] == [None, int(parent.message)]
    elsewhere = Ref(str(ANNA), parent.message, "photo")
    await chat.post(card(subject="news:a-7k2f", parent_ref=elsewhere), alert(), WORDS)
    assert sim.standing()[-1].reply_to is None
