"""What people do in Slack, as requests: recorded payloads in, what pult makes of them out."""

from datetime import UTC, datetime

import pytest

from bot.domain.cards import Place
from bot.domain.requests import Request
from bot.platforms.slack import reading
from tests.platforms.slack_setup import body

NOW = datetime.fromtimestamp(1795482600, UTC)


def test_a_slash_command_is_answered_privately_or_in_its_channel():
    url = "https://hooks.slack.com/commands/T0SHOP001/1234567890/abcDEF"
    assert reading.slash(body("slash-command"), NOW) == Request(
        id="slack:13345224609.738474920.8088930838d88f008e0",
        platform="slack",
        account="U0ALICE01",
        text="status checkout",
        place=Place("slack:C0OPS0001"),
        private=Place("slack:C0OPS0001", private_to="U0ALICE01", press=url),
        received_at=NOW,
    )


def test_a_slash_command_between_two_people_tells_all_in_the_askers_own_chat():
    found = reading.slash(body("slash-command") | {"channel_name": "directmessage", "channel_id": "D9"}, NOW)
    assert (found.place, found.private.destination, found.shared) == (Place("slack:U0ALICE01"), "slack:D9", False)


def test_a_mention_is_answered_in_a_thread_under_it():
    place = Place("slack:C0OPS0001", thread="1795482600.000300")
    assert reading.event(body("app-mention"), NOW) == Request(
        id="slack:Ev0SHOP001",
        platform="slack",
        account="U0ALICE01",
        text="status checkout",
        place=place,
        private=place,
        received_at=NOW,
    )


def test_a_mention_in_a_thread_is_answered_in_that_thread():
    said = body("app-mention")
    said["event"]["thread_ts"] = "1795482590.000200"
    assert reading.event(said, NOW).place.thread == "1795482590.000200"


def test_a_direct_message_is_nobody_elses():
    said = body("message-thread")
    said["event"] |= {"channel": "D0ALICE01", "channel_type": "im"}
    del said["event"]["thread_ts"]
    found = reading.event(said, NOW)
    assert (found.place, found.private, found.shared) == (Place("slack:D0ALICE01"), Place("slack:D0ALICE01"), False)


def test_a_press_is_its_buttons_command():
    url = "https://hooks.slack.com/actions/T0SHOP001/2233445566/xyzXYZ"
    found = reading.press(body("block-actions"), NOW)
    assert (found.text, found.pressed, found.account, found.shared) == ("req-17", True, "U0ALICE01", True)
    assert found.place == Place("slack:C0OPS0001", thread="1795482590.000200")
    assert found.private == Place("slack:C0OPS0001", private_to="U0ALICE01", press=url)


def test_a_press_delivered_twice_is_one_and_pressing_twice_is_two():
    first, again, other = body("block-actions"), body("block-actions"), body("block-actions")
    again["trigger_id"] = "another"
    other["actions"][0]["action_ts"] = "1795482601.5"
    ids = [reading.press(each, NOW).id for each in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]


def test_a_press_on_what_only_one_person_sees_is_answered_beside_it():
    pressed = body("block-actions")
    pressed["container"]["is_ephemeral"] = True
    del pressed["message"]
    assert reading.press(pressed, NOW).place == Place("slack:C0OPS0001")
    pressed["container"]["thread_ts"] = "1795482500.000100"
    found = reading.press(pressed, NOW)
    assert found.place.thread == found.private.thread == "1795482500.000100"


@pytest.mark.parametrize(
    "change",
    [{"bot_id": "B1"}, {"subtype": "message_changed"}, {"edited": {"user": "U0ALICE01"}}, {"user": None}],
)
def test_bots_and_edits_are_not_heard(change):
    said = body("app-mention")
    said["event"] |= change
    assert reading.event(said, NOW) is None


@pytest.mark.parametrize("case", ["message-thread", "app-home-opened"])
def test_channel_talk_and_other_events_are_not_for_us(case):
    assert reading.event(body(case), NOW) is None


@pytest.mark.parametrize("change", [{"actions": [{"url": "https://x.example"}]}, {"container": {"type": "view"}}])
def test_links_and_views_ask_for_nothing(change):
    assert reading.press(body("block-actions") | change, NOW) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<@U0PULT> status api", "status api"),
        ("hey <@U0PULT|pult> status", "hey   status"),
        ("/pult slo api", "slo api"),
        ("<@U0PULT> /pult slo api", "slo api"),
        ("logs api --grep &quot;a &lt;b&gt; &amp;amp;", "logs api --grep &quot;a <b> &amp;"),
        ("silence <http://api.example|api.example> 1h", "silence api.example 1h"),
        ("open <https://a.example/x>", "open https://a.example/x"),
        ("mail <mailto:a@b.example|a@b.example>", "mail a@b.example"),
        ("page <@U0BORIS> in <#C0OPS|ops>", "page @U0BORIS in ops"),
        ("`op op-41c9`", "op op-41c9"),
        ("статус\u00a0api", "статус api"),
        ("a — b", "a — b"),
        ("", ""),
    ],
)
def test_text_is_what_the_person_typed(written, meant):
    assert reading.typed(written, "U0PULT") == meant
