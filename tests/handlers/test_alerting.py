"""An alert's life with people: shown, escalated, taken, silenced, gathered in a storm; real store, set clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.domain.alerts import Alert, Group, Notification, alias
from bot.domain.cards import Card, Priority, Ref
from bot.domain.events import Heard
from bot.domain.oncall import Ladder, Quiet, Rotation, Shift
from bot.domain.people import Directory, Person
from bot.domain.phrases import English, pieces
from bot.domain.routes import Matcher, Route
from bot.domain.silences import Silence, equals
from bot.engine.scheduler import Scheduler
from bot.platforms.console.plain import plain
from bot.ports.store import Tx
from handlers.alerting import heard, holding
from handlers.alerting.rules import Rules, shifts_now
from handlers.cards import news, storm
from handlers.schedules.clocks import clocks
from tests.handlers.fakes import NOON, FakeClock
from tests.migrated import sqlite_store

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
INC, OPS, TG, CON = "slack:C0INC", "slack:C0OPS", "telegram:-1001", "console:ops"
ANNA, BORIS = Person("anna", "U0ANNA", "1001"), Person("boris", "U0BORIS", "1002")
ROTATION = Rotation(("anna",))


class Turns:
    """A roster of one person."""

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        return ROTATION.shifts(start, end)


class Nobody(Turns):
    """A roster with a gap in it."""

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        return ()


RULES = Rules(
    routes=(Route((INC, TG, CON), (Matcher("severity", "critical"),), page=True), Route((OPS, CON))),
    people=Directory((ANNA, BORIS)),
    ladder=Ladder(5 * MINUTE, (("person:boris",), (OPS,)), HOUR),
    storm=3,
    staffed=True,
    roster=Turns,
    runbooks="https://wiki.example",
)


@dataclass
class Life:
    """One department's alerts. ``at`` moves on with ``passes``, and timers go off on the way."""

    store: SqlStore
    rules: Rules = RULES
    clock: FakeClock = field(default_factory=FakeClock)

    async def hears(self, *alerts: Alert, key: str = "g", truncated: int = 0, receiver: str = "pult") -> bool:
        told = Notification("alertmanager", key, receiver, {"alertname": "Errors"}, alerts, truncated=truncated)
        now = self.clock.at
        return await self.store.write(lambda tx: heard.hear(tx, self.rules, Heard((told,)), now))

    async def passes(self, length: timedelta, step: timedelta = MINUTE) -> None:
        """Time goes by; timers go off when they are due."""
        ends, scheduler = self.clock.at + length, Scheduler(self.store, self.clock, clocks(self.rules))
        while self.clock.at < ends:
            self.clock.at = min(ends, self.clock.at + step)
            await scheduler.sweep()

    async def group(self, key: str = "g") -> Group:
        found = await self.store.read(lambda tx: tx.latest_group(key))
        assert found is not None
        return found

    async def does(self, work) -> Group:
        """A person does something to the group."""
        group, now = await self.group(), self.clock.at
        return await self.store.write(lambda tx: work(tx, self.rules, group, now))

    async def cards(self, prefix: str = "alert:") -> dict[str, Card]:
        """By destination."""
        found: dict[str, Card] = {}

        def read(tx: Tx) -> None:
            for destination in tx.busy():
                for card in tx.latest_cards(destination, 500):
                    if card.subject.startswith(prefix):
                        found[card.place.lane] = card

        await self.store.read(read)
        return found

    async def posted(self) -> None:
        """Every chat shows what is wanted now."""

        def show(tx: Tx) -> None:
            for destination in tx.busy():
                while card := tx.due(destination, self.clock.at):
                    tx.shown(card, Ref("chat", card.subject), self.clock.at)

        await self.store.write(show)

    async def told(self) -> list[tuple[str, str, Priority]]:
        """News that is due: where, what, how urgent."""
        found = []

        def read(tx: Tx) -> None:
            for destination in sorted(tx.busy()):
                for card in tx.latest_cards(destination, 500):
                    if card.subject.startswith("news:") and card.wanted > card.shown:
                        state = news.presenter().load(tx, card.subject.removeprefix("news:"))
                        message = news.draw(*state)
                        text = "".join(piece.text for piece in pieces(message.title, English()))
                        found.append((destination, text, card.priority))

        await self.store.read(read)
        return found


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield Life(store)


def fires(fingerprint: str = "a", severity: str = "critical", starts: datetime = NOON, **labels: str) -> Alert:
    every = {"alertname": "Errors", "severity": severity, "service": "api", **labels}
    return Alert(fingerprint, every, {"summary": "5 %"}, starts)


