"""Every recorded Alertmanager notification: read, folded, drawn as text; and bodies that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import Group, Notification, Status, fold
from bot.domain.errors import ForgedError, MalformedError
from bot.ports.webhooks import Delivery
from handlers.cards.alert import draw
from handlers.webhooks import alertmanager
from tests.handlers.department import Check, read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "alertmanager"
CASES = sorted(path.name for path in FIXTURES.iterdir())
NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
STORY = ("firing-group", "partial-resolve", "full-resolve")


def delivery(case: str) -> Delivery:
    headers = json.loads((FIXTURES / case / "headers.json").read_text())["headers"]
    lower = {name.lower(): value for name, value in headers.items()}
    return Delivery(lower, (FIXTURES / case / "body.json").read_bytes(), NOW)


def heard(case: str) -> Notification:
    (told,) = alertmanager.parse(delivery(case)).notifications
    return told


def body(**changes: object) -> Delivery:
    data = json.loads((FIXTURES / "firing-single" / "body.json").read_bytes())
    data["alerts"][0] |= changes.pop("alert", {})
    data |= changes
    return Delivery({}, json.dumps(data).encode(), NOW)


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_notification_is_read_whole(case: str) -> None:
    told, raw = heard(case), json.loads((FIXTURES / case / "body.json").read_bytes())
    assert told.key == raw["groupKey"]
    assert told.receiver == raw["receiver"]
    assert told.labels == raw["groupLabels"]
    assert told.truncated == raw["truncatedAlerts"]
    assert told.url == raw["externalURL"]
    for alert, data in zip(told.alerts, raw["alerts"], strict=True):
        assert alert.fingerprint == data["fingerprint"]
        assert (alert.labels, alert.annotations) == (data["labels"], data["annotations"])
        assert alert.url == data["generatorURL"]
        assert alert.firing == (data["status"] == "firing")
        assert alert.starts_at == datetime.fromisoformat(data["startsAt"])
        assert alert.ends_at == (None if alert.firing else datetime.fromisoformat(data["endsAt"]))


@pytest.mark.parametrize("case", [case for case in CASES if case not in {"full-resolve", "silenced-then-resolved"}])
def test_the_card_of_a_notification_reads_as_recorded(case: str, reads_as: Check) -> None:
    group = fold(None, heard(case), NOW, "a-7k2f")
    assert group is not None
    message = draw(group)
    reads_as(f"alertmanager/{case}", read(replace(message, whole="")))
    names = [alert.labels for alert in group.alerts.values()]
    assert (message.whole.count("\n") + 1 == len(names)) if len(names) > 10 else not message.whole


@pytest.mark.parametrize("case", ["full-resolve", "silenced-then-resolved"])
def test_a_resolve_of_what_was_never_told_shows_nothing(case: str) -> None:
    assert fold(None, heard(case), NOW, "a-7k2f") is None


def test_a_group_from_first_to_last(reads_as: Check) -> None:
    group: Group | None = None
    for minutes, case in enumerate(STORY):
        before, group = group, fold(group, heard(case), NOW + timedelta(minutes=minutes), f"a-{minutes}")
        assert group is not None
        assert group is not before
        assert fold(group, heard(case), NOW + timedelta(minutes=minutes), "again") is group
    assert group is not None
    assert (group.id, group.status, len(group.alerts)) == ("a-0", Status.RESOLVED, 4)
    reads_as("alertmanager/full-resolve", read(draw(group)))


def test_a_repeat_says_nothing_new() -> None:
    group = fold(None, heard("repeat-first"), NOW, "a")
    assert fold(group, heard("repeat"), NOW + timedelta(hours=4), "b") is group


def test_three_hundred_alerts_are_one_group_and_all_of_them_are_attached() -> None:
    group = fold(None, heard("three-hundred"), NOW, "a-7k2f")
    assert group is not None
    assert len(group.alerts) == 300
    whole = draw(group).whole
    assert all(alert.labels["instance"] in whole for alert in group.alerts.values())


@pytest.mark.parametrize(
    ("case", "given"),
    [
        ("auth-bearer", {"token": "test-bearer-token"}),
        ("auth-basic", {"username": "alertmanager", "password": "test-basic-secret"}),
        ("auth-basic", {"username": "alertmanager", "password": "test-basic-secret", "token": "x"}),
        ("auth-bearer", {"username": "alertmanager", "password": "test-basic-secret", "token": "test-bearer-token"}),
    ],
)
def test_recorded_credentials_are_taken(case: str, given: dict[str, str]) -> None:
    alertmanager.source(**given).authenticate(delivery(case))


def test_any_scheme_is_taken() -> None:
    recorded = delivery("http-config-custom")
    scheme, token = recorded.headers["authorization"].split(" ")
    assert scheme == "PultKey"
    alertmanager.source(token=token).authenticate(recorded)


@pytest.mark.parametrize(
    ("case", "given"),
    [
        ("auth-bearer", {"token": "another"}),
        ("auth-bearer", {"username": "alertmanager", "password": "test-basic-secret"}),
        ("auth-basic", {"token": "test-bearer-token"}),
        ("auth-basic", {"username": "alertmanager", "password": "another"}),
        ("firing-single", {"token": "test-bearer-token"}),
        ("firing-single", {"username": "", "password": ""}),
        ("auth-bearer", {}),
    ],
)
def test_others_are_not(case: str, given: dict[str, str]) -> None:
    with pytest.raises(ForgedError):
        alertmanager.source(**given).authenticate(delivery(case))


def test_the_state_decides_what_is_news() -> None:
    assert alertmanager.source(token="t").key(delivery("repeat")) == ""


MALFORMED = [
    ("body", Delivery({}, b"", NOW)),
    ("body", Delivery({}, b"{", NOW)),
    ("body", Delivery({}, b'{"alerts": [\n', NOW)),
    ("body", Delivery({}, b"\xff\xfe", NOW)),
    ("body", Delivery({}, b"[]", NOW)),
    ("body", Delivery({}, b"null", NOW)),
    ("body", Delivery({}, b'"\\ud800"', NOW)),
    ("body", Delivery({"content-type": "application/x-www-form-urlencoded"}, b"payload=%7B%7D", NOW)),
    ("alerts", Delivery({}, b"{}", NOW)),
    ("alerts", body(alerts=[])),
    ("alerts", body(alerts={})),
    ("alerts", body(alerts="x")),
    ("alerts[0]", body(alerts=["x"])),
    ("alerts[0].labels", body(alert={"labels": []})),
    ("alerts[0].labels.severity", body(alert={"labels": {"severity": 1}})),
    ("alerts[0].labels.severity", body(alert={"labels": {"severity": None}})),
    ("alerts[0].annotations.summary", body(alert={"annotations": {"summary": {}}})),
    ("alerts[0].startsAt", body(alert={"startsAt": "yesterday"})),
    ("alerts[0].startsAt", body(alert={"startsAt": 5})),
    ("alerts[0].startsAt", body(alert={"startsAt": "2026-11-24T00:13:00"})),
    ("alerts[0].startsAt", body(alert={"startsAt": "2026-11-24"})),
    ("alerts[0].startsAt", body(alert={"startsAt": "9999-12-31T23:59:59-12:00"})),
    ("alerts[0].endsAt", body(alert={"status": "resolved", "endsAt": []})),
    ("alerts[0].status", body(alert={"status": 1})),
    ("alerts[0].fingerprint", body(alert={"fingerprint": 1})),
    ("alerts[0].generatorURL", body(alert={"generatorURL": ["x"]})),
    ("truncatedAlerts", body(truncatedAlerts="6")),
    ("truncatedAlerts", body(truncatedAlerts=-1)),
    ("truncatedAlerts", body(truncatedAlerts=1.5)),
    ("groupLabels", body(groupLabels="x")),
    ("groupKey", body(groupKey=7)),
    ("receiver", body(receiver={})),
    ("externalURL", body(externalURL=1)),
]


@pytest.mark.parametrize(("place", "wrong"), MALFORMED)
def test_a_malformed_body_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        alertmanager.parse(wrong)
    assert str(raised.value).partition(":")[0] == place


def test_the_second_alert_is_named_as_the_second() -> None:
    data = json.loads(delivery("firing-group").body)
    data["alerts"][1]["labels"] = 5
    with pytest.raises(MalformedError, match=r"^alerts\[1\]\.labels: "):
        alertmanager.parse(Delivery({}, json.dumps(data).encode(), NOW))


def test_a_malformed_body_is_not_repeated_in_the_error() -> None:
    with pytest.raises(MalformedError) as raised:
        alertmanager.parse(body(alert={"startsAt": "password=hunter2"}))
    assert "hunter2" not in str(raised.value)


def one(**alert: object):
    return alertmanager.parse(body(alert=alert)).notifications[0].alerts[0]


def test_what_is_missing_is_made_up_for() -> None:
    bare = Delivery({}, b'{"alerts":[{"labels":{"a":"b"}},{"labels":{"a":"c"}}]}', NOW)
    (told,) = alertmanager.parse(bare).notifications
    first, second = told.alerts
    assert first.firing
    assert first.starts_at == NOW
    assert first.fingerprint
    assert first.fingerprint != second.fingerprint
    assert told.truncated == 0
    assert told.key


def test_unknown_keys_and_versions_pass() -> None:
    (told,) = alertmanager.parse(body(version="5", news={"x": 1}, alert={"extra": []})).notifications
    assert len(told.alerts) == 1


def test_times_come_in_utc() -> None:
    alert = one(startsAt="2026-11-24T03:13:00.137123456+03:00", status="resolved", endsAt="2026-11-24T03:14:00+03:00")
    assert alert.starts_at == datetime(2026, 11, 24, 0, 13, 0, 137123, tzinfo=UTC)
    assert alert.starts_at.utcoffset() == timedelta()
    assert alert.ends_at == datetime(2026, 11, 24, 0, 14, tzinfo=UTC)


@pytest.mark.parametrize("ends", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:00", "", None])
def test_a_resolve_without_an_end_ended_now(ends: str | None) -> None:
    assert one(status="resolved", endsAt=ends).ends_at == NOW
    assert one(status="firing", endsAt=ends).ends_at is None


@pytest.mark.parametrize("status", ["firing", "suppressed", "", None])
def test_what_is_not_resolved_fires(status: str | None) -> None:
    assert one(status=status, endsAt="2026-11-24T00:14:00Z").firing


def test_without_a_group_key_receiver_and_labels_name_the_group() -> None:
    keys = {
        alertmanager.parse(body(groupKey="", receiver=receiver, groupLabels=labels)).notifications[0].key
        for receiver in ("a", "b")
        for labels in ({"x": "1", "y": "2"}, {"y": "2", "x": "1"}, {"x": "2"})
    }
    assert len(keys) == 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.dictionaries(st.text(), json_values, max_size=3))
def test_any_json_is_read_or_refused(alert: dict[str, object], more: dict[str, object]) -> None:
    data = {"alerts": [alert], **more}
    try:
        alertmanager.parse(Delivery({}, json.dumps(data).encode(errors="replace"), NOW))
    except MalformedError as error:
        assert ": " in str(error)  # noqa: PT017 - either outcome is right, and a refusal says where
