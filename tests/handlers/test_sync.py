"""``sync``: what it plans on, what it waits for, and what it says when there is nothing to do or it is stuck."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import UserError
from bot.domain.operations import State
from bot.domain.phrases import phrase, verbatim
from handlers import flows
from handlers.flows.sync import PATIENCE
from tests.handlers.department import Department
from tests.handlers.fake_gitops import NEW, OLD
from tests.handlers.fakes import NOON, DiedError, FakeRun, StoppedError


async def run(department: Department, words: str = "sync api in production", dies_in: str = "") -> FakeRun:
    plan = (await department.proposed("anna", words)).plan
    flow = flows(department.ports)["sync"]
    await flow.check(plan)
    running = FakeRun(plan, dies_in)
    if dies_in:
        with pytest.raises(DiedError):
            await flow.run(running)
        running = FakeRun(plan)
    running.said["result"] = (await flow.run(running)).plain()
    return running


@pytest.mark.parametrize("words", ["sync api production", "sync api in production", "синхронизировать api production"])
async def test_it_runs_at_once(department: Department, words: str) -> None:
    made = await department.proposed("anna", words)
    assert (made.state, made.plan.action, made.plan.environment) == (State.APPROVED, "sync", "production")
    assert department.approved == [made.id]
    assert department.gitops.asked == [], "a plan changes nothing"


async def test_the_card_says_where_it_stands_and_what_will_be_done(department: Department) -> None:
    department.gitops.now = replace(department.gitops.now, wanted=NEW, done=False, synced=False)
    shown = await department.say("anna", "sync api in production")
    assert "Sync api in production" in shown
    assert "Ask Flux to look at git for api" in shown
    assert f"{OLD[:7]} is applied, git has {NEW[:7]}" in shown


async def test_the_card_says_what_was_changed_by_hand(department: Department) -> None:
    drift = verbatim("Deployment api")
    department.gitops.now = replace(department.gitops.now, done=False, synced=False, drift=drift)
    shown = await department.say("anna", "sync api in production")
    assert "What was changed by hand is put back: Deployment api" in shown


async def test_a_new_commit_is_applied_with_its_progress_shown(department: Department) -> None:
    department.gitops.head, department.gitops.slow = NEW, 2
    running = await run(department)
    assert department.gitops.asked == [("production", "", "op-41c9")]
    assert running.progress == ["1 to go", "0 to go"]
    assert running.said == {
        "ask": "it is asked to look at git", "sync": f"in step with git at {NEW[:7]}",
        "result": "api in production is in step with git.",
    }  # fmt: skip


async def test_nothing_new_is_said_and_looked_at_all_the_same(department: Department) -> None:
    shown = await department.say("anna", "sync api in production")
    assert f"in step with git at {OLD[:7]}" in shown


async def test_nothing_new_is_the_result(department: Department) -> None:
    running = await run(department)
    assert running.said["sync"] == f"git has nothing new: it was in step already, at {OLD[:7]}"
    assert len(department.gitops.asked) == 1


@pytest.mark.parametrize("step", ["ask", "sync"])
async def test_a_crash_asks_once(department: Department, step: str) -> None:
    department.gitops.head = NEW
    await run(department, dies_in=step)
    assert len(department.gitops.asked) == 1


async def test_a_sync_that_is_stuck_says_why(department: Department) -> None:
    department.gitops.stuck = phrase("the sync failed: {why}", why="denied")
    with pytest.raises(StoppedError, match="sync: It will not get there by itself: the sync failed: denied"):
        await run(department)


async def test_an_api_server_that_is_away_for_a_while_fails_nothing(department: Department) -> None:
    department.gitops.away = 3
    assert "result" in (await run(department)).said


async def test_nobody_waits_for_ever(department: Department) -> None:
    department.gitops.slow = 10_000
    with pytest.raises(StoppedError, match=r"sync: Not in step with git after 900 s\. Look at api there\."):
        await run(department)
    assert department.clock.now() - NOON >= PATIENCE


async def test_what_no_tool_brings_is_said(department: Department) -> None:
    shown = await department.say("anna", "sync api in staging", ok=False)
    assert "Neither Argo CD nor Flux brings git to api in staging: promote api VERSION changes it." in shown


async def test_what_is_suspended_is_said_before_anything_is_asked(department: Department) -> None:
    department.gitops.now = replace(department.gitops.now, suspended=True)
    shown = await department.say("anna", "sync api in production", ok=False)
    assert "Flux is suspended for api in production; resume it there first." in shown


async def test_who_only_looks_may_not_sync(department: Department) -> None:
    await department.say("vera", "sync api in production", ok=False)
    assert department.gitops.asked == []


async def test_a_tool_that_is_gone_stops_it_before_it_begins(department: Department) -> None:
    plan = (await department.proposed("anna", "sync api in production")).plan

    async def gone(_: object) -> None:
        raise UserError("There is no application api in nyc2.")

    department.gitops.state = gone  # type: ignore[assignment, method-assign]
    with pytest.raises(UserError, match="no application"):
        await flows(department.ports)["sync"].check(plan)