def over(alert: Alert, at: datetime) -> Alert:
    return replace(alert, ends_at=at)


# --- pages ---


async def test_a_page_goes_to_its_chats_and_to_whoever_is_on_call(life: Life) -> None:
    await life.hears(fires())
    cards = await life.cards()
    assert set(cards) == {INC, TG, CON, "slack:U0ANNA", "telegram:1001"}
    assert {card.priority for card in cards.values()} == {Priority.PAGE}
    assert (await life.group()).pages


async def test_a_warning_goes_to_the_channel_and_wakes_nobody(life: Life) -> None:
    await life.hears(fires(severity="warning"))
    assert set(await life.cards()) == {OPS, CON}
    await life.passes(HOUR)
    assert set(await life.cards()) == {OPS, CON}
    assert await life.told() == []


async def test_nobody_takes_it_so_the_next_are_told_and_the_channel_hears_of_it(life: Life) -> None:
    await life.hears(fires())
    await life.posted()
    await life.passes(5 * MINUTE)
    assert {"slack:U0BORIS", "telegram:1002"} <= set(await life.cards())
    said = await life.told()
    assert (INC, "Nobody has taken it for 300 s; now told: boris", Priority.PAGE) in said
    assert all(destination not in {"slack:U0BORIS", "telegram:1002", CON} for destination, _, _ in said)
    await life.passes(5 * MINUTE)
    assert OPS in await life.cards()


async def test_who_was_told_already_is_reminded_under_the_card_and_at_the_end_it_is_said_loudly(life: Life) -> None:
    await life.hears(fires())
    await life.posted()
    await life.passes(15 * MINUTE)
    await life.posted()
    group = await life.group()
    assert group.told == 4, "three rungs once, the first again"
    await life.passes(2 * HOUR)
    group = await life.group()
    assert group.told == 9
    assert [each.kind for each in group.history].count("unanswered") == 1
    before = group.happened
    await life.passes(2 * HOUR)
    assert (await life.group()).happened == before, "it does not go on for ever"


async def test_who_takes_it_ends_the_waking_and_everybody_hears(life: Life) -> None:
    await life.hears(fires())
    await life.posted()
    group = await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "boris", now))
    assert group.ack is not None
    assert (INC, "boris takes it", Priority.ANSWER) in await life.told()
    await life.passes(HOUR - MINUTE)
    assert (await life.group()).told == 1


