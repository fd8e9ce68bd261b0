"""The Bot API through python-telegram-bot: what it takes, refuses, limits, forgets and loses."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, InputMediaPhoto, Message
from telegram.error import BadRequest, ChatMigrated, EndPointNotFound, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest

from bot.simulator import telegram
from bot.simulator.world import World

INCIDENTS, OPS = -1001000000001, -1001000000002
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (320).to_bytes(4) + b"\x08\x02\x00\x00\x00"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

    def now(self):
        return self.at

    def forward(self, seconds):
        self.at += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch):
    """python-telegram-bot warns at every RetryAfter without this, and warnings are errors here."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def world():
    return World(seed=7, clock=Clock())


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
    async with Bot("424242:SIM", base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as made:
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


def keyboard(*buttons):
    return InlineKeyboardMarkup([list(buttons)])


def button(text="Ack", data="ack:1", **more):
    return InlineKeyboardButton(text, callback_data=data, **more)


async def test_a_message_is_posted_edited_and_every_revision_kept(bot, tg):
    sent = await bot.send_message(
        INCIDENTS, "<b>firing</b>", "HTML", reply_markup=keyboard(button()), disable_notification=True
    )
    assert sent.text_html == "<b>firing</b>"
    edited = await sent.edit_text("resolved")
    assert edited.message_id == sent.message_id
    (message,) = tg.everything(INCIDENTS)
    assert message.silent
    assert [(r.text, bool(r.keyboard)) for r in message.revisions] == [("firing", True), ("resolved", False)]
    assert [(c.method, c.status) for c in tg.calls] == [("getMe", 200), ("sendMessage", 200), ("editMessageText", 200)]


async def test_tokens_and_unknown_methods(base, http):
    async def get(path):
        async with http.get(f"{base}/{path}") as answer:
            body = await answer.json()
            assert body["error_code"] == answer.status
            return answer.status, body["description"]

    assert await get("bot424242:WRONG/getMe") == (401, "Unauthorized")
    assert await get("botnonsense/getMe") == (404, "Not Found")
    assert await get("bot424242:SIM/sendTelepathy") == (404, "Not Found")
    stranger = Bot("424242:WRONG", base_url=f"{base}/bot")
    with pytest.raises(InvalidToken):
        await stranger.initialize()
    await stranger.shutdown()


async def test_forms_json_and_multipart_are_read(base, http, tg):
    url = f"{base}/bot424242:SIM/sendMessage"
    form = aiohttp.FormData({"chat_id": str(INCIDENTS), "text": "multipart"})
    form.add_field("extra", b"x", filename="x.bin")
    for body in ({"data": {"chat_id": INCIDENTS, "text": "form"}}, {"json": {"chat_id": INCIDENTS, "text": "json"}}):
        async with http.post(url, **body) as answer:
            assert answer.status == 200
    async with http.post(url, data=form) as answer:
        assert answer.status == 200
    assert [m.text for m in tg.standing(INCIDENTS)] == ["form", "json", "multipart"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"chat_id": 12345, "text": "x"}, "Chat not found"),
        ({"chat_id": "", "text": "x"}, "Chat_id is empty"),
        ({"chat_id": INCIDENTS, "text": " \n"}, "Message text is empty"),
        ({"chat_id": INCIDENTS, "text": "x" * 4097}, "Message is too long"),
        ({"chat_id": INCIDENTS, "text": "🎉" * 2049}, "Message is too long"),
        ({"chat_id": INCIDENTS, "text": "<b>x", "parse_mode": "HTML"}, "Can't parse entities: can't find end tag"),
        ({"chat_id": INCIDENTS, "text": "x", "message_thread_id": 5}, "Message thread not found"),
        ({"chat_id": OPS, "text": "x", "message_thread_id": 99}, "Message thread not found"),
        ({"chat_id": INCIDENTS, "text": "x", "reply_to_message_id": 5}, "Message to be replied not found"),
        ({"chat_id": INCIDENTS, "text": "x", "reply_markup": keyboard(button(data="Ж" * 33))}, "Button_data_invalid"),
        ({"chat_id": INCIDENTS, "text": "x", "reply_markup": keyboard(*[button()] * 9)}, "Reply_markup_too_long"),
        (
            {"chat_id": INCIDENTS, "text": "x", "reply_markup": InlineKeyboardMarkup([[button()]] * 101)},
            "Reply_markup_too_long",
        ),
        (
            {"chat_id": INCIDENTS, "text": "x", "reply_markup": keyboard(InlineKeyboardButton("Go", url="nowhere"))},
            "Inline keyboard button url 'nowhere' is invalid: wrong http url",
        ),
    ],
)
async def test_messages_refused(bot, tg, args, sentence):
    with pytest.raises(BadRequest) as caught:
        await bot.send_message(**args)
    assert str(caught.value).lower().startswith(sentence.lower())
    assert tg.messages == []


