"""Secondary attachments, as Alertmanager sends them: what is taken, kept, refused."""

from datetime import UTC, datetime
from random import Random

import pytest

from bot.simulator.slack import chat, department
from bot.simulator.slack.args import Args
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.state import Workspace

ALERT = {"title": "[FIRING:1] Down", "title_link": "http://am", "text": "api is down", "fallback": "x", "footer": ""}


@pytest.fixture
def ws():
    return Workspace(lambda: datetime(2026, 11, 24, 3, 0, tzinfo=UTC), Random(7))


def call(run, ws, **values):
    return run(ws, Args({"channel": "C0INC", **values}, department.BOT_TOKEN, ""))


def refusal(ws, attachments):
    with pytest.raises(SlackError) as caught:
        call(chat.post_message, ws, attachments=attachments)
    return caught.value.error


def test_a_message_may_be_an_attachment_and_nothing_else(ws):
    answer = call(chat.post_message, ws, attachments=[ALERT], username="Alertmanager")
    assert answer["message"]["attachments"] == [{**ALERT, "id": 1}]
    assert ws.messages[-1].report()["attachments"] == [{**ALERT, "id": 1}]


def test_in_a_form_they_are_a_string_of_json(ws):
    answer = call(chat.post_message, ws, text="see", attachments='[{"text": "more"}]')
    assert answer["message"]["attachments"] == [{"text": "more", "id": 1}]


def test_an_edit_that_leaves_them_out_keeps_them_and_an_empty_list_removes_them(ws):
    ts = call(chat.post_message, ws, text="see", attachments=[ALERT])["ts"]
    assert "attachments" in call(chat.update, ws, ts=ts, text="seen")["message"]
    assert "attachments" not in call(chat.update, ws, ts=ts, text="over", attachments=[])["message"]


@pytest.mark.parametrize(
    ("attachments", "error"),
    [
        ([{"text": "x"}] * 101, "too_many_attachments"),
        ([{"fallback": "nothing to see", "footer": ""}], "no_text"),
        ([], "no_text"),
        ("{", "invalid_attachments"),
        ("[1]", "invalid_attachments"),
        ([{"text": 1}], "invalid_attachments"),
        ([{"text": "x", "fields": {}}], "invalid_attachments"),
    ],
)
def test_refused(ws, attachments, error):
    assert refusal(ws, attachments) == error


def test_what_they_say_can_mention(ws):
    fields = [{"title": "who", "value": "<@U0ANNA>"}]
    call(chat.post_message, ws, text="<!here>", attachments=[{"text": "<!channel>", "fields": fields}])
    assert ws.messages[-1].mentions == ["!here", "!channel", "@U0ANNA"]
