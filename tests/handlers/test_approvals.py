"""Holds, overrides, break-glass, policy's conditions and the queue, as people meet them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import handlers
from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.freezes import Once, Weekly, Window
from bot.domain.oncall import Shift
from bot.domain.operations import Operation, State
from bot.domain.policy import Condition, More, Policy, Rule
from bot.domain.releases import Deployment, Fate
from bot.domain.targets import Hand, Target
from bot.platforms.console.plain import plain
from handlers.cards.operation import draw
from handlers.operating import voiding
from handlers.schedules import freezes
from tests.handlers.department import PRODUCTION, Check, Department, read
from tests.handlers.fakes import NOON, digest, image

HOUR = timedelta(hours=1)
LEADS = Rule(approvals=1, four_eyes=True, freezes=True, override=frozenset({"lead"}), break_glass="lead")
HOLIDAYS = Window(Once(NOON - HOUR, NOON + 6 * HOUR), "the holidays")
SUNDAYS = More(Condition(weekdays=frozenset({6})), 2, "nobody wants to mend it on a Sunday")


async def card(department: Department, ident: str, locale: str = "en") -> str:
    operation = await department.operation(ident)
    message = draw(operation, department.policy.rule(operation.plan.action))
    words = Languages(LOCALES, department.clock).words(locale, "UTC")
    return plain(message, words).replace(ident, "op-0000").replace(operation.plan.hash[:8], "00000000") + "\n"


async def promoted(department: Department) -> Operation:
    await department.reported()
    return await department.proposed("anna", "promote api 1.8.0")


async def frozen(department: Department) -> Operation:
    department.policy = Policy({"promote": LEADS})
    await department.say("boris", "freeze api 2h the database is being moved")
    return await promoted(department)


async def notices(department: Department, begin: str) -> dict[str, int]:
    """Where messages stand whose subject begins so, with their priority."""

    def found(tx: object) -> dict[str, int]:
        cards = [card for lane in tx.busy() for card in tx.latest_cards(lane, 50)]  # type: ignore[attr-defined]
        return {card.place.lane: card.priority for card in cards if card.subject.startswith(begin)}

    return await department.store.read(found)


async def test_a_held_plan_is_shown_and_not_approved_by_the_way(department: Department, reads_as: Check) -> None:
    operation = await frozen(department)
    assert operation.state is State.WAITING
    reads_as("operations/held", await card(department, operation.id))
    reads_as("operations/held.ru", await card(department, operation.id, "ru"))
    said = await department.say("chen", f"approve {operation.id}", ok=False)
    assert f"approve {operation.id} --override freeze <why>" in said
    pressed = f"approve {operation.id} {operation.plan.hash[:8]}"
    assert "is held by freeze" in await department.say("chen", pressed, pressed=True, ok=False)
    assert (await department.operation(operation.id)).approvals == ()
    assert department.approved == []


async def test_an_override_by_name_with_a_reason(department: Department, reads_as: Check) -> None:
    operation = await frozen(department)
    words = f"approve {operation.id} --override freeze the outage needs it"
    for who, text, why in (
        ("anna", words, "takes the role lead"),
        ("boris", words, "takes the role lead"),
        ("vera", words, "takes the role lead"),
        ("chen", f"approve {operation.id} --override freeze", "Say why"),
        ("chen", f"approve {operation.id} --override budget why", "not held by budget"),
        ("chen", f"approve {operation.id} 00000000 --override freeze why", "another plan"),
    ):
        assert why in await department.say(who, text, ok=False), text
    forged = f"approve {operation.id} {operation.plan.hash[:8]} --override freeze why"
    assert "No button" in await department.say("chen", forged, pressed=True, ok=False)
    assert (await department.operation(operation.id)).state is State.WAITING
    assert "It is now: approved" in await department.say("chen", words)
    assert department.approved == [operation.id]
    reads_as("operations/overridden", await card(department, operation.id))
    reads_as("operations/overridden.ru", await card(department, operation.id, "ru"))
    entries = await department.store.read(lambda tx: tuple(tx.entries()))
    kept = [(e.deed.person, e.deed.action, e.deed.result, e.deed.detail) for e in entries if e.deed.result != "refused"]
    assert kept[-2:] == [
        ("chen", "override", "freeze", "the outage needs it"),
        ("chen", "approve", "approved", operation.plan.hash),
    ]
    assert sum(e.deed.result == "refused" for e in entries) == 7


@pytest.mark.parametrize(
    "words",
    [
        "approve {id} --override=freeze why",
        "approve {id} {hash} why --override freeze",
        "approve {id} —override freeze why",
        "одобрить {id} --вопреки freeze горит",
        "Approve {id} --OVERRIDE Freeze why",
    ],
)
async def test_the_words_of_an_override(department: Department, words: str) -> None:
    operation = await frozen(department)
    typed = words.format(id=operation.id, hash=operation.plan.hash[:8])
    assert "It is now: approved" in await department.say("chen", typed)
    [given] = (await department.operation(operation.id)).approvals
    assert given.overrides == ("freeze",)
    assert given.reason in {"why", "горит"}


async def test_the_proposer_overrides_nothing_under_four_eyes(department: Department) -> None:
    department.policy = Policy({"promote": LEADS})
    await department.say("boris", "freeze api 2h moving")
    await department.reported()
    operation = await department.proposed("chen", "promote api 1.8.0")
    said = await department.say("chen", f"approve {operation.id} --override freeze why", ok=False)
    assert "somebody else has to approve it" in said
    assert (await department.operation(operation.id)).state is State.WAITING


async def test_a_secret_in_a_reason_is_masked_in_the_trail(department: Department) -> None:
    operation = await frozen(department)
    await department.say("chen", f"approve {operation.id} --override freeze password=hunter2hunter2 leaked")
    entries = await department.store.read(lambda tx: tuple(tx.entries()))
    assert not any("hunter2" in e.deed.detail for e in entries)


async def test_break_glass_is_refused_without_role_or_reason(department: Department) -> None:
    department.policy = Policy({"promote": replace(LEADS, approvals=3)})
    operation = await promoted(department)
    for who, text, why in (
        ("boris", f"approve {operation.id} --break-glass it burns", "Only the role lead"),
        ("vera", f"approve {operation.id} --break-glass it burns", "Only the role lead"),
        ("chen", f"approve {operation.id} --break-glass", "Say why"),
        ("chen", f"approve {operation.id} --break-glass --override freeze why", "Nothing holds"),
    ):
        assert why in await department.say(who, text, ok=False), text
    assert department.approved == []
    assert await notices(department, "notice:glass") == {}


async def test_break_glass_goes_on_alone_and_everybody_hears_of_it(department: Department, reads_as: Check) -> None:
    department.policy = Policy({"promote": replace(LEADS, approvals=3)})
    department.approvals_in = ("slack:C0OPS",)
    night = Shift("vera", NOON - HOUR, NOON + HOUR, "vera")
    await department.store.write(lambda tx: tx.add_override(night))
    operation = await promoted(department)
    said = await department.say("chen", f"approve {operation.id} --break-glass nobody is awake and it burns")
    assert "It is now: approved" in said
    assert department.approved == [operation.id]
    reads_as("operations/broken-glass", await card(department, operation.id))
    told = await notices(department, f"notice:glass:{operation.id}")
    assert told == dict.fromkeys(
        ("slack:U0ANNA", "telegram:1001", "slack:U0BORIS", "telegram:1002", "slack:U0VERA", "telegram:1004",
         "slack:C0OPS"), 0,
    )  # fmt: skip
    message = await department.store.read(lambda tx: tx.message(f"notice:glass:{operation.id}:chen"))
    assert message is not None
    assert "chen goes on alone: Promote api 1.8.0" in read(message)
    assert "nobody is awake and it burns" in read(message)
    assert ("chen", "break-glass", operation.id, "approved") in await department.audit()


async def test_break_glass_carries_its_overrides(department: Department) -> None:
    operation = await frozen(department)
    alone = f"approve {operation.id} --break-glass"
    assert "--break-glass --override freeze <why>" in await department.say("chen", f"{alone} it burns", ok=False)
    assert "approved" in await department.say("chen", f"{alone} --override freeze it burns")
    assert [entry[1] for entry in await department.audit()][-3:] == ["override", "break-glass", "approve"]


async def test_the_day_asks_for_more_people(department: Department, reads_as: Check) -> None:
    assert NOON.weekday() == 6
    department.policy = Policy({"promote": replace(LEADS, more=(SUNDAYS,))})
    operation = await promoted(department)
    assert operation.plan.approvals == 2
    reads_as("operations/more-people", await card(department, operation.id))
    assert "waiting for approval" in await department.say("boris", f"approve {operation.id}")
    assert "It is now: approved" in await department.say("chen", f"approve {operation.id}")


async def test_what_runs_at_once_waits_when_the_day_asks_for_somebody(department: Department) -> None:
    department.policy = Policy({"restart": Rule(approvals=0, more=(replace(SUNDAYS, approvals=1),))})
    operation = await department.proposed("anna", "restart api")
    assert operation.state is State.WAITING
    assert "It is now: approved" in await department.say("boris", f"approve {operation.id}")


async def test_the_zone_of_the_chat_tells_the_day(department: Department) -> None:
    """Sunday noon in UTC is Monday in Auckland."""
    department.policy = Policy({"promote": replace(LEADS, more=(SUNDAYS,))}, zone="Pacific/Auckland")
    assert (await promoted(department)).plan.approvals == 0


async def test_the_calendar_holds_a_promotion_and_no_restart(department: Department) -> None:
    department.freezes = (HOLIDAYS, Window(Weekly(0, NOON.time(), 1, NOON.time(), "UTC"), "another day"))
    held = await promoted(department)
    assert [hold.name for hold in held.plan.holds] == ["freeze"]
    assert "by the calendar: the holidays" in held.plan.holds[0].why.plain()
    assert "approved" in await department.say("boris", f"approve {held.id} --override freeze it must go out")
    assert (await department.proposed("anna", "restart web")).plan.holds == ()


async def test_a_freeze_that_begins_voids_what_waits(department: Department, reads_as: Check) -> None:
    operation = await promoted(department)
    await department.say("boris", "freeze api 2h the database is being moved")
    said = await department.say("boris", f"approve {operation.id}", ok=False)
    assert "is frozen until" in said
    assert "Propose it again" in said
    ports = department.ports
    round_ = freezes.voiding(ports.store, ports.clock, ports.policy, handlers.frozen(ports.freezes))
    await round_.run()
    assert (await department.operation(operation.id)).state is State.CANCELLED
    reads_as("operations/void", await card(department, operation.id))
    assert ("pult", "void", operation.id, "cancelled") in await department.audit()
    assert "is not waiting" in await department.say("boris", f"approve {operation.id}", ok=False)
    again = await department.proposed("anna", "promote api 1.8.0")
    assert [hold.name for hold in again.plan.holds] == ["freeze"]
    await round_.run()
    assert (await department.operation(again.id)).state is State.WAITING, "it says so itself"


async def test_another_digest_of_the_version_voids_what_was_planned_on_the_first(department: Department) -> None:
    operation = await promoted(department)
    same = await department.reported()
    assert await department.store.write(lambda tx: voiding.reported(tx, same, NOON)) == ()
    silent, other = replace(same, digest=""), replace(same, digest=digest("api", "other"))
    another = replace(other, version="1.9.0")
    assert await department.store.write(lambda tx: voiding.reported(tx, silent, NOON)) == ()
    assert await department.store.write(lambda tx: voiding.reported(tx, another, NOON)) == ()
    assert await department.store.write(lambda tx: voiding.reported(tx, other, NOON)) == (operation.id,)
    ended = await department.operation(operation.id)
    assert ended.state is State.CANCELLED
    assert ended.result is not None
    assert "was reported with the digest" in ended.result.plain()


async def test_what_came_to_the_environment_meanwhile_voids_the_plan(department: Department) -> None:
    operation = await promoted(department)
    target = Target(PRODUCTION, Hand.COMMIT, image("api", "1.8.0"), image("api", "1.7.2"), "t")
    planned = replace(operation, plan=replace(operation.plan, targets=(target,)))
    await department.store.write(lambda tx: tx.save_operation(planned))
    heard = Deployment("api", "production", "1.7.9", digest("api", "1.7.9"), Fate.GOOD, NOON)
    for harmless in (
        replace(heard, environment="staging"),
        replace(heard, service="web"),
        replace(heard, digest=digest("api", "1.7.2")),
        replace(heard, digest=""),
        replace(heard, operation=operation.id),
    ):
        assert await department.store.write(lambda tx, one=harmless: voiding.deployed(tx, one, NOON)) == ()  # type: ignore[misc]
    assert await department.store.write(lambda tx: voiding.deployed(tx, heard, NOON)) == (operation.id,)


async def test_what_runs_is_not_voided(department: Department) -> None:
    operation = await promoted(department)
    await department.say("boris", f"approve {operation.id}")
    running = (await department.operation(operation.id)).moved(State.RUNNING)
    await department.store.write(lambda tx: tx.save_operation(running))
    other = replace(await department.reported(), digest=digest("api", "other"))
    assert await department.store.write(lambda tx: voiding.reported(tx, other, NOON)) == ()


async def test_the_next_plan_for_a_target_is_approved_while_the_first_runs(
    department: Department, reads_as: Check
) -> None:
    first = await promoted(department)
    assert "still waits, and comes first" in await department.say("boris", "restart api in production", ok=False)
    await department.say("boris", f"approve {first.id}")
    assert "still waits, and comes first" in await department.say("boris", "restart api in production", ok=False)
    running = (await department.operation(first.id)).moved(State.RUNNING)
    await department.store.write(lambda tx: tx.save_operation(running))
    second = await department.proposed("boris", "restart api in production")
    assert second.after == first.id
    shown = (await card(department, second.id)).replace(first.id, "op-0001")
    reads_as("operations/queued", shown)
    assert "It is now: approved" in await department.say("chen", f"approve {second.id}")
    third = await department.say("chen", "restart api in production", ok=False)
    assert second.id in third, "one is next, not two"


async def test_who_waits_for_another_too_long_is_asked_again(department: Department) -> None:
    first = await promoted(department)
    await department.say("boris", f"approve {first.id}")
    running = (await department.operation(first.id)).moved(State.RUNNING)
    await department.store.write(lambda tx: tx.save_operation(running))
    second = await department.proposed("boris", "restart api in production")
    await department.say("chen", f"approve {second.id}")
    department.clock.at += timedelta(minutes=31)
    await department.desk().expire()
    assert (await department.operation(second.id)).state is State.EXPIRED
    assert (await department.operation(first.id)).state is State.RUNNING


async def test_what_was_approved_and_is_free_to_start_does_not_expire(department: Department) -> None:
    first = await promoted(department)
    await department.say("boris", f"approve {first.id}")
    department.clock.at += timedelta(minutes=31)
    await department.desk().expire()
    assert (await department.operation(first.id)).state is State.APPROVED


async def test_a_policy_for_some_environments_counts_for_every_one_on_the_way(department: Department) -> None:
    department.policy = Policy({"promote": replace(LEADS, environments=frozenset({"staging"}))})
    await department.reported()
    said = await department.say("anna", "promote api 1.8.0", ok=False)
    assert "does not allow promote in production" in said
