"""The story, scene by scene. Every scene asserts what it promises; a broken promise ends the story."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from bot.cli.demo.department import Department
from bot.domain.errors import PultError

INCIDENTS, OPS, INCIDENTS_TG = "C0INC", "C0OPS", -1001000000001
ANNA, BORIS_TG, ANNA_TG, VERA, MALLORY = "U0ANNA", 1002, 1001, "U0VERA", "U0MALLORY"
Say = Callable[[str], None]
Scene = Callable[[Department, Say], Awaitable[None]]


def scenes() -> Iterator[tuple[str, Scene]]:
    """Title and scene, in order."""
    yield "A release arrives", release_arrives
    yield "The error rate climbs; an alert fires on Slack, Telegram and the console", alert_fires
    yield "Anna takes it from Telegram; the card changes everywhere", anna_acks
    yield "Anna asks how the API stands against its promise", asks_slo
    yield "The errors stop; the same messages turn green", alert_resolves
    yield "Forty warnings at once: one card for those that are too many, and the critical still alone", storm
    yield "A promotion waits for a second person", promotion
    yield "A restart, pod by pod", restart
    yield "The failover is rehearsed; nothing changes", drill
    yield "A stranger learns nothing", stranger
    yield "Everything is in the audit trail", audited


async def release_arrives(department: Department, say: Say) -> None:
    """One signed webhook becomes one card in the default route's chats."""
    await department.happens("release", service="api", version="1.7.2", status="released")
    await department.happens("release", service="api", version="1.8.0", status="ready")
    card = await department.until("no release card on Slack", lambda: _slack(department, OPS, "api 1.8.0"))
    say(f"Slack #ops: {_first(card)}")


async def alert_fires(department: Department, say: Say) -> None:
    """The simulated Prometheus evaluates, Alertmanager sends, both chats show."""
    await department.happens("fault", fault="errors", target="api", value=0.12)
    slack = await department.until("no alert on Slack", lambda: _slack(department, INCIDENTS, "ApiErrorRateHigh"))
    say(f"Slack #incidents: {_first(slack)}")
    telegram = await department.until("no alert on Telegram", lambda: _telegram(department, "ApiErrorRateHigh"))
    say(f"Telegram Incidents: {_first(telegram)}")
    listed = await department.asks("anna", "alerts")
    _expect("ApiErrorRateHigh" in listed["text"], "the console does not list the alert")


async def anna_acks(department: Department, say: Say) -> None:
    """A press on one platform edits the card on the other."""
    await department.telegram("press", user=ANNA_TG, chat=INCIDENTS_TG, button="Ack")
    held = await department.until(
        "Slack's card does not say who holds it", lambda: _slack(department, INCIDENTS, "anna since")
    )
    _expect(len(held["revisions"]) > 1, "the card was posted anew instead of edited")
    say("Slack #incidents, edited: held by anna")


async def asks_slo(department: Department, say: Say) -> None:
    """A slash command is answered to the one who asks."""
    await department.slack("slash", user=ANNA, channel=OPS, text="slo api")
    answer = await department.until("no answer to slo api", lambda: _answered(department, ANNA, "budget"))
    say(f"Slack, only for anna: {_first(answer)}")


async def alert_resolves(department: Department, say: Say) -> None:
    """No second message: the first ones change."""
    await department.recovers()
    card = await department.until(
        "Slack's card does not resolve", lambda: _slack(department, INCIDENTS, "Resolved: ApiErrorRateHigh")
    )
    say(f"Slack #incidents, edited: {_first(card)}")
    await department.until(
        "Telegram's card does not resolve", lambda: _telegram(department, "Resolved: ApiErrorRateHigh")
    )
    posted = [
        m for m in await department.slack_messages(INCIDENTS) if "ApiErrorRateHigh" in m["text"] and not m["thread_ts"]
    ]
    _expect(len(posted) == 1, f"{len(posted)} messages for one alert")


async def storm(department: Department, say: Say) -> None:
    """No chat gets forty messages, and none of the forty is lost."""
    names = [f"QueueSlow{number:02d}" for number in range(1, 41)]
    await department.alerts({"alertname": name, "service": "worker", "severity": "warning"} for name in names)
    card = await department.until("no storm card", lambda: _slack(department, OPS, "Alert storm"))
    say(f"Slack #ops: {_first(card)}")
    await department.alerts([{"alertname": "DatabaseDown", "service": "worker", "severity": "critical"}])
    critical = await department.until("no critical", lambda: _slack(department, INCIDENTS, "DatabaseDown"))
    say(f"Slack #incidents: {_first(critical)}")
    listed = await department.asks("anna", "alerts")
    _expect("alert groups are firing" in listed["text"], "the alerts are not listed")