async def test_a_hold_lapses_while_it_still_fires_and_escalation_goes_on(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    await life.posted()
    await life.passes(HOUR)
    group = await life.group()
    assert group.ack is None
    assert group.told == 2
    said = [text for _, text, _ in await life.told()]
    assert "anna's hold has lapsed; it still fires and nobody has it now" in said


async def test_a_resolve_stops_every_clock_and_is_news_for_a_page_only(life: Life) -> None:
    await life.hears(fires())
    await life.hears(fires("w", "warning"), key="w")
    await life.posted()
    life.clock.at += 2 * MINUTE
    await life.hears(over(fires(), life.clock.at))
    await life.hears(over(fires("w", "warning"), life.clock.at), key="w")
    said = await life.told()
    assert {destination for destination, _, _ in said} == {INC, TG, "slack:U0ANNA", "telegram:1001"}
    assert {text for _, text, _ in said} == {"Resolved after 120 s"}
    await life.passes(2 * HOUR)
    assert (await life.group()).told == 1
    assert [each.kind for each in (await life.group()).history] == ["fired", "paged", "resolved"]


async def test_a_page_before_the_calendar_is_open_wakes_the_right_person_a_moment_later(life: Life) -> None:
    life.rules = replace(RULES, roster=lambda: None)
    await life.hears(fires())
    assert "slack:U0ANNA" not in await life.cards()
    life.rules = RULES
    await life.passes(timedelta(seconds=6), timedelta(seconds=1))
    assert "slack:U0ANNA" in await life.cards()
    assert await life.told() == [], "nobody was late: that is no escalation"


async def test_without_a_rotation_and_levels_nothing_escalates(life: Life) -> None:
    life.rules = replace(RULES, staffed=False, ladder=Ladder())
    await life.hears(fires())
    await life.passes(2 * HOUR)
    assert set(await life.cards()) == {INC, TG, CON}
    assert (await life.group()).told == 0


async def test_an_override_is_woken_in_place_of_the_rotation(life: Life) -> None:
    shift = Shift("boris", NOON - MINUTE, NOON + HOUR, "boris")
    await life.store.write(lambda tx: tx.add_override(shift))
    await life.hears(fires())
    assert {"slack:U0BORIS", "telegram:1002"} <= set(await life.cards())
    assert "slack:U0ANNA" not in await life.cards()
    now = NOON + HOUR
    (turn,) = await life.store.read(lambda tx: shifts_now(tx, life.rules, now))
    assert turn.person == "anna"


async def test_a_group_that_becomes_critical_is_a_page_from_then_on(life: Life) -> None:
    await life.hears(fires("w", "warning"))
    assert set(await life.cards()) == {OPS, CON}
    await life.hears(fires("w", "warning"), fires())
    cards = await life.cards()
    assert set(cards) == {OPS, CON, INC, TG, "slack:U0ANNA", "telegram:1001"}
    assert cards[CON].priority is Priority.PAGE


async def test_where_the_card_stands_already_an_edit_alone_wakes_nobody_so_it_is_said(life: Life) -> None:
    life.rules = replace(RULES, routes=(Route((TG,), (Matcher("severity", "critical"),), page=True), Route((TG, OPS))))
    await life.hears(fires("w", "warning"))
    await life.posted()
    await life.hears(fires("w", "warning"), fires())
    said = await life.told()
    assert (TG, "It has become critical", Priority.PAGE) in said
    assert {destination for destination, _, _ in said} == {TG, OPS}, "whoever is woken by a card needs no reply to it"
    await life.posted()
    await life.hears(fires("w", "warning"), fires(), fires("c2"))
    assert await life.told() == [], "one more of the same is no news"


async def test_a_step_without_anybody_is_none(life: Life) -> None:
    life.rules = replace(RULES, roster=Nobody)
    await life.hears(fires())
    assert {"slack:U0BORIS", "telegram:1002"} <= set(await life.cards()), "not five minutes later"
    assert [each.who for each in (await life.group()).history if each.kind == "paged"] == ["boris"]


async def test_that_nobody_on_call_can_be_reached_is_said_at_once(life: Life) -> None:
    life.rules = replace(RULES, roster=Nobody, ladder=Ladder())
    await life.hears(fires())
    await life.posted()
    assert [each.kind for each in (await life.group()).history] == ["fired", "nobody"]
    before = (await life.group()).happened
    await life.passes(HOUR)
    assert (await life.group()).happened == before


async def test_whoever_is_on_call_is_woken_though_a_quiet_card_of_theirs_waits_for_the_morning(life: Life) -> None:
    anna = replace(ANNA, quiet=Quiet(time(11), time(13)))
    routes = (Route(("slack:U0ANNA",), goes_on=True), Route((OPS,), page=True))
    life.rules = replace(RULES, people=Directory((anna, BORIS)), routes=routes)
    await life.hears(fires(severity="warning"))
    card = (await life.cards())["slack:U0ANNA"]
    assert (card.priority, card.not_before) == (Priority.PAGE, None)


async def test_how_long_nobody_had_it_is_counted_from_the_end_of_the_hold(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    await life.posted()
    await life.passes(HOUR)
    assert (INC, "Now told: boris", Priority.PAGE) in await life.told()
    await life.posted()
    await life.passes(5 * MINUTE)
    assert f"Nobody has taken it for 300 s; now told: {OPS}" in [text for _, text, _ in await life.told()]


# --- silences ---


async def test_what_joins_a_silenced_group_and_is_not_covered_wakes_people(life: Life) -> None:
    await life.hears(fires())
    await life.posted()
    made = Silence("s1", equals({"service": "api"}), "anna", "deploying", NOON, NOON + 5 * HOUR)
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, made, now))
    await life.posted()
    life.clock.at += MINUTE
    await life.hears(fires("more"))
    assert (await life.group()).silenced is not None, "under the silence as well"
    await life.hears(fires("other", service="db"))
    group = await life.group()
    assert group.silenced is None
    assert group.told == 2, "the next is woken"
    assert (INC, "Something fires that the silence does not cover", Priority.PAGE) in await life.told()


async def test_a_hold_that_lapses_under_a_silence_wakes_nobody(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + 3 * HOUR), now))
    await life.posted()
    await life.passes(HOUR + MINUTE)
    assert (await life.group()).ack is None
    assert {priority for _, _, priority in await life.told()} == {Priority.ANSWER}


async def test_a_silence_that_ends_while_somebody_holds_it_wakes_nobody(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.take(tx, rules, group, "anna", now))
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + 30 * MINUTE), now))
    await life.posted()
    await life.passes(31 * MINUTE)
    assert (await life.group()).silenced is None
    assert {priority for _, _, priority in await life.told()} == {Priority.ANSWER}


