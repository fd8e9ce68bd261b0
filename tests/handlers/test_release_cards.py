"""The cards of one good and one bad release, state by state, in both languages and everywhere they are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import verification
from bot.domain.evidence import Finding, Result, scanned
from bot.domain.messages import Message, StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import Code, phrase, verbatim
from bot.platforms.console.plain import plain
from bot.platforms.telegram.render import render
from bot.ports.pipeline import Check
from handlers.cards.operation import draw
from tests.handlers.department import API, DEPLOY, Department, manifest
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


def done(operation: Operation, at: int, *said: tuple[str, str]) -> Operation:
    """Steps that were done one after the other from second *at* on, ten seconds each."""
    for number, (name, what) in enumerate(said):
        began = NOON + timedelta(seconds=at + 10 * number)
        report = StepReport(name, StepMark.DONE, verbatim(what), began, began + timedelta(seconds=10))
        operation = operation.reported(replace(report, title=BACK.get(name)))
    return operation


def states(made: Operation) -> dict[str, Operation]:
    """The way of a good one, as the ledger writes it: *made* is approved."""
    first = StepReport("apply", StepMark.DONE, phrase("commit {sha}", sha="c0ffee"), NOON, NOON + timedelta(seconds=2))
    now = StepReport("sync", StepMark.RUNNING, phrase("waiting for it to be applied"), NOON + timedelta(seconds=2))
    running = replace(made.moved(State.RUNNING), started_at=NOON).reported(first).reported(now)
    rolled = done(running, 2, ("sync", "applied"), ("rollout", "4 of 4 pods available"))
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
    back = done(going, 300, ("undo-apply", "commit c0ffee"), ("undo-sync", "applied"))
    running = StepReport("undo-rollout", StepMark.RUNNING, phrase("{n} of {m} pods available", n=2, m=4),
                         NOON + timedelta(seconds=320), title=BACK["undo-rollout"])  # fmt: skip
    rest = done(back, 320, ("undo-rollout", "4 of 4 pods available"), ("undo-verify", "4 of 4 pods, probes ok"))
    result = phrase(
        "What ran before of {service} runs in {environment} again.", service="api", environment="production"
    )
    over = replace(rest.moved(State.UNDONE), ended_at=NOON + timedelta(seconds=340), result=result)
    return {"undoing": back.reported(running), "undone": over}


@pytest.fixture
async def bad(told: Department) -> Department:
    """1.8.0 has failed tests, failed checks and a new critical finding; production is ill already."""
    told.forge.checked = {sha("1.8.0"): (Check("test", "failure"), Check("build", "success"))}
    critical = Finding("critical", "CVE-2026-0001", "openssl", fixed=True)
    await told.reported(
        "1.8.0", commit=sha("1.8.0"), evidence=BAD, scan=scanned([critical]), migrations=True,
        results={"tests": Result(good=False, passed=409, failed=3)},
    )  # fmt: skip
    return told


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_good_release(told: Department, locale: str, reads_as: ReadsAs) -> None:
    made = await told.proposed("anna", "promote api 1.8.0")
    reads_as(f"release-cards/good-waiting.{locale}", every(drawn(told, made), locale, made))
    await told.say("boris", f"approve {made.id}")
    for name, operation in states(await told.operation(made.id)).items():
        reads_as(f"release-cards/good-{name}.{locale}", every(drawn(told, operation), locale, operation))


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_bad_release_is_held_then_found_bad_then_taken_back(
    bad: Department, locale: str, reads_as: ReadsAs
) -> None:
    def read(name: str, operation: Operation) -> None:
        reads_as(f"release-cards/bad-{name}.{locale}", every(drawn(bad, operation), locale, operation))

    held = await bad.proposed("anna", "promote api 1.8.0")
    assert {hold.name for hold in held.plan.holds} == {"ci", "tests", "trivy"}
    read("held", held)
    await bad.say("boris", f"approve {held.id} --override ci,tests,trivy the outage needs it")
    approved = await bad.operation(held.id)
    read("overridden", approved)
    rolled = done(
        replace(approved.moved(State.RUNNING), started_at=NOON), 0,
        ("apply", "commit c0ffee"), ("sync", "applied"), ("rollout", "4 of 4 pods available"),
    )  # fmt: skip
    burning = verification.burns([verification.Burn("availability", 14.2, 0.3)], 6.0)
    why = phrase(
        "{service} is bad in {environment}: {findings}.", service="api 1.8.0", environment="production",
        findings=verification.listed([burning]),
    )  # fmt: skip
    found = StepReport("verify", StepMark.FAILED, why, NOON + timedelta(seconds=30), NOON + timedelta(minutes=2))
    choices = (Choice.UNDO, Choice.RETRY, Choice.SKIP, Choice.ABORT)
    paused = replace(rolled.reported(found).moved(State.PAUSED), choices=choices)
    read("paused", paused)
    for name, operation in undone(replace(paused, choices=())).items():
        read(name, operation)
    over = replace(paused.moved(State.FAILED), ended_at=NOON)
    await bad.store.write(lambda tx: tx.save_operation(over))
    bad.cluster.becomes(API, images=(image("api", "1.8.0"),))
    bad.forge.files[DEPLOY] = manifest("1.8.0")
    await ran(bad, "production", "1.7.2", NOON - timedelta(days=2))
    back = await bad.proposed("anna", "rollback api")
    assert back.plan.holds == ()
    read("rollback", back)
    await bad.say("anna", f"approve {back.id}")
    ended = done(
        replace((await bad.operation(back.id)).moved(State.RUNNING), started_at=NOON), 0,
        ("apply", "commit c0ffee"), ("sync", "applied"), ("rollout", "4 of 4 pods available"),
        ("verify", "4 of 4 pods, probes ok"),
    )  # fmt: skip
    result = phrase(
        "{service} {version} runs in {environment}.", service="api", version="1.7.2", environment="production"
    )
    read("back", replace(ended.moved(State.SUCCEEDED), ended_at=NOON + timedelta(seconds=50), result=result))