async def test_length_counts_after_parsing_and_entities_stop_at_a_hundred(bot):
    sent = await bot.send_message(INCIDENTS, "<b>x</b>" * 500 + "y" * 3596, parse_mode="HTML")
    assert len(sent.text) == 4096
    assert len(sent.entities) == 100


async def test_buttons_of_sixty_four_bytes_and_all_styles_pass(bot, tg):
    row = [button(data="Ж" * 32), button(style="danger"), InlineKeyboardButton("Done", api_kwargs={"disabled": {}})]
    await bot.send_message(INCIDENTS, "x", reply_markup=keyboard(*row))
    assert len(tg.everything(INCIDENTS)[0].buttons) == 3


async def test_what_cannot_be_edited(bot, tg, drive):
    sent = await bot.send_message(1001, "same", reply_markup=keyboard(button()))
    said = await drive("say", user=1001, text="/help")

    async def refused(call):
        with pytest.raises(BadRequest) as caught:
            await call
        return str(caught.value).lower()

    edit = bot.edit_message_text
    assert "message is not modified" in await refused(
        edit("same", 1001, sent.message_id, reply_markup=keyboard(button()))
    )
    assert "message can't be edited" in await refused(edit("x", 1001, said["message_id"]))
    assert "there is no caption in the message to edit" in await refused(
        bot.edit_message_caption(1001, sent.message_id, caption="x")
    )
    tg.rates.scale = 0
    await drive("delete", user=1001, message_id=sent.message_id)
    assert "message to edit not found" in await refused(edit("x", 1001, sent.message_id))
    assert "message to delete not found" in await refused(bot.delete_message(1001, sent.message_id))


async def test_photos_keep_their_kind(bot, tg):
    tg.rates.scale = 0
    sent = await bot.send_photo(
        INCIDENTS, PNG, caption="<i>graph</i>", parse_mode="HTML", reply_markup=keyboard(button())
    )
    assert (sent.photo[0].width, sent.photo[0].height) == (640, 320)
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await sent.edit_text("x")
    await sent.edit_caption("resolved")
    other = PNG + b"other"
    await sent.edit_media(InputMediaPhoto(other, caption="new graph"))
    (message,) = tg.everything(INCIDENTS)
    assert [r.text for r in message.revisions] == ["graph", "resolved", "new graph"]
    assert message.kind == "photo"
    file = await bot.get_file(message.now.media["photo"][0]["file_id"])
    assert bytes(await file.download_as_bytearray()) == other


@pytest.mark.parametrize(
    ("content", "caption", "sentence"),
    [
        (b"not a picture", "", "Image_process_failed"),
        (PNG[:16] + (9000).to_bytes(4) + (1001).to_bytes(4), "", "Photo_invalid_dimensions"),
        (PNG[:16] + (2100).to_bytes(4) + (100).to_bytes(4), "", "Photo_invalid_dimensions"),
        (PNG, "x" * 1025, "Message caption is too long"),
    ],
)
async def test_photos_refused(bot, content, caption, sentence):
    with pytest.raises(BadRequest, match=rf"(?i)^{sentence}"):
        await bot.send_photo(INCIDENTS, content, caption=caption)


async def test_documents(bot, tg):
    sent = await bot.send_document(INCIDENTS, b"a,b\n1,2\n", filename="pods.csv", caption="pods")
    assert sent.document.file_name == "pods.csv"
    assert tg.everything(INCIDENTS)[0].kind == "document"


async def test_three_at_once_then_one_a_second_per_chat(bot, world):
    for number in range(3):
        await bot.send_message(1001, str(number))
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(1001, "4")
    assert caught.value.retry_after == timedelta(seconds=3)
    await bot.send_message(1002, "other chat")
    world.clock.forward(3)
    await bot.send_message(1001, "4")


