"""Each turn of an operation is told to its deployments and the release's card, in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.cards import Place, Wish
from bot.domain.messages import StepMark
from bot.domain.operations import Operation, State, StepReport
from bot.domain.phrases import English, phrase
from bot.domain.releases import Deployment, Fate
from handlers import turning
from handlers.operating.voiding import void
from tests.handlers.department import SERVICES, Department
from tests.handlers.fakes import NOON, digest

OPS = Place("slack:C0OPS")
LATER = NOON + timedelta(minutes=5)


async def rows(department: Department, **where: str) -> list[tuple[str, str, str, Fate]]:
    found = await department.store.read(lambda tx: tx.deployments("api", **where))
    return [(row.environment, row.version, row.operation, row.fate) for row in found]


async def promotion(department: Department) -> Operation:
    await department.reported()
    return await department.proposed("anna", "promote api 1.8.0")


async def turn(department: Department, operation: Operation, state: State, **steps: StepReport) -> Operation:
    for report in steps.values():
        operation = operation.reported(report)
    operation = replace(operation, state=state)
    await department.store.write(lambda tx: turning(SERVICES, English())(tx, operation, LATER))
    return operation


async def card(department: Department) -> int:
    (found,) = await department.store.read(lambda tx: tx.cards_of("release:api/1.8.0"))
    return found.wanted


async def test_a_proposal_waits_and_a_rejection_ends_it(department: Department) -> None:
    made = await promotion(department)
    assert await rows(department) == [("production", "1.8.0", made.id, Fate.WAITING)]
    await department.say("boris", f"reject {made.id} not today")
    assert await rows(department) == [("production", "1.8.0", made.id, Fate.ENDED)]


async def test_what_was_cancelled_or_expired_ends(department: Department) -> None:
    made = await promotion(department)
    await department.say("anna", f"cancel {made.id}")
    assert await rows(department) == [("production", "1.8.0", made.id, Fate.ENDED)]


async def test_what_is_void_ends(department: Department) -> None:
    made = await promotion(department)
    assert await department.store.write(lambda tx: void(tx, made.id, phrase("The world moved."), LATER))
    assert await rows(department) == [("production", "1.8.0", made.id, Fate.ENDED)]


async def test_the_releases_card_lives_with_it_and_only_when_something_changed(department: Department) -> None:
    await department.reported()
    await department.store.write(lambda tx: tx.show(Wish("release:api/1.8.0", OPS), NOON))
    made = await department.proposed("anna", "promote api 1.8.0")
    assert await card(department) == 2
    running = await turn(department, made, State.RUNNING, apply=StepReport("apply", StepMark.RUNNING))
    assert await card(department) == 3
    again = await turn(department, running, State.PAUSED)
    assert await card(department) == 3, "nothing that a reader of the release sees"
    bad = StepReport("rollout", StepMark.FAILED, bad=True)
    await turn(department, again, State.PAUSED, apply=StepReport("apply", StepMark.DONE), rollout=bad)
    assert await card(department) == 4
    assert (await rows(department))[0][3] is Fate.BAD


async def test_a_row_knows_since_when_and_by_which_commit(department: Department) -> None:
    made = await promotion(department)
    done = {
        name: StepReport(name, StepMark.DONE, ended_at=LATER, value="c0ffee" if name == "apply" else "")
        for name in ("apply", "sync", "rollout", "verify")
    }
    await turn(department, made, State.SUCCEEDED, **done)
    (row,) = await department.store.read(lambda tx: tx.deployments("api"))
    assert (row.fate, row.since, row.commit, row.digest) == (Fate.GOOD, LATER, "c0ffee", digest("api", "1.8.0"))


async def test_a_rollback_puts_back_what_ran(department: Department) -> None:
    """Whoever brought it, pult or another; what had been replaced before is left alone."""
    made = await promotion(department)
    old = Deployment("api", "production", "1.7.2", digest("api", "1.7.2"), Fate.GOOD, NOON, since=NOON)
    others = [
        replace(old, version="1.7.1", digest=digest("api", "1.7.1")),
        replace(old, environment="staging"),
        replace(old, operation="op-gone", fate=Fate.ENDED),
    ]
    await department.store.write(lambda tx: [tx.save_deployment(each) for each in (old, *others)])
    plan = replace(made.plan, action="rollback")
    done = {name: StepReport(name, StepMark.DONE, ended_at=LATER) for name in ("apply", "sync", "rollout", "verify")}
    await turn(department, replace(made, plan=plan), State.RUNNING, **done)
    assert set(await rows(department)) == {
        ("production", "1.8.0", made.id, Fate.GOOD),
        ("production", "1.7.2", "", Fate.BACK),
        ("production", "1.7.1", "", Fate.GOOD),
        ("staging", "1.7.2", "", Fate.GOOD),
        ("production", "1.7.2", "op-gone", Fate.ENDED),
    }


async def test_a_promotion_leaves_the_history_of_what_it_replaces(department: Department) -> None:
    made = await promotion(department)
    old = Deployment("api", "production", "1.7.2", digest("api", "1.7.2"), Fate.GOOD, NOON, since=NOON)
    await department.store.write(lambda tx: tx.save_deployment(old))
    done = {name: StepReport(name, StepMark.DONE, ended_at=LATER) for name in ("apply", "sync", "rollout", "verify")}
    await turn(department, made, State.SUCCEEDED, **done)
    assert ("production", "1.7.2", "", Fate.GOOD) in await rows(department)


async def test_other_operations_have_no_deployments(department: Department) -> None:
    await department.proposed("anna", "restart web")
    assert await department.store.read(lambda tx: tx.deployments("web")) == ()
