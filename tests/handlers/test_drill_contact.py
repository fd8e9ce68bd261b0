"""A drill's own step: whoever would be called presses one button, wherever they are; nobody is paged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import pytest

from bot.domain.cards import Priority
from bot.domain.contacts import Roll, rolled
from bot.domain.messages import Message
from bot.domain.oncall import Ladder, Quiet, Shift
from bot.domain.operations import Choice, State
from bot.domain.people import Directory
from bot.domain.phrases import English
from bot.domain.routes import Route
from bot.platforms.console.plain import plain
from handlers.alerting import contacts
from handlers.alerting.rules import Rules
from handlers.cards import drill
from tests.handlers.department import PEOPLE, Check, Department
from tests.handlers.fakes import NOON
from tests.handlers.moving import IDENT, Moving
from tests.handlers.recorded import Recorded, approved, nothing
from tests.handlers.test_drill_report import report

ANSWER = timedelta(minutes=5)


@dataclass
class Roster:
    """*people* are on call all the time."""

    people: tuple[str, ...] = ("anna",)

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        return tuple(Shift(name, NOON - timedelta(days=1), NOON + timedelta(days=30)) for name in self.people)

    async def refresh(self) -> None: ...
    async def check(self) -> str:
        return "known"


@pytest.fixture
def moving(department: Department) -> Moving:
    """Anna's turn; then chen, then whoever reads dora's Slack."""
    ladder = Ladder(levels=(("person:chen", "slack:C0OPS"), ("slack:U0DORA",)))
    department.rules = Rules((Route(("slack:C0OPS",)),), PEOPLE, ladder, roster=Roster, staffed=True)
    made = Moving(department)
    department.pair = replace(department.pair, answer=ANSWER)
    return made


async def roll(moving: Moving, ident: str) -> Roll:
    found: Roll = await moving.store.read(lambda tx: tx.mark(rolled(ident)))
    return found


async def standing(moving: Moving, ident: str) -> dict[str, Priority]:
    """Where the questions stand, with how loud they are."""
    people = (await roll(moving, ident)).people
    names = [f"contact:{ident}/{each.person}" for each in people]
    cards = await moving.store.read(lambda tx: [card for name in names for card in tx.cards_of(name)])
    return {card.place.destination: card.priority for card in cards}


async def question(moving: Moving, ident: str, person: str) -> Message:
    presenter = contacts.presenter()
    found = await moving.store.read(lambda tx: presenter.load(tx, f"{ident}/{person}"))
    message: Message = presenter.draw(found)
    return message


def presses(moving: Moving, ident: str, at: dict[float, tuple[str, str]]) -> None:
    """*at* so many seconds from now a person presses on a platform, as the clock goes."""
    left = {moving.clock.now() + timedelta(seconds=after): who for after, who in at.items()}

    def tick() -> None:
        pending.extend(left.pop(due) for due in sorted(left) if due <= moving.clock.now())

    pending: list[tuple[str, str]] = []
    sleep = moving.clock.sleep

    async def sleeping(seconds: float) -> None:
        await sleep(seconds)
        while pending:
            who, platform = pending.pop(0)
            account = PEOPLE.named(who).account(platform)  # type: ignore[union-attr]
            await moving.department.reply(account, f"drill here {ident}", pressed=True, platform=platform)

    moving.clock.ticks.append(tick)
    moving.clock.sleep = sleeping  # type: ignore[method-assign]


async def test_everybody_who_would_be_called_is_asked_in_private_and_nobody_is_paged(moving: Moving) -> None:
    ident = await approved(moving, "drill")
    presses(moving, ident, {90: ("anna", "telegram"), 100: ("chen", "slack"), 140: ("dora", "telegram")})
    made = await Recorded(moving, ident).run()
    assert made.state is State.SUCCEEDED
    assert made.stalls == ()
    where = await standing(moving, ident)
    assert set(where) == {
        "slack:U0ANNA",
        "telegram:1001",
        "slack:U0CHEN",
        "telegram:1003",
        "slack:U0DORA",
        "telegram:1005",
    }
    assert Priority.PAGE not in where.values()
    found = await roll(moving, ident)
    assert [(each.person, each.platform) for each in found.prompt] == [
        ("anna", "telegram"), ("chen", "slack"), ("dora", "telegram"),
    ]  # fmt: skip
    step = made.report("contact")
    assert step is not None
    assert step.said is not None
    assert step.said.plain() == "answered: anna, chen, dora"
    assert step.ended_at is not None
    assert step.started_at is not None
    assert step.ended_at - step.started_at < ANSWER, "it does not wait for longer than it has to"
    assert await moving.department.audit() != []


async def test_one_person_counts_once_whichever_platform_came_first(moving: Moving) -> None:
    await moving.store.write(lambda tx: contacts.begin(tx, moving.department.rules, IDENT, NOON, ANSWER))
    moving.clock.at += timedelta(seconds=31)
    assert "after 31" in (await said(moving, "U0ANNA", "slack"))
    moving.clock.at += timedelta(seconds=9)
    assert "noted already" in await said(moving, "1001", "telegram")
    asked = (await roll(moving, IDENT)).of("anna")
    assert asked is not None
    assert (asked.platform, asked.took) == ("slack", timedelta(seconds=31))


async def said(moving: Moving, account: str, platform: str) -> str:
    reply = await moving.department.reply(account, f"drill here {IDENT}", pressed=True, platform=platform)
    assert reply.ok
    return reply.message.title.plain()


async def test_late_is_thanked_and_stands_in_the_report(moving: Moving, reads_as: Check) -> None:
    ident = await approved(moving, "drill")
    presses(moving, ident, {20: ("anna", "slack"), 60: ("chen", "telegram")})
    skip = (Choice.SKIP, timedelta(minutes=2), nothing)
    made = await Recorded(moving, ident, {"contact": skip}).run()
    (stall,) = made.stalls
    assert stall.why is not None
    assert stall.why.plain() == "These did not answer in time: dora."
    assert "is over" in (await question(moving, ident, "dora")).title.plain()
    late = await moving.department.reply("U0DORA", f"drill here {ident}", pressed=True, platform="slack")
    assert "Thank you for answering" in late.message.title.plain()
    assert (await question(moving, ident, "dora")).buttons == ()
    found = await report(moving, ident)
    assert found.roll is not None
    assert [each.person for each in found.roll.people if found.roll.late(each)] == ["dora"]
    text = plain(drill.whole(found), English()).replace(ident, IDENT)
    assert "late" in text
    reads_as("reports/drill-contacts", text + "\n")


async def test_tried_again_only_those_are_asked_who_did_not_answer(moving: Moving) -> None:
    ident = await approved(moving, "drill")
    presses(moving, ident, {20: ("anna", "slack"), 60: ("chen", "telegram"), 700: ("dora", "slack")})
    made = await Recorded(moving, ident, {"contact": (Choice.RETRY, timedelta(minutes=2), nothing)}).run()
    assert made.state is State.SUCCEEDED
    found = await roll(moving, ident)
    first, second = found.of("anna"), found.of("dora")
    assert first is not None
    assert second is not None
    assert second.at > first.at, "a question of its own, from which its time counts"
    assert not found.late(second)


async def test_a_crash_asks_nobody_twice(moving: Moving) -> None:
    rules = moving.department.rules
    before = await moving.store.write(lambda tx: contacts.begin(tx, rules, IDENT, NOON, ANSWER))
    await said(moving, "U0ANNA", "slack")
    changes = await moving.store.read(lambda tx: tx.cards_of(f"contact:{IDENT}/chen")[0].wanted)
    after = await moving.store.write(lambda tx: contacts.begin(tx, rules, IDENT, NOON, ANSWER))
    assert after.until == before.until
    assert after.of("anna").answered is not None  # type: ignore[union-attr]
    assert await moving.store.read(lambda tx: tx.cards_of(f"contact:{IDENT}/chen")[0].wanted) == changes


async def test_quiet_hours_are_kept(moving: Moving) -> None:
    sleeps = Quiet(time(0), time(23, 59))
    people = Directory([replace(each, quiet=sleeps if each.name == "dora" else None) for each in PEOPLE])
    moving.department.rules = replace(moving.department.rules, people=people)
    ident = await approved(moving, "drill")
    presses(moving, ident, {20: ("anna", "slack"), 60: ("chen", "telegram")})
    made = await Recorded(moving, ident).run()
    assert made.stalls == ()
    assert "slack:U0DORA" not in await standing(moving, ident)
    assert [each.person for each in (await roll(moving, ident)).spared] == ["dora"]
    assert "quiet hours" in plain(drill.whole(await report(moving, ident)), English())


async def test_nobody_on_call_is_a_finding(moving: Moving) -> None:
    rules = moving.department.rules
    moving.department.rules = replace(rules, roster=lambda: Roster(()), ladder=Ladder())
    ident = await approved(moving, "drill")
    made = await Recorded(moving, ident, {"contact": (Choice.SKIP, timedelta(0), nothing)}).run()
    assert [each.why.plain() for each in made.stalls if each.why] == [
        "Nobody is on call now, so nobody would be called."
    ]


async def test_whoever_was_not_asked_is_told_kindly(moving: Moving) -> None:
    assert "Nobody asked you" in await said(moving, "U0BORIS", "slack")
    await moving.store.write(lambda tx: contacts.begin(tx, moving.department.rules, IDENT, NOON, ANSWER))
    assert "Nobody asked you" in await said(moving, "U0VERA", "slack")


async def test_the_question_as_people_read_it(moving: Moving, reads_as: Check) -> None:
    await moving.store.write(lambda tx: contacts.begin(tx, moving.department.rules, IDENT, NOON, ANSWER))
    reads_as("reports/contact", plain(await question(moving, IDENT, "anna"), English()) + "\n")


async def test_the_plan_says_that_people_are_asked_and_its_hash_stands_for_it(moving: Moving) -> None:
    asked = await moving.plan("drill")
    assert [step.name for step in asked.steps][-2:] == ["contact", "report"]
    assert "within" in next(step for step in asked.steps if step.name == "contact").title.plain()
    await moving.over()
    moving.department.pair = replace(moving.department.pair, answer=None)
    silent = await moving.plan("drill")
    assert "contact" not in {step.name for step in silent.steps}
    assert silent.hash != asked.hash
    await moving.over()
    moving.department.pair = replace(moving.department.pair, answer=ANSWER)
    assert "contact" not in {step.name for step in (await moving.plan()).steps}, "a failover has other worries"
