"""The cards of one good and one bad release, state by state, in both languages and everywhere they are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import tests.handlers.department as place
from bot.domain import verification
from bot.domain.evidence import Finding, Result, scanned
from bot.domain.messages import Message, StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import Code, phrase
from bot.domain.services import Catalogue, Verification
from bot.platforms.console.plain import plain
from bot.platforms.telegram.render import render
from bot.ports.pipeline import Check
from handlers.cards.operation import draw
from tests.handlers.department import API, DEPLOY, PRODUCTION, Department, manifest
from tests.handlers.department import Check as ReadsAs
from tests.handlers.fakes import NOON, image
from tests.handlers.fakes_releases import sha
from tests.handlers.test_promote_planning import ran, told
from tests.platforms import slack_cards
from tests.platforms.test_telegram_fixtures import shown, words

__all__ = ["told"]
LOCALES = ("en", "ru")
RUNS = "sha256:853d96f2bc00"
LOOKS = verification.listed(
    (
        verification.pods(4, 4, done=True, trouble=None, restarted=()),
        verification.probes(()),
        verification.burns([verification.Burn("availability", 0.3, 0.3)], 6.0),
        verification.errors(2, 2, 3.0),
    )
)
"""What the looks at a good version come to."""
DONE = {
    "apply": phrase("commit {sha}", sha=Code("c0ffee")),
    "sync": phrase("commit {sha} is applied", sha=Code("c0ffee")),
    "rollout": phrase("{available} of {desired} pods available", available=4, desired=4),
    "verify": verification.listed(
        (verification.pods(4, 4, done=True, trouble=None, restarted=()), verification.probes(()))
    ),
}
"""What steps say that were done."""
BACK = {
    "undo-apply": phrase("Put {image} back in {environment}", image=Code(RUNS), environment="production"),
    "undo-sync": phrase("Have it applied in {environment}", environment="production"),
    "undo-rollout": phrase("Watch until it runs in {environment}", environment="production"),
    "undo-verify": phrase("Verify it in {environment}", environment="production"),
}
"""Titles of the steps on the way back, as the flow gives them."""
BAD = {"tests": "409 passed, 3 failed", "trivy": "1 critical, 0 high"}


def drawn(department: Department, operation: Operation) -> Message:
    return draw(operation, department.policy.rule(operation.plan.action))


def every(message: Message, locale: str, operation: Operation) -> str:
    """Slack, Telegram and a terminal, one under the other; ids and hashes follow from the rest."""
    forms = (slack_cards.page(message, locale), shown(render(message, words(locale))), plain(message, words(locale)))
    text = "\n=====\n".join(form.strip("\n") for form in forms) + "\n"
    return text.replace(operation.id, "op-0000").replace(operation.plan.hash[:8], "00000000")


def done(operation: Operation, at: int, *steps: str) -> Operation:
    """Steps that were done one after the other from second *at* on, ten seconds each."""
    for number, name in enumerate(steps):
        began = NOON + timedelta(seconds=at + 10 * number)
        report = StepReport(name, StepMark.DONE, DONE[name.removeprefix("undo-")], began, began + timedelta(seconds=10))
        operation = operation.reported(replace(report, title=BACK.get(name)))
    return operation


def states(made: Operation) -> dict[str, Operation]:
    """The way of a good one, as the ledger writes it: *made* is approved."""
    first = StepReport("apply", StepMark.DONE, phrase("commit {sha}", sha="c0ffee"), NOON, NOON + timedelta(seconds=2))
    now = StepReport("sync", StepMark.RUNNING, phrase("waiting for it to be applied"), NOON + timedelta(seconds=2))
    running = replace(made.moved(State.RUNNING), started_at=NOON).reported(first).reported(now)
    rolled = done(running, 2, "sync", "rollout")
    said = phrase(
        "watched {age} of {bake}: {findings}", age=timedelta(minutes=4), bake=timedelta(minutes=10), findings=LOOKS
    )
    baking = rolled.reported(StepReport("verify", StepMark.RUNNING, said, NOON + timedelta(seconds=22)))
    ended = NOON + timedelta(minutes=10, seconds=22)
    watched = StepReport("verify", StepMark.DONE, LOOKS, NOON + timedelta(seconds=22), ended)
    result = phrase(
        "{service} {version} runs in {environment}.", service="api", version="1.8.0", environment="production"
    )
    over = replace(rolled.reported(watched).moved(State.SUCCEEDED), ended_at=ended, result=result)
    return {"approved": made, "running": running, "baking": baking, "done": over}


def undone(paused: Operation) -> dict[str, Operation]:
    """The way back of one that was found bad, on the same card."""
    going = paused.moved(State.RUNNING)
    back = done(going, 300, "undo-apply", "undo-sync")
    half = phrase("{available} of {desired} pods available", available=2, desired=4)
    title, since = BACK["undo-rollout"], NOON + timedelta(seconds=320)
    running = StepReport("undo-rollout", StepMark.RUNNING, half, since, title=title)
    rest = done(back, 320, "undo-rollout", "undo-verify")
    result = phrase(
        "What ran before of {service} runs in {environment} again.", service="api", environment="production"
    )
    over = replace(rest.moved(State.UNDONE), ended_at=NOON + timedelta(seconds=340), result=result)
    return {"undoing": back.reported(running), "undone": over}


@pytest.fixture
def watched(told: Department, monkeypatch: pytest.MonkeyPatch) -> Department:
    """Production is watched for ten minutes."""
    production = replace(PRODUCTION, verification=Verification(timedelta(minutes=10)))
    service = replace(place.SERVICES.named("api"), environments=(place.STAGING, production))
    monkeypatch.setattr(place, "SERVICES", Catalogue((service,)))
    return told


@pytest.fixture
async def bad(watched: Department) -> Department:
    """1.8.0 has failed tests, failed checks and a new critical finding; production is ill already."""
    watched.forge.checked = {sha("1.8.0"): (Check("test", "failure"), Check("build", "success"))}
    critical = Finding("critical", "CVE-2026-0001", "openssl", fixed=True)
    await watched.reported(
        "1.8.0", commit=sha("1.8.0"), evidence=BAD, scan=scanned([critical]), migrations=True,
        results={"tests": Result(good=False, passed=409, failed=3)},
    )  # fmt: skip
    return watched


async def good_way(told: Department) -> dict[str, Operation]:
    """Every state of a good release."""
    made = await told.proposed("anna", "promote api 1.8.0")
    await told.say("boris", f"approve {made.id}")
    return {"waiting": made} | states(await told.operation(made.id))


async def bad_way(bad: Department) -> dict[str, Operation]:
    """Held, overridden, found bad, undone; and the same taken back by a rollback."""
    held = await bad.proposed("anna", "promote api 1.8.0")
    await bad.say("boris", f"approve {held.id} --override ci,tests,trivy the outage needs it")
    approved = await bad.operation(held.id)
    paused = found_bad(approved)
    over = replace(paused.moved(State.FAILED), ended_at=NOON)
    await bad.store.write(lambda tx: tx.save_operation(over))
    bad.cluster.becomes(API, images=(image("api", "1.8.0"),))
    bad.forge.files[DEPLOY] = manifest("1.8.0")
    await ran(bad, "production", "1.7.2", NOON - timedelta(days=2))
    rollback = await bad.proposed("anna", "rollback api")
    await bad.say("anna", f"approve {rollback.id}")
    back = rolled_back(await bad.operation(rollback.id))
    way = {"held": held, "overridden": approved, "paused": paused, **undone(replace(paused, choices=()))}
    return way | {"rollback": rollback, "back": back}


def found_bad(approved: Operation) -> Operation:
    """Applied, rolled out, and users are not well."""
    rolled = done(
        replace(approved.moved(State.RUNNING), started_at=NOON), 0,
        "apply", "sync", "rollout",
    )  # fmt: skip
    burning = verification.burns([verification.Burn("availability", 14.2, 0.3)], 6.0)
    why = phrase(
        "{service} is bad in {environment}: {findings}.", service="api 1.8.0", environment="production",
        findings=verification.listed([burning]),
    )  # fmt: skip
    report = StepReport("verify", StepMark.FAILED, why, NOON + timedelta(seconds=30), NOON + timedelta(minutes=2))
    choices = (Choice.UNDO, Choice.RETRY, Choice.SKIP, Choice.ABORT)
    return replace(rolled.reported(report).moved(State.PAUSED), choices=choices)


def rolled_back(approved: Operation) -> Operation:
    """The earlier version runs again."""
    ended = done(
        replace(approved.moved(State.RUNNING), started_at=NOON), 0,
        "apply", "sync", "rollout",
        "verify",
    )  # fmt: skip
    result = phrase(
        "{service} {version} runs in {environment}.", service="api", version="1.7.2", environment="production"
    )
    return replace(ended.moved(State.SUCCEEDED), ended_at=NOON + timedelta(seconds=50), result=result)


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_good_release(watched: Department, locale: str, reads_as: ReadsAs) -> None:
    for name, operation in (await good_way(watched)).items():
        reads_as(f"release-cards/good-{name}.{locale}", every(drawn(watched, operation), locale, operation))


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_bad_release_is_held_then_found_bad_then_taken_back(
    bad: Department, locale: str, reads_as: ReadsAs
) -> None:
    way = await bad_way(bad)
    assert {hold.name for hold in way["held"].plan.holds} == {"ci", "tests", "trivy"}
    assert way["rollback"].plan.holds == ()
    for name, operation in way.items():
        reads_as(f"release-cards/bad-{name}.{locale}", every(drawn(bad, operation), locale, operation))
