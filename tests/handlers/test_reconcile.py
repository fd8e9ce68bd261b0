"""Reconciling end to end over the store: ghosts, what is missing, silences made elsewhere, what was cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.alerts import Alert, Notification
from bot.domain.events import Heard
from bot.domain.silences import Silence, equals
from bot.domain.testimony import Believed, BelievedGroup
from bot.domain.testimony import Testimony as Told
from bot.ports.silencer import MARK
from handlers.alerting import heard
from handlers.commands.vitals import Vitals
from handlers.operating import freezing
from handlers.schedules import reconcile
from tests.handlers.fakes import NOON, FakeSilencer, FakeWatching
from tests.handlers.test_alerting import MINUTE, Life, fires, life, over, watchdog

__all__ = ["life"]
LABELS = {"alertname": "Errors"}
LONG_AGO = NOON - timedelta(days=1)
DOG = BelievedGroup("watchdog", {}, (Believed(watchdog()),))


def member(*alerts: Alert | Believed, since: datetime = LONG_AGO, silences: tuple[Silence, ...] = ()) -> Told:
    held = tuple(each if isinstance(each, Believed) else Believed(each) for each in alerts)
    return Told("http://am-1", since, (BelievedGroup("pult", LABELS, held), DOG), silences)


class Rounds:
    """Rounds over one life; ``says`` is what the members will answer."""

    def __init__(self, life: Life) -> None:
        self.life, self.silencer = life, FakeSilencer()
        self.duty = reconcile.duty(life.store, life.clock, life.rules, self.silencer)

    async def pass_(self, *told: Told, minutes: int = 1) -> None:
        for _ in range(minutes):
            self.silencer.told = told
            await self.duty.run()
            self.life.clock.at += MINUTE


@pytest.fixture
def rounds(life: Life) -> Rounds:
    return Rounds(life)


async def test_a_ghost_is_resolved_after_two_rounds_of_a_credible_member(life: Life, rounds: Rounds) -> None:
    await life.hears(watchdog(), key="dog")
    await life.hears(fires())
    life.clock.at += 5 * MINUTE
    await life.hears(watchdog(), key="dog")
    await rounds.pass_(member())
    assert (await life.group()).firing
    await rounds.pass_(member())
    group = await life.group()
    assert group.closed_at is not None
    assert group.history[-1].kind == "resolved"


async def test_nobody_answering_or_just_started_resolves_nothing(life: Life, rounds: Rounds) -> None:
    await life.hears(fires())
    await rounds.pass_(minutes=5)
    await rounds.pass_(member(since=life.clock.at), minutes=3)
    assert (await life.group()).firing
    assert await life.store.read(lambda tx: tx.mark(MARK)) == (life.clock.at - MINUTE, 1, 1)


async def test_what_no_webhook_told_is_raised_and_goes_the_way_of_all_pages(life: Life, rounds: Rounds) -> None:
    await life.hears(fires("known"))
    lost = fires("lost", starts=NOON - 10 * MINUTE)
    other = {"alertname": "Disk"}
    alone = BelievedGroup("pult", other, (Believed(replace(lost, labels={**lost.labels, **other})),))
    told = replace(member(fires("known")), groups=(*member(fires("known")).groups, alone))
    await rounds.pass_(told, minutes=2)
    groups = await life.store.read(lambda tx: tx.open_groups())
    raised = next(group for group in groups if group.name == "Disk")
    assert raised.pages
    cards = await life.store.read(lambda tx: {card.place.lane for card in tx.cards_of(f"alert:{raised.id}")})
    assert "slack:U0ANNA" in cards
    # The webhook comes after all: the same group goes on.

    late = Notification(
        "alertmanager", "{}:{alertname=Disk}", "pult", other, (over(next(iter(raised.alerts.values())), life.clock.at),)
    )
    await life.store.write(lambda tx: heard.hear(tx, life.rules, Heard((late,)), life.clock.at))
    assert (await life.store.read(lambda tx: tx.group(raised.id))).closed_at is not None
    assert len(await life.store.read(lambda tx: tx.recent_groups(10))) == 2


async def test_a_new_pult_learns_what_fires_already(life: Life, rounds: Rounds) -> None:
    """Its store is empty, and Alertmanager has told of it long ago: the next word of it may take hours."""
    await rounds.pass_(member(fires()), minutes=3)
    assert await life.store.read(lambda tx: tx.open_groups()) == ()
    rounds.silencer.receivers = frozenset({"pult"})
    await rounds.pass_(member(fires()), minutes=2)
    (raised,) = await life.store.read(lambda tx: tx.open_groups())
    assert (raised.receiver, raised.pages) == ("pult", True)


async def test_a_silence_made_elsewhere_shows_and_its_end_wakes_again(life: Life, rounds: Rounds) -> None:
    await life.hears(fires())
    life.clock.at += 2 * MINUTE
    quiet = Silence("s-9", equals(LABELS), "carol", "by amtool", life.clock.at, life.clock.at + timedelta(hours=2))
    await rounds.pass_(member(Believed(fires(), silenced_by=("s-9",)), silences=(quiet,)))
    group = await life.group()
    assert group.silenced is not None
    assert (group.silenced.silence.person, group.silenced.silence.comment) == ("carol", "by amtool")
    await life.passes(20 * MINUTE)
    assert (await life.group()).told == 1, "nobody is woken under a silence"
    ended = replace(quiet, ends_at=life.clock.at)
    await rounds.pass_(member(fires(), silences=(ended,)))
    group = await life.group()
    assert group.silenced is None
    assert group.told == 2


async def test_what_was_cut_off_is_completed_soon_and_a_repeat_does_not_undo_it(life: Life, rounds: Rounds) -> None:
    every = [fires(f"f{number}", pod=f"api-{number}") for number in range(5)]
    await rounds.pass_(member(*every))
    await life.hears(*every[:2], truncated=3)
    assert (await life.group()).truncated == 3
    life.clock.at += timedelta(seconds=10) - MINUTE
    await rounds.pass_(member(*every))
    group = await life.group()
    assert (group.truncated, len(group.alerts)) == (0, 5)
    assert not await life.hears(*every[:2], truncated=3)


async def test_an_alertmanager_that_is_away_is_said_in_the_status(life: Life, rounds: Rounds) -> None:
    await rounds.pass_()
    part = await life.store.read(
        lambda tx: Vitals(life.rules, dict, freezing.lookup(()), FakeWatching()).read(tx, life.clock.at)
    )
    said = {name.plain(): value.plain() for name, value in part.facts}
    assert said["Alertmanager"] == "does not answer: alerts are shown as they were told last"
    assert not part.well