def quiet(until: datetime, ident: str = "s1") -> Silence:
    return Silence(ident, equals({"alertname": "Errors"}), "anna", "deploying", NOON, until)


async def test_a_silenced_page_wakes_nobody_until_the_silence_is_over(life: Life) -> None:
    await life.hears(fires())
    await life.posted()
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + HOUR), now))
    await life.passes(59 * MINUTE)
    assert (await life.group()).told == 1
    await life.posted()
    await life.passes(2 * MINUTE)
    group = await life.group()
    assert group.silenced is None
    assert group.told == 2
    said = [text for _, text, priority in await life.told() if priority is Priority.PAGE]
    assert "The silence is over; it still fires" in said


async def test_a_silence_that_is_prolonged_lasts(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + HOUR), now))
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + 3 * HOUR), now))
    await life.passes(2 * HOUR)
    assert (await life.group()).silenced is not None


async def test_a_silence_over_what_has_resolved_is_no_news(life: Life) -> None:
    await life.hears(fires())
    await life.does(lambda tx, rules, group, now: holding.silence(tx, group, quiet(NOON + HOUR), now))
    await life.hears(over(fires(), NOON + MINUTE))
    await life.posted()
    await life.passes(2 * HOUR)
    assert await life.told() == []


# --- quiet hours ---


async def test_quiet_hours_hold_back_what_is_not_critical_in_a_persons_own_chat(life: Life) -> None:
    anna = replace(ANNA, quiet=Quiet(time(11), time(13)))
    to = ("slack:U0ANNA", OPS)
    life.rules = replace(RULES, people=Directory((anna, BORIS)), routes=(Route(to),), staffed=False, ladder=Ladder())
    await life.hears(fires("w", "warning"), key="w")
    await life.hears(fires("c", "critical"), key="c")
    held = {card.subject: card.not_before for card in await _all(life, "slack:U0ANNA")}
    warning, critical = await life.group("w"), await life.group("c")
    assert held == {f"alert:{warning.id}": NOON + HOUR, f"alert:{critical.id}": None}
    assert {card.not_before for card in await _all(life, OPS)} == {None}
    await life.hears(fires("w", "warning"), fires("x", "critical"), key="w")
    assert {card.not_before for card in await _all(life, "slack:U0ANNA")} == {None}, "it has become critical"


async def _all(life: Life, destination: str) -> tuple[Card, ...]:
    return await life.store.read(lambda tx: tx.latest_cards(destination, 100))


# --- storms ---


async def test_a_storm_gathers_what_is_not_critical_and_names_all_of_it(life: Life) -> None:
    for number in range(9):
        life.clock.at += timedelta(seconds=1)
        await life.hears(fires(f"f{number}", "warning", service=f"s{number}"), key=f"k{number}")
    await life.hears(fires("c"), key="c")
    alerts = [card for card in await _all(life, OPS) if card.subject.startswith("alert:")]
    assert len(alerts) == 3
    (card,) = [card for card in await _all(life, OPS) if card.subject.startswith("storm:")]
    state = await life.store.read(lambda tx: storm.presenter().load(tx, card.subject.removeprefix("storm:")))
    assert {row.service for row in state.groups} == {f"s{number}" for number in range(3, 9)}
    assert len([card for card in await _all(life, CON) if card.subject.startswith("alert:")]) == 10
    assert {card.priority for card in await _all(life, INC)} == {Priority.PAGE}
    assert storm.draw(state).title.plain() == "Alert storm: 6 alerts, 6 firing"


async def test_a_storm_lives_with_its_alerts_and_says_at_its_end_what_it_was(life: Life) -> None:
    for number in range(5):
        await life.hears(fires(f"f{number}", "warning", service=f"s{number}"), key=f"k{number}")
    await life.posted()
    await life.hears(over(fires("f4", "warning", service="s4"), life.clock.at), key="k4")
    (card,) = [card for card in await _all(life, OPS) if card.subject.startswith("storm:")]
    assert card.wanted > card.shown, "the card follows"
    await life.passes(timedelta(seconds=12), timedelta(seconds=1))
    lists = [card for card in await _all(life, OPS) if card.subject.startswith("storm-list:")]
    assert [each.parent for each in lists] == [card.subject]
    await life.passes(6 * MINUTE)
    state = await life.store.read(lambda tx: storm.presenter().load(tx, card.subject.removeprefix("storm:")))
    message = storm.draw(state)
    assert message.title.plain() == "The storm is over: it was 2 alerts"
    life.clock.at += HOUR
    await life.hears(fires("n", "warning"), key="n")
    assert len([c for c in await _all(life, OPS) if c.subject.startswith("alert:")]) == 4, "calm again: one by one"


