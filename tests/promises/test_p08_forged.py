"""Promise 8: an unsigned, wrongly signed, replayed or oversized request changes nothing and is counted."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from bot.simulator.slack.courier import sign
from tests.promises.alerts import fires
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import ALERT_TOKEN, GITHUB_SECRET, Pult, bearer, stamped

HUGE = b"x" * (4 * 1024 * 1024 + 1)
ALERT = json.dumps(fires("Forged")).encode()
RELEASE = json.dumps({"service": "api", "version": "9.9.9", "status": "ready"}).encode()
GITHUB = json.dumps(
    {"action": "published", "release": {"tag_name": "v9.9.9"}, "repository": {"full_name": "a/b"}}
).encode()
TABLES = ("events", "groups", "cards", "requests", "releases", "operations", "approvals")


def _github(
    body: bytes, secret: str = GITHUB_SECRET, digest: Any = hashlib.sha256, name: str = "256"
) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, digest).hexdigest()
    return {"X-GitHub-Event": "release", "X-GitHub-Delivery": "f", f"X-Hub-Signature-{name}": f"sha256={signature}"}


def _stamped(body: bytes, **changes: str) -> dict[str, str]:
    return stamped(body) | {name.replace("_", "-"): value for name, value in changes.items()}


def _refused() -> dict[str, list[tuple[dict[str, str], bytes]]]:
    """Webhook → headers and body of requests whose sender can't prove who it is, stamped now."""
    return {
        "alertmanager": [
            ({}, ALERT),
            (bearer("wrong"), ALERT),
            (bearer(""), ALERT),
            (bearer(ALERT_TOKEN[:-1]), ALERT),
            (bearer("sim-release-secret"), ALERT),
            ({"Authorization": "Basic c2ltOnNpbQ=="}, ALERT),
            ({"Authorization": "Bearer токен"}, ALERT),
            (bearer("wrong"), b"{ not json"),
        ],
        "release": [
            ({}, RELEASE),
            (stamped(RELEASE, secret="wrong"), RELEASE),
            (stamped(RELEASE), RELEASE + b" "),
            (stamped(RELEASE, time.time() - 302), RELEASE),
            (stamped(RELEASE, time.time() + 400), RELEASE),
            (_stamped(RELEASE, X_Pult_Timestamp=str(int(time.time()) + 5)), RELEASE),
            (_stamped(RELEASE, X_Pult_Timestamp="soon"), RELEASE),
            (_stamped(RELEASE, X_Pult_Signature=""), RELEASE),
            (stamped(b"{ not json", secret="wrong"), b"{ not json"),
        ],
        "github": [
            ({"X-GitHub-Event": "release"}, GITHUB),
            (_github(GITHUB, "wrong"), GITHUB),
            (_github(GITHUB), GITHUB + b" "),
            (_github(GITHUB, digest=hashlib.sha1, name="1"), GITHUB),
        ],
        "grafana": [({}, ALERT), (bearer(ALERT_TOKEN), ALERT)],
    }


@BOTH
async def test_what_nobody_signed_changes_nothing_and_is_counted(pult: Pult) -> None:
    assert (
        await pult.post("/webhooks/alertmanager", json.dumps(fires("Real")).encode(), bearer(ALERT_TOKEN))
    ).status == 200
    before = _everything(pult)
    for source, cases in _refused().items():
        for headers, body in cases:
            answer = await pult.post(f"/webhooks/{source}", body, headers)
            assert answer.status == 401, (source, headers, answer)
            assert "secret" not in str(answer.body).lower()
        counted = await pult.metric("pult_webhook_received_total", source=source, result="unauthorized")
        assert counted == len(cases)
    assert (await pult.post("/webhooks/nobody", b"{}", {})).status == 404
    assert _everything(pult) == before


async def test_what_is_too_large_or_malformed_is_refused_in_the_order_of_ruling_19(pult: Pult) -> None:
    before = _everything(pult)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 1024 * 1024

    for headers, body, status in (
        ({}, HUGE, 413),
        (bearer(ALERT_TOKEN), HUGE, 413),
        ({}, chunks(), 413),
        ({}, b"{", 401),
        (bearer(ALERT_TOKEN), b"{", 400),
        (bearer(ALERT_TOKEN), b"[]", 400),
        (bearer(ALERT_TOKEN), b"", 400),
        (bearer(ALERT_TOKEN), b"\xff\xfe", 400),
        (bearer(ALERT_TOKEN), b'{"alerts": []}', 400),
        (bearer(ALERT_TOKEN), b'{"alerts": [{"labels": {"a": 1}}]}', 400),
        (bearer(ALERT_TOKEN), b'{"alerts": [{"startsAt": "yesterday"}]}', 400),
        (bearer(ALERT_TOKEN), b"[" * 100_000, 400),
    ):
        answer = await pult.post("/webhooks/alertmanager", body, headers)
        assert answer.status == status, (str(body)[:60], answer)
    assert await pult.metric("pult_webhook_received_total", source="alertmanager", result="too_large") == 3
    assert await pult.metric("pult_webhook_received_total", source="alertmanager", result="malformed") == 8
    assert _everything(pult) == before


