"""Every recorded Grafana notification: proven, read, folded, drawn as text; and bodies that are none."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import Group, Notification, Status, fold
from bot.domain.errors import ForgedError, MalformedError
from bot.domain.messages import Link, Tone
from bot.ports.webhooks import Delivery
from handlers.cards.alert import draw
from handlers.webhooks import grafana
from handlers.webhooks.grafana import Proofs
from tests.handlers.department import Check, Department, read
from tests.handlers.test_alertmanager_webhook import json_values

FIXTURES = Path(__file__).parents[1] / "fixtures" / "grafana"
CASES = sorted(path.name for path in FIXTURES.iterdir())
NOW = datetime(2026, 11, 24, 8, 15, tzinfo=UTC)
SECRET, TOKEN = "test-grafana-secret", "grafana-test-token"
SIGNATURE = "x-grafana-alerting-signature"


def delivery(case: str) -> Delivery:
    headers = json.loads((FIXTURES / case / "headers.json").read_text())["headers"]
    lower = {name.lower(): value for name, value in headers.items()}
    return Delivery(lower, (FIXTURES / case / "body.json").read_bytes(), NOW)


def heard(found: Delivery | str) -> Notification:
    (told,) = grafana.parse(delivery(found) if isinstance(found, str) else found).notifications
    return told


def body(case: str = "firing", **changes: object) -> Delivery:
    data = json.loads((FIXTURES / case / "body.json").read_bytes())
    data["alerts"][0] |= changes.pop("alert", {})
    data |= changes
    return Delivery({}, json.dumps(data).encode(), NOW)


def group(found: Delivery | str) -> Group:
    drawn = fold(None, heard(found), NOW, "a-7k2f")
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_notification_is_read_whole(case: str) -> None:
    told, raw = heard(case), json.loads((FIXTURES / case / "body.json").read_bytes())
    assert raw["groupKey"] in told.key
    assert (told.source, told.receiver, told.labels) == ("grafana", "pult", raw["groupLabels"])
    for alert, data in zip(told.alerts, raw["alerts"], strict=True):
        assert (alert.fingerprint, alert.labels, alert.url) == (
            data["fingerprint"], data["labels"], data["generatorURL"],
        )  # fmt: skip
        assert data["annotations"].items() <= alert.annotations.items()
        assert alert.firing == (data["status"] == "firing")
        assert alert.annotations["silence_url"] == data["silenceURL"]


@pytest.mark.parametrize("case", ["firing", "mixed"])
def test_the_card_of_a_notification_reads_as_recorded(case: str, reads_as: Check) -> None:
    reads_as(f"grafana/{case}", read(draw(group(case))))


def test_a_group_from_first_to_last(reads_as: Check) -> None:
    first = group("firing")
    last = fold(first, heard("resolved"), NOW + timedelta(minutes=10), "again")
    assert last is not None
    assert (last.id, last.status) == (first.id, Status.RESOLVED)
    assert draw(last).tone is Tone.OK
    reads_as("grafana/resolved", read(draw(last)))


def test_a_repeat_that_differs_only_in_its_own_time_says_nothing_new() -> None:
    """A dashboard's range ends at the moment of sending: four hours later the body is another one."""
    later = json.loads(delivery("firing").body.replace(b"to=1795478400000", b"to=1795492800000"))
    first, again = group("firing"), Delivery({}, json.dumps(later).encode(), NOW + timedelta(hours=4))
    assert grafana.source(Proofs(token=TOKEN)).key(delivery("firing")) != grafana.source(Proofs()).key(again)
    assert fold(first, heard(again), again.received_at, "b") is first


def test_a_new_value_is_news() -> None:
    first = group("firing")
    after = fold(first, heard(body(alert={"values": {"A": 3.5, "C": 1}})), NOW, "b")
    assert after is not first
    assert after is not None
    assert "A=3.5, C=1" in read(draw(after))