async def test_twenty_a_minute_per_group_edits_included(bot, world, tg):
    sent = await bot.send_message(INCIDENTS, "0")
    for number in range(1, 20):
        world.clock.forward(1.01)
        await sent.edit_text(str(number))
    world.clock.forward(1.01)
    with pytest.raises(RetryAfter) as caught:
        await sent.edit_text("20")
    assert 38 <= caught.value.retry_after.total_seconds() <= 40
    assert tg.calls[-1].status == 429
    world.clock.forward(caught.value.retry_after.total_seconds())
    await sent.edit_text("20")
    tg.rates.scale = 0
    for number in range(50):
        await sent.edit_text(f"free {number}")


async def test_thirty_a_second_over_all_chats(bot, tg):
    waits = []
    for number in range(40):
        user = 2000 + number
        tg.chats[user] = telegram.state.Chat(user, "private", "guest", "member", {user})
        wait = tg.rates.take(user, group=False)
        waits.append(wait)
    assert waits == [0] * 30 + [1] * 10


async def test_the_worlds_rate_limit_fault(bot, world):
    world.faults.start("ratelimit", "telegram")
    with pytest.raises(RetryAfter):
        await bot.send_message(1001, "x")


async def test_the_bot_is_kicked_blocked_or_never_met(bot, drive, tg):
    await drive("kick", user=1001, chat=INCIDENTS)
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(INCIDENTS, "x")
    await drive("bot", user=1001, chat=INCIDENTS, status="left")
    with pytest.raises(Forbidden, match="bot is not a member of the supergroup chat"):
        await bot.send_message(INCIDENTS, "x")
    await drive("bot", user=1001, status="blocked")
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(1001, "x")
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(6666, "x")
    await drive("say", user=6666, text="/start")
    await bot.send_message(6666, "hello")
    kinds = [next(key for key in update if key != "update_id") for update in tg.updates.pending]
    assert kinds == ["my_chat_member"] * 3 + ["message"]


async def test_a_group_moves_away(bot, drive, tg):
    await drive("group", user=1001, chat=-424242, title="Old")
    await bot.send_message(-424242, "x")
    moved = await drive("migrate", user=1001, chat=-424242)
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(-424242, "x")
    assert caught.value.new_chat_id == moved["chat"] == -1000000424242
    await bot.send_message(moved["chat"], "x")
    bodies = [update["message"] for update in tg.updates.pending]
    assert bodies[0]["migrate_to_chat_id"] == moved["chat"]
    assert bodies[1]["migrate_from_chat_id"] == -424242


async def test_topics(bot, drive):
    sent = await bot.send_message(OPS, "x", message_thread_id=17)
    assert sent.is_topic_message
    reply = await bot.send_message(OPS, "y", reply_to_message_id=sent.message_id)
    assert reply.message_thread_id == 17
    for state, sentence in (("closed", "Topic_closed"), ("deleted", "Message thread not found")):
        await drive("topic", user=1001, chat=OPS, thread=17, state=state)
        with pytest.raises(BadRequest, match=rf"(?i){sentence}"):
            await bot.send_message(OPS, "x", message_thread_id=17)
    await drive("topic", user=1001, chat=OPS, thread=0, state="closed")
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        await bot.send_message(OPS, "x")


@pytest.mark.parametrize("trouble", [{"error": "strange", "status": 500}, {"status": 502}, {"drop": True}])
async def test_the_answer_can_be_lost_after_the_message_was_sent(bot, tg, drive, trouble):
    assert (await drive("fail", method="sendMessage", mode="after", **trouble))["ok"]
    with pytest.raises(NetworkError):
        await bot.send_message(INCIDENTS, "once")
    assert [m.text for m in tg.everything(INCIDENTS)] == ["once"]
    await bot.send_message(INCIDENTS, "twice")


async def test_or_before_with_any_refusal(bot, tg, drive):
    await drive("fail", method="sendMessage", mode="before", retry_after=17)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(INCIDENTS, "x")
    assert caught.value.retry_after == timedelta(seconds=17)
    await drive("fail", method="sendMessage", mode="before", error="CHAT_WRITE_FORBIDDEN")
    with pytest.raises(BadRequest, match=r"(?i)chat_write_forbidden"):
        await bot.send_message(INCIDENTS, "x")
    assert tg.messages == []
    assert (await drive("fail", method="sendMessage", mode="after"))["ok"] is False


