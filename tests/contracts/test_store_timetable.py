"""Timers, marks and overrides, on every store."""

from datetime import timedelta, timezone

from bot.domain.alerts import Ack
from bot.domain.oncall import Shift
from bot.ports.store import Store
from bot.ports.timetable import Timer
from tests.contracts.samples import MINUTE, NASTY, NOON, SECOND

HOUR = timedelta(hours=1)


async def test_the_last_time_set_counts(store: Store) -> None:
    await store.write(lambda tx: tx.set_timer("escalation", "a-7k2f", NOON + HOUR))
    await store.write(lambda tx: tx.set_timer("escalation", "a-7k2f", NOON + MINUTE))
    await store.write(lambda tx: tx.set_timer("ack", "a-7k2f", NOON))
    found = await store.read(lambda tx: (tx.timer("escalation", "a-7k2f"), tx.timer("ack", "a-7k2f")))
    assert found == (NOON + MINUTE, NOON)
    assert await store.read(lambda tx: len(tx.ripe_timers(NOON + HOUR, 9))) == 2


async def test_a_dropped_timer_never_rings(store: Store) -> None:
    await store.write(lambda tx: [tx.set_timer(kind, "a-1", NOON) for kind in ("escalation", "ack")])
    await store.write(lambda tx: (tx.drop_timer("escalation", "a-1"), tx.drop_timer("escalation", "never set")))
    assert await store.read(lambda tx: tx.timer("escalation", "a-1")) is None
    assert await store.read(lambda tx: tx.ripe_timers(NOON, 9)) == (Timer("ack", "a-1", NOON),)


async def test_ripe_timers_are_those_whose_time_has_come_the_longest_waiting_first(store: Store) -> None:
    after = {"c": -MINUTE, "a": -HOUR, "now": 0 * MINUTE, "later": SECOND, "b": -HOUR}
    await store.write(lambda tx: [tx.set_timer("ack", name, NOON + wait) for name, wait in after.items()])
    await store.write(lambda tx: tx.set_timer("Ack", "z", NOON - HOUR))
    ripe = await store.read(lambda tx: tx.ripe_timers(NOON, 9))
    assert [(timer.kind, timer.ident) for timer in ripe] == [
        ("Ack", "z"), ("ack", "a"), ("ack", "b"), ("ack", "c"), ("ack", "now"),
    ]  # fmt: skip
    assert ripe[-1].at == NOON
    assert await store.read(lambda tx: tx.ripe_timers(NOON, 2)) == ripe[:2]
    assert await store.read(lambda tx: tx.ripe_timers(NOON - 2 * HOUR, 9)) == ()


async def test_the_timers_of_a_kind_the_next_due_first(store: Store) -> None:
    for kind, name, wait in (("ack", "b", HOUR), ("ack", "a", HOUR), ("ack", "z", -HOUR), ("Ack", "x", HOUR)):
        await store.write(lambda tx, kind=kind, name=name, wait=wait: tx.set_timer(kind, name, NOON + wait))
    assert [timer.ident for timer in await store.read(lambda tx: tx.timers("ack"))] == ["z", "a", "b"]
    assert await store.read(lambda tx: tx.timers("never set")) == ()


async def test_a_timer_keeps_its_microseconds_whatever_the_zone(store: Store) -> None:
    at = NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    await store.write(lambda tx: tx.set_timer("ack", NASTY, at))
    assert await store.read(lambda tx: tx.timer("ack", NASTY)) == at
    assert await store.read(lambda tx: len(tx.ripe_timers(NOON - timedelta(microseconds=1), 9))) == 0
    await store.write(lambda tx: tx.drop_timer("ack", NASTY))
    assert await store.read(lambda tx: tx.ripe_timers(NOON, 9)) == ()


async def test_idents_that_no_index_takes_are_told_apart(store: Store) -> None:
    one, two = "k" * 9_000 + "1", "k" * 9_000 + "2"
    await store.write(lambda tx: (tx.set_timer("ack", one, NOON), tx.set_timer("ack", two, NOON + MINUTE)))
    assert await store.read(lambda tx: (tx.timer("ack", one), tx.timer("ack", two))) == (NOON, NOON + MINUTE)


async def test_a_mark_is_what_was_put_last(store: Store) -> None:
    assert await store.read(lambda tx: tx.mark("watchdog")) is None
    for value in (NOON, Ack("anna", NOON), "text", 7, 0.5, (("pult", "fp1"), ()), {"a": MINUTE}, NASTY, None):
        await store.write(lambda tx, value=value: tx.put_mark("watchdog", value))
        assert await store.read(lambda tx: tx.mark("watchdog")) == value
    await store.write(lambda tx: (tx.put_mark(NASTY, "nasty"), tx.put_mark("Watchdog", "other")))
    assert await store.read(lambda tx: (tx.mark(NASTY), tx.mark("watchdog"))) == ("nasty", None)


async def test_overrides_that_touch_a_time_in_the_order_they_start(store: Store) -> None:
    made = [
        Shift("boris", NOON + 2 * HOUR, NOON + 3 * HOUR),
        Shift("anna", NOON, NOON + 2 * HOUR, by="boris"),
        Shift("chen", NOON, NOON + HOUR),
        Shift(NASTY, NOON + 9 * HOUR, NOON + 10 * HOUR),
    ]
    await store.write(lambda tx: [tx.add_override(shift) for shift in made])

    async def touching(start: timedelta, end: timedelta) -> list[str]:
        found = await store.read(lambda tx: tx.overrides(NOON + start, NOON + end))
        assert all(shift in made for shift in found)
        return [shift.person for shift in found]

    assert await touching(HOUR / 2, HOUR / 2) == ["chen", "anna"]
    assert await touching(0 * HOUR, 0 * HOUR) == ["chen", "anna"], "a turn begins with its first moment"
    assert await touching(HOUR, HOUR) == ["anna"], "and its end is not part of it"
    assert await touching(2 * HOUR, 2 * HOUR) == ["boris"]
    assert await touching(-HOUR, 24 * HOUR) == ["chen", "anna", "boris", NASTY]
    assert await touching(4 * HOUR, 8 * HOUR) == []


async def test_an_override_made_twice_is_one(store: Store) -> None:
    for _ in range(2):
        await store.write(lambda tx: tx.add_override(Shift("anna", NOON, NOON + HOUR)))
    assert await store.read(lambda tx: tx.overrides(NOON, NOON)) == (Shift("anna", NOON, NOON + HOUR),)