def test_organisations_and_grafanas_are_kept_apart() -> None:
    keys = {
        heard(body(orgId=org, externalURL=url)).key
        for org in (1, 2, None)
        for url in ("https://grafana.a/", "https://grafana.b/")
    }
    assert len(keys) == 6


def links(drawn: Group) -> dict[str, str]:
    values = [value for block in draw(drawn).blocks if hasattr(block, "text") for value in block.text.values.values()]
    return {value.text.plain(): value.url for value in values if isinstance(value, Link)}


def test_its_links_are_on_the_card() -> None:
    found = links(group(body(alert={"imageURL": "https://grafana.shop.example/i.png"})))
    assert list(found) == ["Runbook", "Dashboard", "Panel", "Picture", "Rule"]
    assert found["Panel"] == "https://grafana.shop.example/d/abc123?from=1795474800000&orgId=1&to=now&viewPanel=4"
    assert found["Picture"] == "https://grafana.shop.example/i.png"


def test_a_resolved_alerts_dashboard_ends_when_it_did() -> None:
    assert "to=1795478400000" in heard("resolved").alerts[0].annotations["dashboard_url"]


def test_a_rules_own_link_stands_above_grafanas() -> None:
    own = {"annotations": {"dashboard_url": "https://mine.example/d"}}
    assert links(group(body(alert=own)))["Dashboard"] == "https://mine.example/d"


@pytest.mark.parametrize("url", ["http://[", "javascript:alert(1)", "", "//x", "мимо?from=1&to=2"])
def test_what_is_no_link_becomes_none(url: str) -> None:
    found = group(body(alert=dict.fromkeys(("dashboardURL", "panelURL", "silenceURL", "imageURL"), url)))
    assert set(links(found)) == {"Runbook", "Rule"}
    assert [button.command for button in draw(found).buttons] == ["ack a-7k2f", "silence a-7k2f 1h", "alert a-7k2f"]


def test_grafanas_alerts_are_silenced_in_grafana() -> None:
    button = next(each for each in draw(group("firing")).buttons if "Silence" in each.label.plain())
    assert not button.command
    assert button.url == json.loads(delivery("firing").body)["alerts"][0]["silenceURL"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (None, None),
        ({}, None),
        ({"A": None}, "A=?"),
        ({"B": 2, "A": 0.1}, "A=0.1, B=2"),
        ({"A": 1.23456789e-8}, "A=1.23457e-08"),
        ({"A": 12345678901234567890}, "A=1.23457e+19"),
        ({"A": 0}, "A=0"),
    ],
)
def test_values_are_numbers_or_unknown(values: object, said: str | None) -> None:
    assert heard(body(alert={"values": values})).alerts[0].annotations.get("values") == said


# --- blindness is not health (promise 14) ---


def blind(name: str, **alert: object) -> Delivery:
    labels = {"alertname": name, "rulename": "CheckoutLatency", "datasource_uid": "P1", "service": "checkout"}
    return body(alert={"labels": labels, "fingerprint": "b", "values": {}, **alert}, groupKey=f"{{}}:{name}")


@pytest.mark.parametrize(("name", "reason"), [("DatasourceNoData", "NoData"), ("DatasourceError", "Error")])
def test_no_data_shows_the_rules_name_and_that_nothing_is_known(name: str, reason: str) -> None:
    drawn = draw(group(blind(name)))
    assert drawn.title.plain() == "CheckoutLatency (can't be evaluated) · checkout"
    assert drawn.tone is Tone.WARNING
    assert f"This was not measured ({reason}): whether it is well is unknown." in read(drawn)


def test_data_again_is_no_word_on_the_rule() -> None:
    first = group(blind("DatasourceNoData"))
    ends = {"status": "resolved", "endsAt": "2026-11-24T08:25:00Z"}
    last = fold(first, heard(blind("DatasourceNoData", **ends)), NOW, "b")
    assert last is not None
    assert draw(last).title.plain() == "Resolved: CheckoutLatency (can't be evaluated) · checkout"
    assert "unknown" not in read(draw(last))