@BOTH
async def test_the_same_signed_request_again_is_a_duplicate_and_too_late_a_forgery(pult: Pult) -> None:
    headers = stamped(RELEASE, time.time() - 280)
    first = await pult.post("/webhooks/release", RELEASE, headers)
    again = await pult.post("/webhooks/release", RELEASE, headers)
    assert (first.status, first.body["status"]) == (200, "accepted")
    assert (again.status, again.body["status"]) == (200, "duplicate")
    assert pult.count("releases") == 1
    for _ in range(2):
        answer = await pult.post("/webhooks/github", GITHUB, _github(GITHUB) | {"X-GitHub-Delivery": "same"})
        assert answer.status == 200
    assert answer.body["status"] == "duplicate"


async def test_slack_and_telegram_over_http_are_checked_the_same_way(make: Make) -> None:
    pult = make(
        slack__app_token=None, slack__signing_secret="sim-signing-secret", telegram__mode="webhook",
        telegram__webhook_secret="sim-telegram-secret", server__public_url="https://pult.dept.example",
    )  # fmt: skip
    await pult.start()
    before, now = _everything(pult), int(time.time())
    form = b"command=%2Fpult&text=restart+api&user_id=U0ANNA&channel_id=C0OPS&team_id=T0DEPT&trigger_id=1.2&response_url=http%3A%2F%2F127.0.0.1%3A1%2F"  # noqa: E501
    for at, signature in (
        (now, ""),
        (now, "v0=" + "0" * 64),
        (now, sign(form, now, "wrong")),
        (now, sign(form + b" ", now)),
        (now - 302, sign(form, now - 302)),
        (now + 400, sign(form, now + 400)),
        (now, sign(form, now - 1)),
    ):
        headers = {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": signature}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        assert (await pult.post("/slack/events", form, headers)).status == 401, signature
    person = {"id": 1001, "is_bot": False, "first_name": "Anna"}
    said = {
        "message_id": 1,
        "from": person,
        "chat": {"id": 1001, "type": "private"},
        "date": now,
        "text": "/restart api",
    }
    update = json.dumps({"update_id": 1, "message": said}).encode()
    for token in ("", "wrong", "sim-telegram-secret "[:-2], "SIM-TELEGRAM-SECRET"):
        headers = {"X-Telegram-Bot-Api-Secret-Token": token, "Content-Type": "application/json"}
        assert (await pult.post("/telegram/updates", update, headers)).status == 401, token
    assert _everything(pult) == before
    headers["X-Telegram-Bot-Api-Secret-Token"] = "sim-telegram-secret"
    assert (await pult.post("/telegram/updates", update, headers)).status == 200
    assert pult.count("requests") == 1


async def test_without_their_http_mode_those_paths_do_not_exist(pult: Pult) -> None:
    for path in ("/slack/events", "/telegram/updates"):
        assert (await pult.post(path, b"{}", {})).status == 404


@BOTH
async def test_the_console_knows_nobody_without_a_personal_token(make: Make) -> None:
    pult = make(console__open=False)
    await pult.start()
    before = _everything(pult)
    ask = json.dumps({"text": "restart api", "as": "anna", "person": "anna"}).encode()
    for headers in (
        {},
        bearer(""),
        bearer("token-ann"),
        bearer("TOKEN-ANNA"),
        bearer("token-anna\x00"[:-1] + "x"),
        {"Cookie": "pult=anna; session=token-anna"},
    ):
        answer = await pult.post("/api/ask", ask, headers | {"Content-Type": "application/json"})
        assert answer.status == 401, (headers, answer)
    for body in (b"", b"{", b"[]", b'{"text": 1}', b"{}"):
        assert (await pult.post("/api/ask", body, bearer("token-anna"))).status == 400, body
    assert (await pult.post("/api/ask", HUGE, bearer("token-anna"))).status == 413
    assert _everything(pult) == before


def _everything(pult: Pult) -> dict[str, int]:
    """Rows of every table; the canary's one card comes when it comes."""
    found = {table: pult.count(table) for table in TABLES if table != "cards"}
    ours = pult.rows("SELECT count(*) FROM cards WHERE subject NOT LIKE 'canary:%'")
    return {**found, "cards": ours[0][0]}
