"""The cards of one good and one bad release, state by state, in both languages and everywhere they are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.evidence import Finding, Result, scanned
from bot.domain.messages import Message, StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import phrase
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
BAD = {"tests": "409 passed, 3 failed", "trivy": "1 critical, 0 high"}


def drawn(department: Department, operation: Operation) -> Message:
    return draw(operation, department.policy.rule(operation.plan.action))


def every(message: Message, locale: str, operation: Operation) -> str:
    """Slack, Telegram and a terminal, one under the other; ids and hashes follow from the rest."""
    forms = (slack_cards.page(message, locale), shown(render(message, words(locale))), plain(message, words(locale)))
    text = "\n=====\n".join(form.strip("\n") for form in forms) + "\n"
    return text.replace(operation.id, "op-0000").replace(operation.plan.hash[:8], "00000000")


def states(made: Operation, department: Department) -> dict[str, Operation]:
    """The way of a good one, as the ledger writes it."""
    first = StepReport("apply", StepMark.DONE, phrase("commit {sha}", sha="c0ffee"), NOON, NOON + timedelta(seconds=2))
    now = StepReport("sync", StepMark.RUNNING, phrase("waiting for it to be applied"), NOON + timedelta(seconds=2))
    running = replace(made.moved(State.APPROVED).moved(State.RUNNING), started_at=NOON).reported(first).reported(now)
    done = running
    for name in ("sync", "rollout", "verify"):
        done = done.reported(StepReport(name, StepMark.DONE, None, NOON, NOON + timedelta(seconds=40)))
    result = phrase(
        "{service} {version} runs in {environment}.", service="api", version="1.8.0", environment="production"
    )
    ended = replace(done.moved(State.SUCCEEDED), ended_at=NOON + timedelta(minutes=2), result=result)
    return {"waiting": made, "running": running, "done": ended}


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
    for name, operation in states(made, told).items():
        reads_as(f"release-cards/good-{name}.{locale}", every(drawn(told, operation), locale, operation))


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_bad_release_is_held_then_found_bad_then_taken_back(
    bad: Department, locale: str, reads_as: ReadsAs
) -> None:
    held = await bad.proposed("anna", "promote api 1.8.0")
    assert {hold.name for hold in held.plan.holds} == {"ci", "tests", "trivy"}
    reads_as(f"release-cards/bad-held.{locale}", every(drawn(bad, held), locale, held))
    words_ = f"approve {held.id} --override ci,tests,trivy the outage needs it"
    await bad.say("boris", words_)
    approved = await bad.operation(held.id)
    reads_as(f"release-cards/bad-overridden.{locale}", every(drawn(bad, approved), locale, approved))
    why = StepReport(
        "verify", StepMark.FAILED, phrase("burn of {slo}: {rate}", slo="availability", rate="14×"), NOON, NOON
    )
    paused = replace(approved.moved(State.RUNNING).moved(State.PAUSED), choices=(Choice.UNDO, Choice.RETRY)).reported(
        why
    )
    reads_as(f"release-cards/bad-paused.{locale}", every(drawn(bad, paused), locale, paused))
    over = replace(paused.moved(State.FAILED), ended_at=NOON)
    await bad.store.write(lambda tx: tx.save_operation(over))
    bad.cluster.becomes(API, images=(image("api", "1.8.0"),))
    bad.forge.files[DEPLOY] = manifest("1.8.0")
    await ran(bad, "production", "1.7.2", NOON - timedelta(days=2))
    back = await bad.proposed("anna", "rollback api")
    assert back.plan.holds == ()
    reads_as(f"release-cards/bad-rollback.{locale}", every(drawn(bad, back), locale, back))
    done = replace(back.moved(State.APPROVED).moved(State.RUNNING).moved(State.SUCCEEDED), started_at=NOON)
    ended = replace(done, ended_at=NOON + timedelta(seconds=50))
    reads_as(f"release-cards/bad-back.{locale}", every(drawn(bad, ended), locale, ended))
