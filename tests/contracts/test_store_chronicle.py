"""Storms and the past of alerts, on every store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.adapters.sql import chronicle
from bot.adapters.sql.values import SEARCHED
from bot.domain.alerts import Ack, Alert, Group
from bot.domain.history import SHORT, RuleRecord
from bot.domain.storms import Gathered, Storm
from bot.ports.store import Store
from tests.contracts.samples import INC, MINUTE, NASTY, NOON, OPS, SECOND, wish

DAY = timedelta(days=1)


def firing(ident: str, opened: datetime = NOON, **labels: str) -> Group:
    """An open group of one alert, with a key of its own."""
    named = {"alertname": "HighErrors", "service": "api", "severity": "warning", **labels}
    return Group(ident, f"key of {ident}", "alertmanager", named, {"fp": Alert("fp", named, {}, opened)}, opened)


def over(group: Group, lasted: timedelta, acked: timedelta | None = None) -> Group:
    ends = group.opened_at + lasted
    alerts = {name: replace(alert, ends_at=ends) for name, alert in group.alerts.items()}
    return replace(group, alerts=alerts, closed_at=ends, acked_at=group.opened_at + acked if acked else None)


async def save(store: Store, *groups: Group) -> None:
    await store.write(lambda tx: [tx.save_group(group) for group in groups])


# New alerts.


async def test_new_alerts_of_a_destination_are_counted(store: Store) -> None:
    made = {"alert:old": -MINUTE, "alert:at": 0 * MINUTE, "alert:1": SECOND, "alert:2": MINUTE, "reply:r": MINUTE}
    made |= {"op:o": MINUTE, "alerts": MINUTE, "ALERT:x": MINUTE, f"notice:{NASTY}": MINUTE}
    await store.write(lambda tx: [tx.show(wish(name), NOON + after) for name, after in made.items()])
    await store.write(lambda tx: (tx.show(wish("alert:1"), NOON + MINUTE), tx.bump("alert:old", NOON + MINUTE)))
    await store.write(lambda tx: tx.show(wish("alert:far", INC), NOON + MINUTE))

    async def new(limit: int = 99, since: datetime = NOON, where: str = OPS) -> int:
        return await store.read(lambda tx: tx.new_alerts(where, since, limit))

    assert await new() == 2, "those made after the time, once each, and alerts only"
    assert await new(limit=1) == 1
    assert await new(since=NOON - DAY) == 4
    assert await new(where=INC) == 1
    assert await new(where="slack:C0NONE") == 0


# Storms.


async def test_a_destination_has_one_open_storm(store: Store) -> None:
    first = Storm("st-1", OPS, NOON, NOON)
    await store.write(lambda tx: (tx.save_storm(first), tx.save_storm(Storm("st-2", INC, NOON, NOON))))
    assert await store.read(lambda tx: tx.open_storm(OPS)) == first
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.save_storm(Storm("st-3", OPS, NOON + MINUTE, NOON + MINUTE)))
    grown = replace(first, gathered_at=NOON + MINUTE)
    await store.write(lambda tx: tx.save_storm(grown))
    assert await store.read(lambda tx: (tx.open_storm(OPS), tx.storm("st-1"))) == (grown, grown)


async def test_a_storm_that_calmed_makes_room_for_the_next(store: Store) -> None:
    calm = Storm("st-1", OPS, NOON, NOON, closed_at=NOON + MINUTE)
    again = Storm("st-2", OPS, NOON + DAY, NOON + DAY)
    await store.write(lambda tx: tx.save_storm(replace(calm, closed_at=None)))
    await store.write(lambda tx: (tx.save_storm(calm), tx.save_storm(again)))
    assert await store.read(lambda tx: (tx.open_storm(OPS), tx.storm("st-1"))) == (again, calm)
    assert await store.read(lambda tx: (tx.storm("st-9"), tx.storm(NASTY), tx.open_storm(INC))) == (None, None, None)


async def test_what_a_storm_gathered_firing_first_then_the_latest(store: Store) -> None:
    old, new = firing("a-old"), firing("a-new", NOON + MINUTE, service="web")
    done = over(firing("a-done", NOON + 2 * MINUTE), MINUTE)
    await store.write(lambda tx: [tx.gather("st-1", group) for group in (done, old, new)])
    await store.write(lambda tx: tx.gather("st-2", old))
    found = await store.read(lambda tx: tx.gathered("st-1"))
    assert [each.group for each in found] == ["a-new", "a-old", "a-done"]
    assert found[0] == Gathered("a-new", "HighErrors", "web", "warning", NOON + MINUTE, firing=True)
    assert found[2].firing is False
    assert [each.group for each in await store.read(lambda tx: tx.gathered("st-2"))] == ["a-old"]
    assert await store.read(lambda tx: tx.gathered("st-9")) == ()


async def test_gathering_again_brings_it_up_to_date(store: Store) -> None:
    group = firing("a-1", **{"alertname": NASTY, "service": NASTY})
    await store.write(lambda tx: tx.gather("st-1", group))
    held = replace(over(group, MINUTE), ack=Ack(NASTY, NOON))
    for _ in range(2):
        await store.write(lambda tx: tx.gather("st-1", held))
    (found,) = await store.read(lambda tx: tx.gathered("st-1"))
    assert (found.firing, found.severity, found.since) == (False, "warning", NOON)
    assert {found.name, found.service, found.held_by} == {NASTY.replace("\0", "�").replace("\ud800", "?")}


# The past.


async def found_by(store: Store, *words: str, since: datetime = NOON - DAY, limit: int = 9) -> list[str]:
    groups = await store.read(lambda tx: tx.past_groups(words, since, limit))
    return [group.id for group in groups]


async def test_a_search_finds_every_word_in_name_service_severity_labels_and_id(store: Store) -> None:
    await save(
        store,
        firing("a-7k2f", NOON, pod="web-1", region="东京"),
        firing("a-8m3g", NOON + MINUTE, severity="critical", service="Платежи"),
        over(firing("a-9n4h", NOON + 2 * MINUTE, alertname="DiskFull", mount="/var/lib"), MINUTE),
    )
    assert await found_by(store) == ["a-9n4h", "a-8m3g", "a-7k2f"]
    assert await found_by(store, "HIGHerrors") == ["a-8m3g", "a-7k2f"]
    assert await found_by(store, "higherrors", "web-") == ["a-7k2f"]
    assert await found_by(store, "платежи") == await found_by(store, "critical") == ["a-8m3g"]
    assert await found_by(store, "东京") == await found_by(store, "7k2f") == ["a-7k2f"]
    assert await found_by(store, "/VAR/", "disk", "full", "a-9") == ["a-9n4h"]
    assert await found_by(store, "disk", "web-1") == []
    assert await found_by(store, "%") == await found_by(store, "_eb") == await found_by(store, "\0") == []


async def test_a_search_gives_the_newest_since_then_whole(store: Store) -> None:
    made = [firing(f"a-{n}", NOON + n * MINUTE) for n in range(5)]
    await save(store, *made)
    assert await found_by(store, "api", limit=2) == ["a-4", "a-3"]
    assert await found_by(store, limit=2) == ["a-4", "a-3"]
    assert await found_by(store, "a-1", since=NOON + MINUTE) == ["a-1"]
    assert await found_by(store, "a-1", since=NOON + MINUTE + SECOND) == []
    assert await store.read(lambda tx: tx.past_groups(("a-1",), NOON, 9)) == (made[1],)


async def test_a_search_looks_at_the_newest_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chronicle, "SCANNED", 3)
    await save(store, *[firing(f"a-{n}", NOON + n * MINUTE) for n in range(5)])
    assert await found_by(store, "api") == ["a-4", "a-3", "a-2"]


async def test_a_group_is_found_by_its_name_however_much_else_it_holds(store: Store) -> None:
    many = {f"fp{n}": Alert(f"fp{n}", {"alertname": "Zz", "service": "zz", "a": "b" * 99 + str(n)}, {}, NOON)
            for n in range(200)}  # fmt: skip
    group = replace(firing("a-1"), alerts=many)
    assert sum(len(alert.labels["a"]) for alert in many.values()) > SEARCHED
    await save(store, group)
    assert await found_by(store, "zz", "a-1") == ["a-1"]


async def test_a_search_follows_what_changed_and_confirms_no_secret(store: Store) -> None:
    await save(store, firing("a-1", token="hunter2hunter2"))
    assert await found_by(store, "hunter2") == []
    await save(store, firing("a-1", severity="critical", pod="late"))
    assert await found_by(store, "late", "critical") == ["a-1"]
    assert await found_by(store, "warning") == []


async def test_the_nastiest_text_is_searched(store: Store) -> None:
    odd = firing("a-1", **{"alertname": NASTY, NASTY: NASTY})
    await save(store, odd)
    assert await found_by(store, NASTY) == ["a-1"]
    assert await found_by(store, "drop table", "ТЕСТ", "{x}") == ["a-1"]


# Records: every figure counted by hand.


def _week() -> Iterator[Group]:
    errors = [firing(f"a-{n}", NOON + n * MINUTE) for n in range(5)]
    yield replace(over(errors[0], 10 * MINUTE, acked=2 * MINUTE), pages=True)
    yield over(errors[1], SHORT - SECOND)
    yield over(errors[2], SHORT)
    yield replace(errors[3], acked_at=errors[3].opened_at + 4 * MINUTE, pages=True)
    yield errors[4]
    yield over(firing("a-web", service="web"), 3 * MINUTE)
    yield over(firing("a-job", NOON, alertname="Stuck", service="", job="nightly"), 90 * MINUTE, acked=SECOND)
    yield firing("a-before", NOON - SECOND)
    yield firing("a-after", NOON + DAY)


async def test_records_of_rules_the_most_frequent_first(store: Store) -> None:
    await save(store, *_week())
    records = await store.read(lambda tx: tx.records(NOON, NOON + DAY))
    zero = timedelta()
    lasted = 10 * MINUTE + (SHORT - SECOND) + SHORT
    assert records == (
        RuleRecord("HighErrors", "api", 5, 3, lasted, 1, 2, 6 * MINUTE, 2),
        RuleRecord("HighErrors", "web", 1, 1, 3 * MINUTE, 1, 0, zero, 0),
        RuleRecord("Stuck", "nightly", 1, 1, 90 * MINUTE, 0, 1, SECOND, 0),
    )


async def test_no_groups_no_records(store: Store) -> None:
    await save(store, *_week())
    assert await store.read(lambda tx: tx.records(NOON - DAY, NOON - 2 * SECOND)) == ()
    assert await store.read(lambda tx: tx.records(NOON + DAY, NOON)) == ()


async def test_records_follow_a_group_as_it_changes(store: Store) -> None:
    group = firing("a-1")
    for state, resolved, lasted in ((group, 0, 0 * MINUTE), (over(group, MINUTE), 1, MINUTE)):
        await save(store, state)
        (record,) = await store.read(lambda tx: tx.records(NOON, NOON + DAY))
        assert (record.groups, record.resolved, record.lasted) == (1, resolved, lasted)


async def test_records_leave_out_what_an_earlier_version_stored_without_a_name(store: Store) -> None:
    await save(store, firing("a-1"), firing("a-2"))
    await store.write(lambda tx: tx._connection.execute("UPDATE groups SET name = '', words = '' WHERE id = 'a-1'", ()))
    records = await store.read(lambda tx: tx.records(NOON, NOON + DAY))
    assert [(record.name, record.groups) for record in records] == [("HighErrors", 1)]
    assert await found_by(store) == ["a-2", "a-1"], "and a search without words shows them still"


async def test_very_long_ages_are_added_up(store: Store) -> None:
    years = 365 * 40 * DAY
    made = [over(firing(f"a-{n}", NOON + n * SECOND), years, acked=years) for n in range(50)]
    await save(store, *made)
    (record,) = await store.read(lambda tx: tx.records(NOON, NOON + DAY))
    assert (record.lasted, record.ack_wait) == (50 * years, 50 * years)