async def test_what_turns_critical_in_a_storm_gets_a_card_of_its_own(life: Life) -> None:
    life.rules = replace(RULES, routes=(Route((OPS,)),))
    for number in range(5):
        await life.hears(fires(f"f{number}", "warning"), key=f"k{number}")
    assert len([c for c in await _all(life, OPS) if c.subject.startswith("alert:")]) == 3
    await life.hears(fires("f4", "warning"), fires("g4", "critical"), key="k4")
    group = await life.group("k4")
    assert f"alert:{group.id}" in {card.subject for card in await _all(life, OPS)}


async def test_who_holds_a_gathered_alert_is_seen_on_the_storms_card_and_list(life: Life) -> None:
    for number in range(5):
        await life.hears(fires(f"f{number}", "warning", service=f"s{number}"), key=f"k{number}")
    await life.posted()
    group, now = await life.group("k4"), life.clock.at
    await life.store.write(lambda tx: holding.take(tx, life.rules, group, "boris", now))
    (card,) = [card for card in await _all(life, OPS) if card.subject.startswith("storm:")]
    assert card.wanted > card.shown
    state = await life.store.read(lambda tx: storm.presenter().load(tx, card.subject.removeprefix("storm:")))
    assert "boris (1)" in plain(storm.draw(state), English())
    assert f"{group.id} Errors · s4: held by boris" in plain(storm.draw_list(state), English())


# --- the Watchdog ---


async def test_a_watchdog_among_others_is_heard_and_never_shown(life: Life) -> None:
    """Without group_by Alertmanager puts everything into one group."""
    await life.hears(watchdog(), fires())
    group = await life.group()
    assert [alert.fingerprint for alert in group.firing] == ["a"]
    assert await life.store.read(lambda tx: tx.timer("watchdog", "dog")) == NOON + life.rules.watchdog
    assert await life.hears(watchdog(), fires()) is False
    await life.hears(watchdog(), over(fires(), life.clock.at))
    assert (await life.group()).closed_at is not None
    assert await life.hears(watchdog()) is False


def watchdog(**labels: str) -> Alert:
    return Alert("dog", {"alertname": "Watchdog", "severity": "none", "region": "nyc2", **labels}, {}, NOON)


async def test_the_watchdog_is_never_shown_and_its_silence_wakes_people(life: Life) -> None:
    assert not await life.hears(watchdog(), key="dog")
    assert await life.cards() == {}
    await life.passes(9 * MINUTE)
    await life.hears(watchdog(), key="dog")
    await life.passes(9 * MINUTE)
    assert await life.cards() == {}
    await life.passes(2 * MINUTE)
    blind = await life.group("pult watchdog dog")
    (alert,) = blind.firing
    assert alert.annotations == {"runbook_url": "https://wiki.example/Watchdog.md"}
    assert (blind.name, blind.severity, blind.pages, blind.common("region")) == (
        "MonitoringBlind", "critical", True, "nyc2",
    )  # fmt: skip
    await life.hears(watchdog(), key="dog")
    assert (await life.group("pult watchdog dog")).closed_at is not None


async def test_a_pult_that_was_down_itself_cries_no_wolf_and_still_listens(life: Life) -> None:
    await life.hears(watchdog(), key="dog")
    life.clock.at += 60 * MINUTE  # nobody looked at the clock meanwhile
    await life.passes(9 * MINUTE)
    assert await life.cards() == {}
    await life.passes(2 * MINUTE)
    assert (await life.group("pult watchdog dog")).firing, "it is still not heard"


async def test_a_watchdog_that_resolves_is_silence_at_once(life: Life) -> None:
    await life.hears(watchdog(), key="dog")
    await life.hears(over(watchdog(), NOON + MINUTE), key="dog")
    assert (await life.group("pult watchdog dog")).firing
    before = (await life.group("pult watchdog dog")).happened
    await life.hears(over(watchdog(), NOON + MINUTE), key="dog")
    assert (await life.group("pult watchdog dog")).happened == before


# --- a group that pult found by itself ---


async def test_the_senders_own_word_continues_the_group_that_pult_found(life: Life) -> None:
    labels = {"alertname": "Errors"}
    await life.hears(fires(), key=alias("alertmanager", "pult", labels))
    first = await life.group(alias("alertmanager", "pult", labels))
    assert not await life.hears(fires(), key="{}:{alertname=Errors}")
    await life.hears(over(fires(), NOON + MINUTE), key="{}:{alertname=Errors}")
    last = await life.group("{}:{alertname=Errors}")
    assert (last.id, last.closed_at is not None) == (first.id, True)
