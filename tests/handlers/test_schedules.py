"""What pult does by itself: handover, digest, the audit chain's head, the canary, forgetting, rerouted pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.audit import Deed
from bot.domain.history import RuleRecord
from bot.domain.messages import Block, Message, Paragraph
from bot.domain.oncall import Ladder, Rotation, Shift
from bot.domain.phrases import English, phrase
from bot.domain.routes import Route
from bot.platforms.console.plain import plain
from bot.ports.canary import MARK, Flight
from handlers.alerting import holding
from handlers.cards import history
from handlers.schedules import canary, digest, handover, prune, reroute
from tests.handlers.fakes import NOON, FakeCanary
from tests.handlers.test_alerting import INC, MINUTE, OPS, RULES, TG, Life, fires, life, over

DOWN = phrase("it does not answer")

__all__ = ["life"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TURNS = Rotation(("anna", "boris"))


class Roster:
    """A rotation of two. ``known`` False: a calendar that was never read."""

    known = True
    refreshed = 0

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        return TURNS.shifts(start, end) if self.known else ()

    async def refresh(self) -> None:
        self.refreshed += 1

    async def check(self) -> str:
        return "two people"


@pytest.fixture
def roster(life: Life) -> Roster:
    found = Roster()
    life.rules = replace(RULES, roster=lambda: found)
    return found


async def notices(life: Life, kind: str) -> dict[str, str]:
    """By destination, what stands in the newest notice whose id begins with *kind*."""

    def read(tx):
        return {
            card.place.lane: plain(tx.message(card.subject), English())
            for destination in tx.busy()
            for card in reversed(tx.latest_cards(destination, 100))
            if card.subject.startswith(f"notice:{kind}")
        }

    return await life.store.read(read)


# --- handover ---


async def test_a_handover_tells_both_people_and_the_channel_what_is_open(life: Life, roster: Roster) -> None:
    duty = handover.duty(life.store, life.clock, life.rules)
    await duty.run()
    assert await notices(life, "handover") == {}, "the first look is no handover"
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    (shift,) = TURNS.shifts(NOON, NOON + MINUTE)
    life.clock.at = shift.ends
    await duty.run()
    told = await notices(life, "handover")
    assert set(told) == {"slack:U0ANNA", "telegram:1001", "slack:U0BORIS", "telegram:1002", OPS}
    following = TURNS.shift(shift.ends).person
    assert f"On call now: {following}" in told[OPS]
    assert f"Before: {shift.person}" in told[OPS]
    assert "Errors · api" in told[OPS]
    assert "held by anna" in told[OPS]
    await duty.run()
    assert len(await notices(life, "handover")) == 5, "told once"


async def test_an_override_is_a_handover_and_so_is_its_end(life: Life, roster: Roster) -> None:
    duty = handover.duty(life.store, life.clock, life.rules)
    await duty.run()
    (shift,) = TURNS.shifts(NOON, NOON + MINUTE)
    other = {"anna": "boris", "boris": "anna"}[shift.person]
    await life.store.write(lambda tx: tx.add_override(Shift(other, NOON, NOON + HOUR, other)))
    await duty.run()
    assert f"On call now: {other}" in (await notices(life, "handover"))[OPS]
    life.clock.at += HOUR
    await duty.run()
    assert f"On call now: {shift.person}" in (await notices(life, "handover"))[OPS]


async def test_a_calendar_that_was_never_read_is_nobodys_handover(life: Life, roster: Roster) -> None:
    duty = handover.duty(life.store, life.clock, life.rules)
    await duty.run()
    roster.known = False
    await duty.run()
    assert await notices(life, "handover") == {}


async def test_the_calendar_is_read_again(life: Life, roster: Roster) -> None:
    await handover.refreshing(life.rules.roster).run()
    assert roster.refreshed == 1


# --- digest and head ---


async def test_the_week_is_told_once_at_its_hour_also_when_pult_was_down_then(life: Life) -> None:
    hour = Rotation(("",), 0, datetime.min.time().replace(hour=9))
    duty = digest.weekly(life.store, life.clock, life.rules, hour)
    await duty.run()
    assert await notices(life, "digest") == {}, "the first start is no occasion"
    for number in range(6):
        one = fires(f"f{number}", "warning", life.clock.at)
        await life.hears(one, key=f"k{number}")
        life.clock.at += MINUTE
        await life.hears(over(one, life.clock.at), key=f"k{number}")
    shift = hour.shift(NOON)
    assert shift is not None
    life.clock.at = shift.ends + 3 * HOUR
    await duty.run()
    await duty.run()
    told = await notices(life, "digest")
    assert set(told) == {OPS}
    assert "6 alert groups, 0 in the time before" in told[OPS]
    assert "raise for: most are over before anybody could look" in told[OPS]


async def test_the_week_has_the_lines_that_others_add(life: Life) -> None:
    async def added() -> tuple[Block, ...]:
        return (Paragraph(phrase("Cost of the week: not known.")),)

    hour = Rotation(("",), 0, datetime.min.time().replace(hour=9))
    duty = digest.weekly(life.store, life.clock, life.rules, hour, None, added)
    await duty.run()
    shift = hour.shift(NOON)
    assert shift is not None
    life.clock.at = shift.ends
    await duty.run()
    assert "Cost of the week: not known." in (await notices(life, "digest"))[OPS]


async def test_without_an_hour_there_is_no_digest(life: Life) -> None:
    await digest.weekly(life.store, life.clock, life.rules, None).run()
    assert await notices(life, "digest") == {}


async def test_the_head_of_the_audit_chain_is_told_each_day(life: Life) -> None:
    duty = digest.head(life.store, life.clock, (OPS,))
    await duty.run()
    deed = Deed(NOON, "anna", "slack", "ack", "a-7k2f", "held")
    entry = await life.store.write(lambda tx: tx.append(deed))
    life.clock.at += DAY
    await duty.run()
    told = await notices(life, "audit-head")
    assert entry.hash[:16] in told[OPS]
    assert f"pult audit verify --head {entry.hash}" in told[OPS]


# --- the canary ---


async def test_the_canary_says_how_it_fared_and_after_three_losses_people_hear_of_it(life: Life) -> None:
    bird, measured = FakeCanary(), []
    duty = canary.duty(life.store, life.clock, life.rules, bird, measured.append)
    await duty.run()
    assert measured == [Flight(NOON, 0.02, "")]
    bird.why = "the front door answers 503"
    for _ in range(2):
        await duty.run()
    assert await life.store.read(lambda tx: tx.open_groups()) == ()
    await duty.run()
    (group,) = await life.store.read(lambda tx: tx.open_groups())
    assert (group.name, group.severity, group.common("why")) == ("PultDeaf", "warning", "the front door answers 503")
    assert Flight(*await life.store.read(lambda tx: tx.mark(MARK))).why == "the front door answers 503"
    bird.why = ""
    await duty.run()
    assert await life.store.read(lambda tx: tx.open_groups()) == ()


# --- forgetting ---


async def test_what_is_old_and_over_is_forgotten_and_the_rest_stays(life: Life) -> None:
    await life.hears(fires("old"), key="old")
    await life.hears(over(fires("old"), NOON), key="old")
    await life.hears(fires("open"), key="open")
    await life.posted()
    life.clock.at += 91 * DAY
    await prune.duty(life.store, life.clock, 90 * DAY).run()
    assert await life.store.read(lambda tx: tx.latest_group("old")) is None
    assert (await life.group("open")).firing


# --- pages that do not arrive ---


async def test_late_pages_go_to_another_platform_once_and_the_channel_that_is_back_is_told_of(life: Life) -> None:
    rules = replace(RULES, routes=(Route((INC,), page=True),), staffed=False, ladder=Ladder(), roster=lambda: None)
    life.rules, trouble = rules, {INC: phrase("the channel is archived: unarchive it, or route elsewhere")}
    duty = reroute.duty(life.store, life.clock, rules, (TG, OPS), lambda: trouble)
    await life.hears(fires())
    await duty.run()
    assert set(await life.cards()) == {INC}, "a minute is not over yet"
    life.clock.at += 61 * timedelta(seconds=1)
    await duty.run()
    assert set(await life.cards()) == {INC, TG}
    told = await notices(life, "mute")
    assert set(told) == {TG}
    assert "1 page waits there" in told[TG]
    assert "unarchive it" in told[TG]
    revision = (await life.cards("notice:"))[TG].wanted
    await duty.run()
    assert (await life.cards("notice:"))[TG].wanted == revision, "said once, not every five seconds"
    trouble.clear()
    await life.posted()
    await duty.run()
    assert "Pages reach slack:C0INC again" in (await notices(life, "heard"))[TG]


async def test_the_next_silence_of_a_chat_is_a_new_notice_and_the_old_one_is_no_alarm_any_more(life: Life) -> None:
    rules = replace(RULES, routes=(Route((INC,), page=True),), staffed=False, ladder=Ladder(), roster=lambda: None)
    life.rules = rules
    duty = reroute.duty(life.store, life.clock, rules, (TG,), dict)
    for key in ("first", "second"):
        await life.hears(fires(), key=key)
        life.clock.at += 61 * timedelta(seconds=1)
        await duty.run()
        cards = await life.store.read(lambda tx: tx.latest_cards(TG, 100))
        fresh = [card for card in cards if card.subject.startswith("notice:mute") and card.shown == 0]
        assert len(fresh) == 1, "a message of its own"
        await life.posted()
        await duty.run()
        assert "did not reach" in (await notices(life, "mute"))[TG]
        assert "again" in (await notices(life, "heard"))[TG]
        await life.posted()
        life.clock.at += 10 * timedelta(minutes=1)


async def test_with_every_chat_silent_no_notice_is_sent_after_a_notice(life: Life) -> None:
    rules = replace(RULES, routes=(Route((INC, TG), page=True),), staffed=False, ladder=Ladder(), roster=lambda: None)
    life.rules = rules
    duty = reroute.duty(life.store, life.clock, rules, (), lambda: {INC: DOWN, TG: DOWN})
    await life.hears(fires())
    for _ in range(100):
        life.clock.at += timedelta(seconds=5)
        await duty.run()
    cards = await life.store.read(lambda tx: [c for lane in tx.busy() for c in tx.latest_cards(lane, 100)])
    assert {(card.subject.split(":")[0], card.place.lane, card.wanted) for card in cards} == {
        ("alert", INC, 1), ("alert", TG, 1), ("notice", INC, 1), ("notice", TG, 1),
    }  # fmt: skip
    assert "1 page waits there" in (await notices(life, "mute"))[TG]


async def test_what_is_silent_too_is_no_help(life: Life) -> None:
    rules = replace(RULES, routes=(Route((INC,), page=True),), staffed=False, ladder=Ladder(), roster=lambda: None)
    life.rules = rules
    duty = reroute.duty(life.store, life.clock, rules, (TG, "telegram:-1002"), lambda: {TG: DOWN})
    await life.hears(fires())
    life.clock.at += 61 * timedelta(seconds=1)
    await duty.run()
    assert set(await life.cards()) == {INC, "telegram:-1002"}


def test_advice_judges_a_rule_by_what_it_did() -> None:
    def said(**how: object) -> str:
        values = {"groups": 10, "resolved": 10, "lasted": HOUR, "short": 0, "acked": 0, "ack_wait": HOUR, "pages": 0}
        return history.advice(RuleRecord("X", "api", **{**values, **how})).plain()  # type: ignore[arg-type]

    assert said(groups=4) == "fine"
    assert "raise for" in said(short=8)
    assert "delete it or make it a warning" in said(pages=10)
    assert "delete it or group it" in said()
    assert "mend the cause" in said(acked=3)


async def test_stats_count_and_average(life: Life) -> None:
    await life.hears(fires())
    life.clock.at += 2 * MINUTE
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    life.clock.at += 8 * MINUTE
    await life.hears(over(fires(), life.clock.at))
    message: Message = await life.store.read(lambda tx: history.stats(tx, NOON - HOUR, life.clock.at))
    text = plain(message, English())
    assert "Mean time to take (MTTA)     120 s" in text
    assert "Mean time to resolve (MTTR)  600 s" in text
    assert "1 (100 %)" in text.replace("\N{NO-BREAK SPACE}", " ")
