"""A primary that is stated to be off: by one person, approved by another, for one operation that waits at its fence."""

from __future__ import annotations

from dataclasses import replace

import pytest

import handlers
from bot.domain.errors import DriftError
from bot.domain.messages import StepMark
from bot.domain.operations import Choice, Operation, State, StepReport, goes_on
from bot.domain.statements import Statement, attested
from tests.handlers.department import Check, Department
from tests.handlers.fakes import NOON, FakeRun
from tests.handlers.moving import IDENT, Moving
from tests.handlers.test_approvals import card

WORDS = f"failover attest {IDENT} I pulled its plug"


@pytest.fixture
async def moving(department: Department) -> Moving:
    """A failover that waits at its fence; the primary is off."""
    made = Moving(department)
    plan = await made.plan()
    await made.over()
    await made.started(plan)
    made.database.gone.add("nyc2")
    await paused(made, "fence")
    return made


async def paused(moving: Moving, step: str) -> None:
    found = await moving.department.operation(IDENT)
    report = StepReport(step, StepMark.FAILED, None, NOON, NOON)
    waiting = replace(found, state=State.PAUSED, steps=(report,), choices=(Choice.RETRY, Choice.ABORT), pauses=2)
    await moving.store.write(lambda tx: tx.save_operation(waiting))


async def approved(moving: Moving, made: Operation) -> Operation:
    await moving.department.say("chen", f"approve {made.id}")
    return await moving.department.operation(made.id)


async def test_the_card(moving: Moving, reads_as: Check) -> None:
    made = await moving.department.proposed("anna", WORDS)
    reads_as("operations/attest-waiting", await card(moving.department, made.id))
    reads_as("operations/attest-waiting.ru", await card(moving.department, made.id, "ru"))


async def test_in_russian(moving: Moving) -> None:
    made = await moving.department.proposed("anna", f"переключить подтверждаю {IDENT} выдернула вилку")
    assert made.plan.params["why"] == "выдернула вилку"


async def test_it_takes_whom_a_failover_takes(moving: Moving) -> None:
    made = await moving.department.proposed("anna", WORDS)
    assert "somebody else has to approve" in await moving.department.say("anna", f"approve {made.id}", ok=False)
    assert (await approved(moving, made)).state is State.APPROVED
    assert ("anna", "attest", made.id, "proposed") in await moving.department.audit()


async def test_what_is_approved_is_kept_and_the_other_one_goes_on(moving: Moving) -> None:
    made = await approved(moving, await moving.department.proposed("anna", WORDS))
    flow = handlers.flows(moving.department.ports)["attest"]
    await flow.check(made.plan)
    running = FakeRun(made.plan, operation=made.id)
    said = (await flow.run(running)).plain()
    assert said == f"{IDENT} goes on past its fence."
    assert "anna states that the primary in nyc2 is off: I pulled its plug; approved by chen" in running.said["attest"]
    kept = await moving.store.read(lambda tx: tx.mark(attested(IDENT, "nyc2")))
    assert isinstance(kept, Statement)
    assert await moving.store.read(lambda tx: tx.mark(goes_on(IDENT))) == 2
    assert ("anna", "attest", IDENT, "stated") in await moving.department.audit()
    again = FakeRun(made.plan, operation=made.id)
    await flow.run(again)
    assert (await moving.department.audit()).count(("anna", "attest", IDENT, "stated")) == 1


async def test_too_late_is_said(moving: Moving) -> None:
    made = await approved(moving, await moving.department.proposed("anna", WORDS))
    found = await moving.department.operation(IDENT)
    await moving.store.write(lambda tx: tx.save_operation(replace(found, pauses=3)))
    with pytest.raises(DriftError, match="no longer waits at its fence"):
        await handlers.flows(moving.department.ports)["attest"].check(made.plan)


async def test_only_at_the_fence(moving: Moving) -> None:
    await paused(moving, "capacity")
    assert "does not wait at its fence" in await moving.department.say("anna", WORDS, ok=False)


async def test_pult_sees_it_at_work(moving: Moving) -> None:
    moving.database.gone.clear()
    said = await moving.department.say("anna", WORDS, ok=False)
    assert "pult itself sees the primary in nyc2 take writes" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("failover attest", "failover attest <op> <why>"),
        (f"failover attest {IDENT}", "failover attest <op> <why>"),
        ("failover attest op-2222 it is off", "There is no operation op-2222"),
    ],
)
async def test_not_without_an_operation_and_a_reason(moving: Moving, words: str, why: str) -> None:
    assert why in await moving.department.say("anna", words, ok=False)


async def test_nobody_without_the_role(moving: Moving) -> None:
    assert "role" in await moving.department.say("vera", WORDS, ok=False)