def test_rules_that_are_blind_together_are_told_apart_by_their_names() -> None:
    data = json.loads(blind("DatasourceNoData").body)
    other = data["alerts"][0] | {"fingerprint": "c", "labels": data["alerts"][0]["labels"] | {"rulename": "Errors"}}
    drawn = draw(group(Delivery({}, json.dumps(data | {"alerts": [data["alerts"][0], other]}).encode(), NOW)))
    assert drawn.title.plain().startswith("DatasourceNoData (can't be evaluated)")
    assert "rulename=Errors" in read(drawn)
    assert "rulename=CheckoutLatency" in read(drawn)


@pytest.mark.parametrize("reason", ["MissingSeries", "NoData", "Error", "Paused", "RuleDeleted", "Updated"])
def test_an_end_without_a_measurement_is_not_called_resolved(reason: str) -> None:
    data = json.loads(delivery("resolved").body)
    annotations = data["alerts"][0]["annotations"] | {"grafana_state_reason": reason}
    last = fold(group("firing"), heard(body("resolved", alert={"annotations": annotations})), NOW, "b")
    assert last is not None
    assert last.status is Status.RESOLVED
    drawn = draw(last)
    assert drawn.tone is Tone.MUTED
    assert drawn.title.plain() == "Ended: CheckoutLatency · checkout"
    assert f"not measured ({reason})" in read(drawn)


# --- who may send ---


def signed(secret: str = SECRET, stamp: str = "", header: str = "X-Grafana-Alerting-Signature", **more: str):
    raw = delivery("firing").body
    text = (stamp.encode() + b":" if stamp else b"") + raw
    headers = {header.lower(): hmac.new(secret.encode(), text, sha256).hexdigest(), **more}
    return Delivery(headers | ({"x-stamp": stamp} if stamp else {}), raw, NOW)


def resigned(given: str, more: dict[str, str] | None = None) -> Delivery:
    return replace(signed(), headers={SIGNATURE: given, **(more or {})})


def basic(pair: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def stamp(late: int = 0) -> str:
    return str(int(NOW.timestamp()) + late)


BASIC = Proofs(username="grafana", password="pa:ss wörd")
ALL = Proofs(secret=SECRET, token=TOKEN)
STAMPED = Proofs(secret=SECRET, timestamp="x-stamp")
TAKEN = {
    "recorded token": (Proofs(token=TOKEN), delivery("firing")),
    "recorded signature": (Proofs(secret=SECRET), delivery("firing-hmac")),
    "the older header": (Proofs(secret=SECRET), signed(header="X-Grafana-Alert-Signature")),
    "a header of one's own": (Proofs(secret=SECRET, signature="x-mine"), signed(header="X-Mine")),
    "another scheme": (Proofs(token=TOKEN), signed(authorization=f"ApiKey {TOKEN}")),
    "basic": (BASIC, signed(**basic("grafana:pa:ss wörd"))),
    "both": (ALL, signed(authorization=f"bearer {TOKEN}")),
    "signed with its time": (STAMPED, signed(stamp=stamp())),
    "nearly late": (STAMPED, signed(stamp=stamp(-300))),
}
FORGED = {
    "nothing is configured": (Proofs(), delivery("firing")),
    "another token": (Proofs(token="else"), delivery("firing")),
    "no token": (Proofs(token=TOKEN), delivery("firing-hmac")),
    "no signature": (Proofs(secret=SECRET), delivery("firing")),
    "another secret": (Proofs(secret="else"), delivery("firing-hmac")),
    "with a prefix": (Proofs(secret=SECRET), resigned("sha256=" + signed().headers[SIGNATURE])),
    "the usual header where another is set": (Proofs(secret=SECRET, signature="x-mine"), signed()),
    "basic: another password": (BASIC, signed(**basic("grafana:pa:ss word"))),
    "signature without token": (ALL, signed()),
    "token without signature": (ALL, signed("else", authorization=f"Bearer {TOKEN}")),
    "no time": (STAMPED, signed()),
    "late": (STAMPED, signed(stamp=stamp(-301))),
    "early": (STAMPED, signed(stamp=stamp(301))),
    "another time": (STAMPED, resigned(signed(stamp=stamp()).headers[SIGNATURE], {"x-stamp": stamp(1)})),
    "not a time": (STAMPED, signed(stamp="soon")),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_who_proves_everything_is_let_in(case: str) -> None:
    proofs, sent = TAKEN[case]
    grafana.source(proofs).authenticate(sent)


@pytest.mark.parametrize("case", FORGED)
def test_others_are_not(case: str) -> None:
    proofs, sent = FORGED[case]
    with pytest.raises(ForgedError):
        grafana.source(proofs).authenticate(sent)


# --- which delivery it is, and what can't be read ---


def test_the_same_bytes_within_minutes_are_the_same_delivery() -> None:
    key = grafana.source(Proofs(token=TOKEN)).key
    first = delivery("firing")
    assert key(first) == key(replace(first, received_at=NOW + timedelta(minutes=4)))
    assert key(first) != key(replace(first, received_at=NOW + timedelta(hours=1)))
    assert key(first) != key(delivery("mixed"))


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("alerts", Delivery({}, b'{"text": "a template of my own"}', NOW)),
        ("alerts", body(alerts=[])),
        ("alerts[0].values", body(alert={"values": [1]})),
        ("alerts[0].values.A", body(alert={"values": {"A": "2.41"}})),
        ("alerts[0].values.A", body(alert={"values": {"A": True}})),
        ("alerts[0].dashboardURL", body(alert={"dashboardURL": 1})),
        ("alerts[0].labels.x", body(alert={"labels": {"x": 1}})),
        ("body", Delivery({}, b"**Firing**", NOW)),
    ],
)
def test_a_malformed_body_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        grafana.parse(wrong)
    assert str(raised.value).partition(":")[0] == place


