"""Updates as Telegram writes them, and what they ask of us."""

import pytest

from bot.domain.cards import Place
from bot.domain.requests import Request
from bot.platforms.telegram.keyboard import Key
from bot.platforms.telegram.reading import Asked, Me, Membership, Migrated, Turn, read
from tests.platforms.telegram_setup import START, update

ME = Me(7000000001, "pult_shop_bot")
PRIVATE = {"id": 5, "first_name": "Op", "type": "private"}
GROUP = {"id": -100, "title": "Ops", "type": "supergroup"}
OP = {"id": 5, "is_bot": False, "first_name": "Op", "language_code": "ru-RU"}


def message(text, chat=GROUP, **more):
    base = {"message_id": 9, "from": OP, "chat": chat, "date": 1, "text": text}
    return {"update_id": 1, "message": base | more}


def heard(given):
    return read(given, ME, START)


def asked(given):
    found = heard(given)
    return found.request.text if isinstance(found, Asked) else found


def press(data, chat=GROUP, **more):
    base = {"message_id": 9, "date": 1, "chat": chat, "text": "card"}
    return {"update_id": 2, "callback_query": {"id": "77", "from": OP, "message": base | more, "data": data}}


def test_a_recorded_private_command():
    place = Place("telegram:111000111")
    want = Request(
        "telegram:900001", "telegram", "111000111", "/status checkout", place, place, START, shared=False, locale="en"
    )
    assert heard(update("command-private")) == Asked(want)


def test_a_recorded_command_in_a_group_names_us():
    place = Place("telegram:-424242", reply_to="11")
    found = heard(update("command-group-suffix")).request
    assert (found.text, found.place, found.private, found.shared) == ("/status checkout", place, place, True)


def test_a_recorded_command_in_a_topic():
    found = heard(update("command-topic")).request
    assert found.place == Place("telegram:-1001234567890/55", reply_to="12")


def test_a_recorded_press():
    found = heard(update("callback-query"))
    assert found.press == "4382bfdwdsb323b2d9"
    chat = "telegram:-1001234567890"
    want = (
        Place(chat, reply_to="40", press="4382bfdwdsb323b2d9"),
        Place(chat, private_to="111000111", press="4382bfdwdsb323b2d9"),
    )
    assert (found.request.place, found.request.private) == want
    assert (found.request.text, found.request.pressed, found.request.shared) == ("a:req-17", True, True)


def test_recorded_news():
    assert heard(update("edited-message")) is None
    assert heard(update("migrate-to-chat-id")) == Migrated(-424242, -1001234567890)
    assert heard(update("my-chat-member-added")) == Membership(-1001234567890, "member")
    twin = {"message_id": 1, "chat": GROUP, "date": 1, "migrate_from_chat_id": -7}
    assert heard({"update_id": 1, "message": twin}) == Migrated(-7, -100)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("/slo api 7d", "/slo api 7d"),
        ("/slo@pult_shop_bot api", "/slo api"),
        ("/slo@PULT_Shop_Bot\napi", "/slo\napi"),
        ("/slo@other_bot api", None),
        ("/перезапусти api", "/перезапусти api"),
        ("/start", "/help"),
        ("/start deep-link", "/help"),
        ("@pult_shop_bot slo api", "slo api"),
        ("please, @Pult_shop_bot: slo api", "please, slo api"),
        ("@pult_shop_bot", "/help"),
        ("@pult_shop_bots slo", None),
        ("mail@pult_shop_bot.example", None),
        ("just talk", None),
        ("", None),
        ("   ", None),
    ],
)
def test_in_a_group_we_listen_when_spoken_to(text, want):
    assert asked(message(text)) == want


def test_in_private_everything_is_for_us():
    assert asked(message("slo api", PRIVATE)) == "slo api"
    assert asked(message("@pult_shop_bot slo", PRIVATE)) == "slo"


def test_an_answer_to_us_is_for_us_but_the_topics_root_is_not_ours_to_answer():
    ours = {"message_id": 1, "from": {"id": ME.id}, "chat": GROUP, "date": 1}
    assert asked(message("slo api", reply_to_message=ours)) == "slo api"
    assert asked(message("slo api", reply_to_message=ours | {"from": {"id": 1}})) is None
    assert asked(message("slo api", reply_to_message=ours | {"forum_topic_created": {}})) is None


def test_nobody_in_particular():
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    found = heard(message("/slo api", sender_chat=GROUP, **{"from": anonymous}))
    assert found.request.account == ""
    assert heard(message("/slo api", **{"from": anonymous})) is None
    assert heard(message("/slo api", sender_chat=GROUP, is_automatic_forward=True)) is None
    assert heard(message("/slo api", forward_origin={"type": "user"})) is None
    channel = message("/slo api")["message"]
    del channel["from"]
    assert heard({"update_id": 1, "message": channel}) is None


def test_a_thread_of_answers_is_no_topic():
    assert heard(message("/slo", message_thread_id=3)).request.place.destination == "telegram:-100"


def test_a_press_in_private_and_on_a_message_too_old_to_show():
    found = heard(press("ack a", PRIVATE)).request
    assert not found.shared
    assert found.private == Place("telegram:5", private_to="5", press="77")
    assert found.locale == "ru"
    assert heard(press("ack a", date=0)).request.text == "ack a"
    assert (
        heard({"update_id": 1, "callback_query": {"id": "1", "from": OP, "inline_message_id": "x", "data": "a"}})
        is None
    )


def test_a_press_that_asks_first():
    rows = [
        [
            {"text": "Approve", "callback_data": "?approve op-1", "style": "success"},
            {"text": "Go", "url": "https://x.y"},
        ]
    ]
    found = heard(
        press("?approve op-1", reply_markup={"inline_keyboard": rows}, is_topic_message=True, message_thread_id=4)
    )
    keys = (Key("Approve", "?approve op-1", style="success"), Key("Go", url="https://x.y"))
    assert found == Turn("77", Place("telegram:-100/4"), -100, 9, "?approve op-1", (keys,))
    assert heard(press("<0.0.1.2.0", date=0)).rows == ()


@pytest.mark.parametrize(
    "body", [{}, {"update_id": "x"}, {"update_id": 1, "message": {"chat": {}}}, message(5, chat=None)]
)
def test_what_is_no_update(body):
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
        heard(body) or {}["nothing"]