async def test_an_answer_can_be_late(base, tg, drive):
    await drive("fail", method="sendMessage", mode="after", delay=5)
    request = HTTPXRequest(read_timeout=0.1)
    async with Bot("424242:SIM", base_url=f"{base}/bot", request=request) as hasty:
        with pytest.raises(NetworkError):
            await hasty.send_message(INCIDENTS, "once")
    assert [m.text for m in tg.everything(INCIDENTS)] == ["once"]


async def test_injection_shows_as_mentions_and_links(bot, tg):
    await bot.send_message(INCIDENTS, "&lt;a href='x'&gt; <code>@chen_dept</code>", parse_mode="HTML")
    await bot.send_message(INCIDENTS, '<a href="tg://user?id=1003">x</a> @boris_dept evil.com', parse_mode="HTML")
    quiet, loud = tg.everything(INCIDENTS)
    assert (quiet.mentions, quiet.links) == ([], [])
    assert loud.mentions == ["id:1003", "@boris_dept"]
    assert loud.links == [("evil.com", "evil.com")]


async def test_commands_are_kept_by_scope_and_language(bot, base, http):
    await bot.set_my_commands([BotCommand("status", "What burns")])
    await bot.set_my_commands([BotCommand("status", "Что горит")], language_code="ru")
    assert (await bot.get_my_commands(language_code="ru"))[0].description == "Что горит"
    assert (await bot.get_my_commands())[0].description == "What burns"
    for broken, sentence in (
        (BotCommand("Статус", "x"), "bot_command_invalid"),
        (BotCommand("status", "x" * 257), "bot_command_description_invalid"),
    ):
        with pytest.raises(BadRequest, match=rf"(?i){sentence}"):
            await bot.set_my_commands([broken])
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    async with http.get(f"{base}/_drive/commands") as answer:
        assert [c["language_code"] for c in (await answer.json())["commands"]] == ["ru"]


async def test_chats_members_pins_reactions_descriptions(bot, tg):
    sent = await bot.send_message(INCIDENTS, "x")
    await bot.pin_chat_message(INCIDENTS, sent.message_id)
    assert (await bot.get_chat(INCIDENTS)).pinned_message.message_id == sent.message_id
    assert (await bot.get_chat_member(INCIDENTS, 424242)).can_pin_messages
    assert (await bot.get_chat_member(INCIDENTS, 1004)).status == "member"
    await bot.set_message_reaction(INCIDENTS, sent.message_id, "👀")
    with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
        await bot.set_message_reaction(INCIDENTS, sent.message_id, "✅")
    assert tg.everything(INCIDENTS)[0].reactions == ["👀"]
    await bot.set_my_description("the console", language_code="en")
    assert (await bot.get_my_description("en")).description == "the console"
    assert await bot.send_chat_action(INCIDENTS, "typing")
    tg.chats[INCIDENTS].bot = "member"
    with pytest.raises(BadRequest, match="Not enough rights to manage pinned messages in the chat"):
        await bot.pin_chat_message(INCIDENTS, sent.message_id)


async def test_rich_messages_go_out_become_text_and_may_not_be_drawn(bot, tg, drive):
    rich = {"html": "<h3>api</h3><p>fine</p>", "skip_entity_detection": True}
    sent = await bot.do_api_request("sendRichMessage", {"chat_id": OPS, "rich_message": rich}, return_type=Message)
    assert sent.api_kwargs["rich_message"] == rich
    (message,) = tg.everything(OPS)
    assert message.kind == "rich"
    await drive("clients", chat=OPS, rich=False)
    assert message.report()["drawn"] is False
    await bot.edit_message_text("classic", OPS, sent.message_id)
    assert message.report()["drawn"] is True


def rich(html, **more):
    return {"chat_id": INCIDENTS, "rich_message": {"html": html, "skip_entity_detection": True, **more}}


async def test_a_rich_message_names_its_media_and_they_come_along(bot, tg):
    media = [{"id": "graph", "media": {"type": "photo", "media": "attach://file"}}]
    body = rich('<h3>api</h3><img src="tg://photo?id=graph">', media=media)
    await bot.do_api_request("sendRichMessage", {**body, "file": InputFile(PNG, filename="graph.png")})
    assert list(tg.files.values()) == [PNG]
    assert tg.everything(INCIDENTS)[0].kind == "rich"


