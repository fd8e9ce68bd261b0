"""The watch over a region: from what witnesses say to the page, the card, the proposal, and its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

import handlers
from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.alerts import OWN, Group, Status
from bot.domain.approvals import needed
from bot.domain.audit import PULT
from bot.domain.cards import Place, Priority
from bot.domain.detection import FLAPS, Vigil
from bot.domain.failover import Sight, Witness
from bot.domain.failover_course import Kind, written
from bot.domain.failover_course import read as read_course
from bot.domain.messages import Message, StepMark, Tone
from bot.domain.operations import Operation, State, StepReport, stops
from bot.platforms.console.plain import plain
from bot.ports.schedules import Periodic
from bot.ports.store import Tx
from handlers.cards import alert as alert_card
from handlers.operating import moves
from tests.handlers.department import Check, Department, read
from tests.handlers.fakes import FakeRun, StoppedError
from tests.handlers.moving import Moving

HOLD = 18
"""Looks of ten seconds in a hold of three minutes."""
LETTERS = {"U": Sight.UP, "L": Sight.LOST, "?": Sight.UNKNOWN}
WITNESSES = (
    Witness("prometheus", query="up"),
    Witness("outside", url="http://x/"),
    Witness("kubernetes", cluster="nyc2"),
)
ELSEWHERE = (*WITNESSES[:2], Witness("kubernetes", uptime="c-1"))


@dataclass
class Region:
    """A department whose witnesses say what the test says, and a pult that looks every ten seconds."""

    moving: Moving

    def __post_init__(self) -> None:
        self.department = self.moving.department
        self.has(witnesses=WITNESSES)

    def has(self, **changes: object) -> None:
        self.department.pair = replace(self.department.pair, **changes)  # type: ignore[arg-type]
        self.begins()

    def begins(self) -> None:
        """Pult starts: it remembers nothing but the store."""
        every = handlers.periodic(self.department.ports, self.department.desk())
        self.duty: Periodic = next(each for each in every if each.name == "regions")

    async def sees(self, letters: str, looks: int = 1) -> None:
        """*looks* times ten seconds pass, and one look is taken after each."""
        sights = zip(("prometheus", "outside", "kubernetes"), letters, strict=True)
        self.department.witnesses.sights = {name: LETTERS[letter] for name, letter in sights}
        for _ in range(looks):
            self.department.clock.at += timedelta(seconds=10)
            self.department.witnesses.at = self.department.clock.at
            await self.duty.run()

    async def lost(self) -> None:
        """As long as it takes."""
        await self.sees("LL?", HOLD + 1)

    async def vigil(self) -> Vigil:
        found = await self.department.store.read(lambda tx: tx.mark(moves.vigil_mark("nyc2")))
        assert isinstance(found, Vigil)
        return found

    async def group(self) -> Group | None:
        return await self.department.store.read(lambda tx: tx.latest_group(f"{OWN} region nyc2"))

    async def card(self, locale: str = "en") -> str:
        group = await self.group()
        assert group is not None
        return self.written(alert_card.draw(group), locale)

    async def status(self, locale: str) -> str:
        return self.written((await self.department.reply("vera", "failover status")).message, locale)

    def written(self, message: Message, locale: str) -> str:
        return plain(message, Languages(LOCALES, self.department.clock).words(locale, "UTC")) + "\n"

    async def proposals(self) -> list[Operation]:
        found = await self.department.store.read(lambda tx: tx.recent_operations(20))
        return [each for each in found if each.proposer == PULT]

    async def proposed(self) -> Operation:
        (found,) = await self.proposals()
        return found

    async def wanted(self, subject: str) -> set[tuple[str, Priority]]:
        cards = await self.department.store.read(lambda tx: tx.cards_of(subject))
        return {(card.place.destination, card.priority) for card in cards}


@pytest.fixture
def region(department: Department) -> Region:
    department.approvals_in = ("slack:C0APPROVALS",)
    return Region(Moving(department))


async def test_a_majority_that_holds_is_one_page_and_one_proposal(region: Region, reads_as: Check) -> None:
    await region.sees("UUU")
    await region.sees("LL?", HOLD)
    assert await region.group() is None, "the hold is not over"
    await region.sees("LL?")
    group = await region.group()
    assert group is not None
    assert (group.name, group.severity) == ("RegionLost", "critical")
    reads_as("alerts/region-lost", await region.card())
    reads_as("alerts/region-lost.ru", await region.card("ru"))
    reads_as("commands/failover-status-called", await region.status("en"))
    reads_as("commands/failover-status-called.ru", await region.status("ru"))
    proposed = await region.proposed()
    assert (proposed.state, proposed.plan.action) == (State.WAITING, "failover")
    rule = region.department.policy.rule("failover")
    assert needed(proposed, rule) == 2, "pult is nobody"
    reads_as("operations/failover-by-pult", await region.department.say("vera", f"op {proposed.id}"))
    await region.sees("LL?", HOLD * 3)
    assert len(await region.proposals()) == 1
    again = await region.group()
    assert again is not None
    assert again.id == group.id
    assert ("pult", "failover", proposed.id, "proposed") in await region.department.audit()


async def test_two_people_start_what_pult_proposed(region: Region) -> None:
    await region.lost()
    ident = (await region.proposed()).id
    await region.department.say("anna", f"approve {ident}")
    assert (await region.department.operation(ident)).state is State.WAITING
    await region.department.say("anna", f"approve {ident}", ok=False)
    await region.department.say("boris", f"approve {ident}")
    assert (await region.department.operation(ident)).state is State.APPROVED
    assert region.department.approved == [ident]


async def test_an_expired_proposal_is_not_made_again_and_the_card_says_so(region: Region) -> None:
    await region.lost()
    ident = (await region.proposed()).id
    region.department.clock.at += timedelta(minutes=31)
    await region.department.desk().expire()
    await region.sees("LL?", HOLD * 2)
    assert len(await region.proposals()) == 1
    card = await region.card()
    assert f"its proposal {ident} is expired" in card
    assert "→ Plan the failover: failover nyc2 to sfo3" in card


async def test_the_next_loss_is_another_one(region: Region) -> None:
    await region.lost()
    first = await region.proposed()
    await region.sees("UUU", 200)  # flapping is forgotten by then
    group = await region.group()
    assert group is not None
    assert group.status is Status.RESOLVED
    ended = await region.department.operation(first.id)
    assert ended.state is State.CANCELLED
    assert "sees nyc2 up again" in ended.result.plain()  # type: ignore[union-attr]
    await region.lost()
    assert len(await region.proposals()) == 2


async def test_missing_data_ends_no_page_and_calls_for_nothing(region: Region) -> None:
    await region.sees("???", HOLD * 3)
    await region.sees("L??", HOLD * 3)
    await region.sees("LU?", HOLD * 3)
    assert await region.group() is None
    await region.lost()
    await region.sees("???", 5)
    group = await region.group()
    assert group is not None
    assert group.status is Status.FIRING
    card = await region.card()
    assert "none at the moment" in card
    assert "does not know since" in card
    await region.sees("UU?")
    group = await region.group()
    assert group is not None
    assert group.status is Status.RESOLVED


@pytest.mark.parametrize("at", [1, 9, 17])
async def test_a_restart_neither_forgets_nor_restarts_the_hold(region: Region, at: int) -> None:
    await region.sees("LL?", at)
    region.begins()
    await region.sees("LL?", HOLD - at)
    assert await region.group() is None
    region.begins()
    await region.sees("LL?")
    assert len(await region.proposals()) == 1


async def test_a_restart_after_the_page_tells_nothing_twice(region: Region) -> None:
    await region.lost()
    before = await region.group()
    region.begins()
    await region.sees("LL?", 3)
    assert await region.group() == before
    assert len(await region.proposals()) == 1


async def test_a_pult_that_was_away_too_long_begins_anew(region: Region) -> None:
    await region.sees("LL?", HOLD)
    region.department.clock.at += timedelta(minutes=3)
    region.begins()
    await region.sees("LL?", HOLD)
    assert await region.group() is None
    await region.sees("LL?")
    assert len(await region.proposals()) == 1


async def test_two_replicas_propose_once(region: Region) -> None:
    """Both look; of one moment only the first look counts."""
    one = region.duty
    region.begins()
    for _ in range(HOLD + 3):
        await region.sees("LLL")
        await asyncio.gather(one.run(), region.duty.run())
    assert len(await region.proposals()) == 1


async def test_flapping_holds_longer_and_says_so(region: Region) -> None:
    for _ in range(FLAPS // 2):
        await region.sees("LLL", 3)
        await region.sees("UUU", 3)
    await region.sees("LLL", HOLD + 1)
    assert await region.group() is None
    assert "times in half an hour, so the hold is longer" in await region.department.say("vera", "failover status")
    await region.sees("LLL", HOLD)
    assert "came and went 5 times in half an hour" in await region.card()


async def test_nothing_is_proposed_during_the_cooldown(region: Region) -> None:
    await ended(region, Kind.FAILBACK, "nyc2")
    await region.lost()
    assert await region.proposals() == []
    assert "pult proposes nothing during the cooldown" in await region.card()
    assert "pult proposes nothing until" in await region.department.say("vera", "failover status")
    await region.sees("LL?", 170)
    assert len(await region.proposals()) == 1


async def test_a_region_that_was_left_is_not_detected_again(region: Region) -> None:
    await ended(region, Kind.FAILOVER, "sfo3")
    region.department.clock.at += timedelta(hours=2)
    await region.sees("LLL", HOLD * 2)
    assert await region.group() is None
    assert await region.proposals() == []
    assert "sfo3 serves since the last move" in await region.department.say("vera", "failover status")
    assert "sfo3 serves instead" in await region.department.say("vera", "status")


async def test_the_page_turns_mild_once_the_other_region_serves(region: Region) -> None:
    await region.lost()
    region.department.database.becomes(promoted=True)
    await ended(region, Kind.FAILOVER, "sfo3")
    await region.sees("LLL")
    group = await region.group()
    assert group is not None
    assert group.severity == "warning"
    card = await region.card()
    assert "sfo3 serves instead." in card
    assert "Plan the failover" not in card


async def test_who_promoted_it_without_pult_is_not_asked_to_do_it_again(region: Region) -> None:
    region.department.database.becomes(promoted=True)
    await region.sees("LLL", HOLD * 2)
    assert await region.group() is None
    assert await region.proposals() == []


async def test_a_person_was_faster(region: Region) -> None:
    await region.sees("LLL", 3)
    mine = await region.department.proposed("anna", "failover nyc2 to sfo3")
    await region.sees("LLL", HOLD)
    assert await region.proposals() == []
    assert f"{mine.id} still waits, and comes first" in await region.card()
    await region.department.say("chen", f"reject {mine.id} not yet")
    await region.sees("LLL")
    assert len(await region.proposals()) == 1


async def test_a_larger_loss_is_proposed_and_held(region: Region) -> None:
    region.department.database.becomes(lag=400.0)
    region.has(automatic=True, witnesses=ELSEWHERE)
    await region.lost()
    proposed = await region.proposed()
    assert proposed.state is State.WAITING
    assert [hold.name for hold in proposed.plan.holds] == ["rpo"]


async def test_everyone_has_the_card_and_whoever_may_approve_a_question(region: Region) -> None:
    await region.lost()
    ident = (await region.proposed()).id
    assert ("slack:C0APPROVALS", Priority.OPERATION) in await region.wanted(f"op:{ident}")
    asked = {chat for chat, _ in await region.wanted(f"ask:{ident}")}
    assert {"slack:U0ANNA", "slack:U0BORIS", "slack:U0CHEN", "telegram:1001"} <= asked


async def test_who_is_on_call_is_not_asked_alone_where_two_have_to_agree(region: Region) -> None:
    await region.department.say("boris", "oncall take 4h")
    await region.lost()
    asked = {chat for chat, _ in await region.wanted(f"ask:{(await region.proposed()).id}")}
    assert {"slack:U0ANNA", "slack:U0BORIS", "slack:U0CHEN"} <= asked


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.PAUSED])
async def test_a_drill_is_no_reason_to_propose_nothing(region: Region, state: State) -> None:
    drill = await region.department.proposed("anna", "drill")
    await region.department.store.write(lambda tx: tx.save_operation(replace(drill, state=state)))
    await region.lost()
    assert (await region.proposed()).plan.action == "failover"


# Automatic.


async def test_automatic_goes_on_loudly_and_can_be_stopped(region: Region, reads_as: Check) -> None:
    region.has(automatic=True, witnesses=ELSEWHERE)
    await region.lost()
    proposed = await region.proposed()
    assert proposed.state is State.APPROVED
    assert region.department.approved == [proposed.id]
    told = await region.wanted(f"notice:automatic:{proposed.id}")
    assert {("slack:U0ANNA", Priority.PAGE), ("telegram:1002", Priority.PAGE)} <= told
    notice = await region.department.store.read(lambda tx: tx.message(f"notice:automatic:{proposed.id}"))
    assert notice is not None
    assert notice.tone is Tone.CRITICAL
    reads_as("operations/failover-automatic", read(notice))
    await region.department.say("anna", f"cancel {proposed.id}")
    assert (await region.department.operation(proposed.id)).state is State.CANCELLED


@pytest.mark.parametrize(
    ("trouble", "changes"),
    [
        ({"lag": None}, {}),
        ({"lag": 61.0}, {}),
        ({"away": True}, {}),
        ({}, {"witnesses": WITNESSES}),  # all who see it lost look from where pult stands
        ({}, {"automatic": False}),
    ],
)
async def test_automatic_asks_where_anything_is_unclear(
    region: Region, trouble: dict[str, object], changes: dict[str, object]
) -> None:
    region.has(automatic=True, witnesses=ELSEWHERE)
    region.has(**changes)
    region.department.database.becomes(**trouble)
    await region.sees("?LL", HOLD + 1)
    proposed = await region.proposed()
    assert proposed.state is State.WAITING
    assert not proposed.plan.brake
    assert region.department.approved == []


async def running(region: Region, fence: StepMark) -> Operation:
    """An automatic failover under way."""
    region.has(automatic=True, witnesses=ELSEWHERE)
    await region.lost()
    found = (await region.proposed()).moved(State.RUNNING).reported(StepReport("fence", fence))
    await region.department.store.write(lambda tx: tx.save_operation(found))
    return found


async def test_it_stops_before_its_fence(region: Region) -> None:
    found = await running(region, StepMark.PENDING)
    assert f"{found.id} stops before its fence" in await region.department.say("boris", f"cancel {found.id}")
    assert ("boris", "cancel", found.id, "stops") in await region.department.audit()
    run = FakeRun(found.plan, "", frozenset(), region.department.clock, found.id)
    with pytest.raises(StoppedError, match=r"fence.*boris stopped it"):
        await handlers.flows(region.department.ports)["failover"].run(run)
    assert "fence" not in region.moving.done
    assert region.department.database.writable == {"nyc2"}


async def test_it_is_too_late_once_the_fence_has_begun(region: Region) -> None:
    found = await running(region, StepMark.RUNNING)
    await region.department.say("boris", f"cancel {found.id}", ok=False)
    assert await region.department.store.read(lambda tx: tx.mark(stops(found.id))) is None


async def test_what_people_approved_is_not_stopped_by_the_way(region: Region) -> None:
    await region.lost()
    found = (await region.proposed()).moved(State.APPROVED).moved(State.RUNNING)
    await region.department.store.write(lambda tx: tx.save_operation(found))
    await region.department.say("boris", f"cancel {found.id}", ok=False)


async def ended(region: Region, kind: Kind, serves: str) -> None:
    """A move of *kind* has just succeeded, as its turns tell."""
    planner = handlers.planner(region.department.ports)
    assert planner is not None
    plan = await planner.move(region.department.pair.move.way)
    course = replace(read_course(plan.params), kind=kind, target=serves)
    plan = replace(plan, params={**plan.params, "course": written(course)})
    now, place = region.department.clock.now(), Place("console:ops")
    made = Operation("op-done", plan, "anna", State.SUCCEEDED, now, now, place, started_at=now, ended_at=now)

    def write(tx: Tx) -> None:
        for each in tx.live_operations():
            tx.save_operation(replace(each, state=State.SUCCEEDED))
        tx.save_operation(made)
        moves.turned(tx, made, now)

    await region.department.store.write(write)
    assert (await region.department.store.read(moves.past)).serves == serves