async def promotion(department: Department, say: Say) -> None:
    """Four eyes: not the proposer, not a viewer; a second person on another platform."""
    asked = await department.asks("anna", "promote api 1.8.0")
    _expect(asked["ok"] and asked["op"], f"no plan: {asked['text']}")
    ident = asked["op"]
    say(f"anna proposes {ident}")
    own = await department.asks("anna", f"approve {ident}")
    _expect(not own["ok"], "the proposer could approve")
    say(f"anna may not approve it herself: {own['text'].splitlines()[-1]}")
    seen = await department.asks("vera", f"approve {ident}")
    _expect(not seen["ok"], "a viewer could approve")
    await department.until("Boris has no card", lambda: _telegram(department, "api 1.8.0", BORIS_TG))
    await department.telegram("press", user=BORIS_TG, chat=BORIS_TG, button="Одобрить")
    sure = await department.until(
        "Telegram does not ask to confirm", lambda: _button(department, BORIS_TG, "Подтвердить")
    )
    await department.telegram("press", user=BORIS_TG, chat=BORIS_TG, button=sure)
    await department.until("the promotion did not succeed", lambda: _operation(department, ident, "succeeded"))
    await _runs(department, "1.8.0")
    say("boris approves from Telegram; 1.8.0 runs in production")


async def restart(department: Department, say: Say) -> None:
    """One press, without four eyes."""
    asked = await department.asks("chen", "restart worker")
    await department.asks("chen", f"approve {asked['op']}")
    await department.until("the restart did not succeed", lambda: _operation(department, asked["op"], "succeeded"))
    say("worker is restarted and available")


async def drill(department: Department, say: Say) -> None:
    """The failover's own plan; afterwards the world is as before."""
    before = await department.world()
    asked = await department.asks("chen", "drill")
    await department.asks("anna", f"approve {asked['op']}")
    await department.until("the drill did not succeed", lambda: _operation(department, asked["op"], "succeeded"))
    after = await department.world()
    for what in ("primaries", "writable"):
        _expect(before["database"][what] == after["database"][what], "the drill changed the database")
    _expect(before["traffic"] == after["traffic"], "the drill moved the traffic")
    say("rehearsed; the database and the traffic are where they were")


async def stranger(department: Department, say: Say) -> None:
    """One polite sentence and their own id."""
    await department.slack("slash", user=MALLORY, channel=OPS, text="status")
    answer = await department.until("the stranger got no answer", lambda: _answered(department, MALLORY, MALLORY))
    _expect("api" not in answer["text"].replace("apart", ""), "the stranger learned a service's name")
    say("one polite sentence, no names")


async def audited(department: Department, say: Say) -> None:
    """What was done and what was refused."""
    for word in ("promote", "approve", "refused", "restart", "drill"):
        found = await department.asks("anna", f"audit {word}")
        _expect(word in found["text"], f"{word} is not in the audit trail")
    say("proposals, approvals and refusals are all there")


async def _runs(department: Department, wanted: str) -> None:
    version = (await department.world())["services"]["api"]["production"]["nyc2"]["version"]
    _expect(version == wanted, f"{version} runs instead of {wanted}")


async def _slack(department: Department, channel: str, text: str) -> dict[str, Any] | None:
    return next((m for m in await department.slack_messages(channel) if text in m["text"]), None)


async def _telegram(department: Department, text: str, chat: int = INCIDENTS_TG) -> dict[str, Any] | None:
    return next((m for m in await department.telegram_messages(chat) if text in m["text"]), None)


async def _button(department: Department, chat: int, start: str) -> str | None:
    labels = (button["text"] for m in await department.telegram_messages(chat) for button in m["buttons"])
    return next((label for label in labels if label.startswith(start)), None)


async def _answered(department: Department, user: str, text: str) -> dict[str, Any] | None:
    return next((m for m in await department.slack_answers(user) if text in m["text"]), None)


async def _operation(department: Department, ident: str, state: str) -> bool:
    text = (await department.asks("anna", f"op {ident}"))["text"]
    over = {"failed", "paused", "expired"} if state != "undone" else {"failed", "expired"}
    if any(f": {bad}" in text.splitlines()[0] for bad in over):
        raise PultError(f"{ident} ended badly:\n{text}")
    return f": {state}" in text.splitlines()[0]


def _first(message: dict[str, Any]) -> str:
    return str(message["text"]).strip().splitlines()[0]


def _expect(held: bool, broken: str) -> None:
    if not held:
        raise PultError(f"the story broke: {broken}")