@pytest.mark.parametrize(
    ("html", "more", "refusal"),
    [
        ('<h3>x</h3><img src="tg://photo?id=graph">', {}, "rich_validate_media_not_found"),
        ('<p>x<img src="https://a.example/b.png"></p>', {}, "block is not allowed"),
        ("<table><tr><td> </td></tr></table>", {}, "table cell must be non-empty"),
        ("<ul><li></li></ul>", {}, "list item must be non-empty"),
        ("<table><tr>" + "<td>x</td>" * 21 + "</tr></table>", {}, "columns_too_many"),
        ("<p>x</p>" * 501, {}, "blocks_too_many"),
        ("<p>" + "x" * 32_769 + "</p>", {}, "text_too_long"),
        ("<blockquote>" * 17 + "x" + "</blockquote>" * 17, {}, "depth_too_big"),
        ("<p>a<br>b</p>", {}, "unsupported start tag"),
        ("<p>a", {}, "can't find end tag"),
        ("<p> </p>", {}, "must be non-empty"),
        ("<p>x</p>", {"media": [{"id": "a b"}]}, "media_id_invalid"),
        ("<p>x</p>", {"media": [{"id": "a", "media": {"type": "photo", "media": "x"}}] * 51}, "media_too_many"),
        ("<p>x</p>", {"media": [{"id": "a", "media": {"type": "audio", "media": "x"}}]}, "unsupported media type"),
    ],
)
async def test_what_a_rich_message_must_not_hold(bot, tg, html, more, refusal):
    with pytest.raises(BadRequest, match=rf"(?i){refusal}"):
        await bot.do_api_request("sendRichMessage", rich(html, **more))
    assert tg.everything(INCIDENTS) == []


async def test_entities_are_found_in_a_rich_message_unless_that_is_skipped(bot, tg):
    for skip in (True, False):
        await bot.do_api_request("sendRichMessage", rich("<p>@anna_dept</p>", skip_entity_detection=skip))
    assert [message.mentions for message in tg.everything(INCIDENTS)] == [[], ["@anna_dept"]]


async def test_a_server_that_is_too_old_for_a_method(bot, drive):
    await drive("server", without=["sendRichMessage"])
    with pytest.raises((EndPointNotFound, InvalidToken)):
        await bot.do_api_request("sendRichMessage", rich("<p>x</p>"))
    await drive("server", without=[])
    await bot.do_api_request("sendRichMessage", rich("<p>x</p>"))


async def test_words_above_a_picture_are_asked_for_with_every_edit(bot, tg):
    sent = await bot.send_photo(INCIDENTS, PNG, "words", show_caption_above_media=True)
    (message,) = tg.everything(INCIDENTS)
    assert message.now.media["show_caption_above_media"] is True
    await bot.edit_message_caption(INCIDENTS, sent.message_id, caption="others")
    assert "show_caption_above_media" not in message.now.media
    photo = InputMediaPhoto(PNG, "again", show_caption_above_media=True)
    await bot.edit_message_media(photo, INCIDENTS, sent.message_id)
    assert message.now.media["show_caption_above_media"] is True


async def test_ephemeral_answers_need_a_fresh_press_unless_the_bot_is_administrator(bot, tg, drive, world):
    await bot.send_message(INCIDENTS, "card", reply_markup=keyboard(button()))

    async def whisper(press):
        parameters = {"receiver_user_id": 1001, "callback_query_id": press}
        return await bot.send_message(INCIDENTS, "psst", api_kwargs={"ephemeral_message_parameters": parameters})

    sent = await whisper("0")
    assert sent.message_id == 0
    assert [m.text for m in tg.standing(INCIDENTS)] == ["card"]
    edit = {"chat_id": INCIDENTS, "ephemeral_message_id": sent.api_kwargs["ephemeral_message_id"], "text": "new"}
    await bot.do_api_request("editEphemeralMessageText", edit)
    assert [m["text"] for m in telegram.Person(tg, 1001).answers()["messages"]] == ["new"]
    assert telegram.Person(tg, 1002).answers()["messages"] == []
    tg.chats[INCIDENTS].bot = "member"
    press = (await drive("press", user=1001, chat=INCIDENTS, button="Ack"))["press"]
    world.clock.forward(10)
    assert (await whisper(press)).message_id == 0
    world.clock.forward(6)
    with pytest.raises(BadRequest, match=r"(?i)ephemeral_message_not_allowed"):
        await whisper(press)