def test_a_custom_payload_is_told_what_is_expected() -> None:
    with pytest.raises(MalformedError, match=r"expected a list with at least one alert.*custom payload"):
        grafana.parse(Delivery({}, b'{"msg": "x"}', NOW))


def test_what_is_left_out_is_made_up_for() -> None:
    (alert,) = heard(Delivery({}, b'{"alerts":[{"labels":{"alertname":"x"}}]}', NOW)).alerts
    assert (alert.firing, alert.annotations) == (True, {})


FIELDS = ("status", "labels", "values", "dashboardURL", "panelURL", "silenceURL", "imageURL", "orgId", "enrichments")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values | st.text()), st.dictionaries(st.text(), json_values))
def test_any_json_is_read_or_refused(alert: dict[str, object], more: dict[str, object]) -> None:
    data = {"alerts": [alert], **more}
    try:
        grafana.parse(Delivery({}, json.dumps(data).encode(errors="replace"), NOW))
    except MalformedError as error:
        assert ": " in str(error)  # noqa: PT017 - either outcome is right, and a refusal says where


# --- silences ---


async def open_in(department: Department, found: Delivery | str) -> Group:
    drawn = group(found)
    await department.store.write(lambda tx: tx.save_group(drawn))
    return drawn


async def test_grafanas_alerts_cant_be_silenced_here_and_it_is_said_where(department: Department) -> None:
    await open_in(department, "firing")
    said = await department.say("anna", "silence a-7k2f 1h", ok=False)
    assert "a-7k2f comes from Grafana: silence it there (https://grafana.shop.example/alerting/silence/new" in said
    assert department.silencer.made == {}


async def test_a_silence_of_alertmanagers_mutes_no_alert_of_grafanas(department: Department) -> None:
    """Marked as silenced it would wake nobody, though Grafana goes on."""
    await open_in(department, "firing")
    await department.say("anna", "silence service=checkout 1h")
    after = await department.store.read(lambda tx: tx.group("a-7k2f"))
    assert after is not None
    assert after.silenced is None
