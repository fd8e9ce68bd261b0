"""What is forgotten, and what must never be, on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.cards import Priority, Ref, Wish
from bot.domain.messages import Message
from bot.domain.oncall import Shift
from bot.domain.phrases import verbatim
from bot.domain.storms import Storm
from bot.ports.store import Store, Tx
from tests.contracts.samples import (
    INC,
    MINUTE,
    NASTY,
    NOON,
    OPS,
    SECOND,
    approved,
    deed,
    event,
    group,
    operation,
    release,
    request,
    wish,
)

DAY = timedelta(days=1)
OLD = NOON - 10 * DAY
TABLES = ("events", "groups", "cards", "messages", "requests", "overrides", "storms", "gathered")


async def rows(store: Store, table: str) -> int:
    return await store.read(lambda tx: tx._connection.execute(f"SELECT count(*) FROM {table}", ()).fetchall()[0][0])


async def forget(store: Store, limit: int = 100) -> int:
    """Until there is no more; how many rows went."""
    went = 0
    for _ in range(1_000):
        pruned = await store.write(lambda tx: tx.forget(NOON, limit))
        went += pruned.rows
        if not pruned.more:
            return went
    raise AssertionError("it never ends")


def shown(tx: Tx, subject: str, where: str = OPS, at=OLD) -> None:
    """A card that was posted *at* then."""
    tx.show(wish(subject, where), at)
    (card,) = [each for each in tx.cards_of(subject) if each.place.destination == where]
    tx.shown(card, Ref("C", "1"), at)


def a_past(tx: Tx, count: int = 5) -> None:
    """*count* of everything that is over: each group with two cards, each answer with its message."""
    for n in range(count):
        tx.put_event(replace(event(f"e{n}", key=f"k{n}"), received_at=OLD + n * SECOND))
        tx.save_group(replace(group(f"a-{n}", key=f"k{n}", opened=OLD), closed_at=OLD + n * MINUTE))
        for where in (OPS, INC):
            shown(tx, f"alert:a-{n}", where)
        tx.put_request(request(f"slack:Ev{n}", OLD))
        tx.answered(f"slack:Ev{n}", OLD)
        tx.put_message(f"reply:slack:Ev{n}", Message(verbatim(NASTY)))
        shown(tx, f"reply:slack:Ev{n}")
        tx.add_override(Shift("anna", OLD, OLD + (n + 1) * MINUTE))
        tx.save_storm(Storm(f"st-{n}", OPS, OLD, OLD, closed_at=OLD + MINUTE))
        shown(tx, f"storm:st-{n}")
        tx.gather(f"st-{n}", group(f"a-{n}"))
        tx.gather(f"st-{n}", group(f"a-{n}-other"))


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_all_that_is_over_and_old_goes_in_bounded_steps(store: Store, limit: int) -> None:
    await store.write(a_past)
    before = {table: await rows(store, table) for table in TABLES}
    assert before == dict(zip(TABLES, (5, 5, 20, 5, 5, 5, 5, 10), strict=True))
    went = 0
    while True:
        pruned = await store.write(lambda tx: tx.forget(NOON, limit))
        after = {table: await rows(store, table) for table in TABLES}
        step = {table: before[table] - after[table] for table in TABLES}
        assert all(count <= (3 * limit if table == "cards" else limit) for table, count in step.items())
        assert pruned.rows == sum(step.values())
        went, before = went + pruned.rows, after
        if not pruned.more:
            break
    assert went == 60
    assert set(before.values()) == {0}
    assert await store.write(lambda tx: tx.forget(NOON, limit)) == (0, False)


async def test_what_is_young_stays(store: Store) -> None:
    await store.write(a_past)
    pruned = await store.write(lambda tx: tx.forget(OLD, 100))
    assert pruned == (0, False)
    assert await rows(store, "cards") == 20


async def test_the_time_is_that_of_the_end(store: Store) -> None:
    """Not that of the beginning: a group that burned for weeks is remembered from when it was over."""
    lasting = replace(group("a-1", opened=OLD), closed_at=NOON)
    await store.write(lambda tx: (tx.save_group(lasting), tx.add_override(Shift("anna", OLD, NOON))))
    assert await forget(store) == 0
    await store.write(lambda tx: tx.save_group(replace(lasting, closed_at=NOON - SECOND)))
    assert await forget(store) == 1


async def test_an_open_group_and_its_cards_stay(store: Store) -> None:
    still = group("a-1", opened=OLD)
    await store.write(lambda tx: (tx.save_group(still), shown(tx, "alert:a-1")))
    assert await forget(store) == 0
    assert await store.read(lambda tx: tx.open_groups()) == (still,)


async def test_the_cards_of_a_group_that_is_remembered_stay(store: Store) -> None:
    """Else its next change would be a second message and not an edit."""
    young = replace(group("a-1", opened=OLD), closed_at=NOON + MINUTE)
    await store.write(lambda tx: (tx.save_group(young), shown(tx, "alert:a-1")))
    assert await forget(store) == 0


async def test_a_card_that_is_due_stays_and_its_group_with_it(store: Store) -> None:
    """However long its destination has been away: it has yet to be told."""
    late = replace(group("a-1", opened=OLD), closed_at=OLD)
    await store.write(lambda tx: (tx.save_group(late), shown(tx, "alert:a-1", INC), tx.show(wish("alert:a-1"), OLD)))
    await store.write(lambda tx: (tx.put_message("notice:n", Message(verbatim("x"))), tx.show(wish("notice:n"), OLD)))
    assert await forget(store) == 0
    assert await store.read(lambda tx: (tx.group("a-1"), tx.message("notice:n") is not None)) == (late, True)
    for subject in ("alert:a-1", "notice:n"):
        cards = await store.read(lambda tx, subject=subject: tx.cards_of(subject))
        late_card = next(card for card in cards if card.ref is None)
        await store.write(lambda tx, card=late_card: tx.shown(card, Ref("C", "2"), NOON - SECOND))
    assert await forget(store) == 5
    assert await store.read(lambda tx: (tx.group("a-1"), tx.message("notice:n"))) == (None, None)


async def test_a_buried_card_is_over(store: Store) -> None:
    await store.write(lambda tx: (tx.put_message("reply:r", Message(verbatim("x"))), tx.show(wish("reply:r"), OLD)))
    (card,) = await store.read(lambda tx: tx.cards_of("reply:r"))
    await store.write(lambda tx: tx.bury(card, "channel is archived"))
    assert await forget(store) == 2


async def test_a_message_stays_while_any_of_its_cards_does(store: Store) -> None:
    await store.write(lambda tx: tx.put_message("notice:n", Message(verbatim("x"))))
    await store.write(lambda tx: (shown(tx, "notice:n"), shown(tx, "notice:n", INC, at=NOON)))
    assert await forget(store, limit=1) == 1
    assert await store.read(lambda tx: tx.message("notice:n")) == Message(verbatim("x"))
    assert [card.place.destination for card in await store.read(lambda tx: tx.cards_of("notice:n"))] == [INC]


async def test_a_message_without_a_card_is_left_alone(store: Store) -> None:
    await store.write(lambda tx: tx.put_message("reply:r", Message(verbatim("x"))))
    assert await forget(store) == 0


async def test_operations_approvals_audit_and_releases_stay(store: Store) -> None:
    old = approved("boris", operation("op-1", OLD))
    told = release(at=OLD)

    def record(tx: Tx) -> None:
        tx.save_operation(old)
        shown(tx, "op:op-1")
        tx.append(deed())
        tx.save_release(told)
        tx.put_mark("watchdog", OLD)
        tx.set_timer("ack", "a-1", OLD)

    await store.write(record)
    assert await forget(store) == 0
    kept = await store.read(
        lambda tx: (tx.operation("op-1"), len(tx.cards_of("op:op-1")), len(tuple(tx.entries())), tx.releases())
    )
    assert kept == (old, 1, 1, (told,))
    assert await rows(store, "approvals") == 1


async def test_a_request_nobody_answered_stays(store: Store) -> None:
    await store.write(lambda tx: tx.put_request(request("slack:Ev1", OLD)))
    assert await forget(store) == 0
    await store.write(lambda tx: tx.answered("slack:Ev1", NOON))
    assert await forget(store) == 0, "since when it was answered counts"


async def test_a_storm_that_rages_or_calmed_lately_stays_with_all_it_gathered(store: Store) -> None:
    raging, calm = Storm("st-1", OPS, OLD, OLD), Storm("st-2", INC, OLD, OLD, closed_at=NOON)

    def record(tx: Tx) -> None:
        for storm in (raging, calm):
            tx.save_storm(storm)
            tx.gather(storm.id, group())
            shown(tx, f"storm:{storm.id}", storm.destination)

    await store.write(record)
    assert await forget(store) == 0
    await store.write(lambda tx: tx.save_storm(replace(calm, closed_at=OLD)))
    assert await forget(store) == 3
    assert await store.read(lambda tx: (tx.storm("st-1"), len(tx.gathered("st-1")))) == (raging, 1)


async def test_a_storm_waits_for_its_own_card(store: Store) -> None:
    calm = Storm("st-1", OPS, OLD, OLD, closed_at=OLD)
    await store.write(lambda tx: (tx.save_storm(calm), tx.show(Wish("storm:st-1", wish().place, Priority.PAGE), OLD)))
    assert await forget(store) == 0
    assert await store.read(lambda tx: tx.storm("st-1")) == calm


async def test_groups_that_must_stay_do_not_keep_others(store: Store) -> None:
    """Though they are the oldest, and more than one call looks for."""

    def record(tx: Tx) -> None:
        for n in range(6):
            tx.save_group(replace(group(f"a-{n}", key=f"k{n}", opened=OLD), closed_at=OLD + n * SECOND))
            if n < 4:
                tx.show(wish(f"alert:a-{n}"), OLD)
            else:
                shown(tx, f"alert:a-{n}")

    await store.write(record)
    assert await forget(store, limit=1) == 4
    assert await rows(store, "groups") == await rows(store, "cards") == 4


async def test_a_group_that_gets_a_forgotten_ones_id_is_posted_anew(store: Store) -> None:
    old = replace(group("a-1", opened=OLD), closed_at=OLD)
    await store.write(lambda tx: (tx.save_group(old), [shown(tx, "alert:a-1", where) for where in (OPS, INC)]))
    await store.write(lambda tx: tx.forget(NOON, 1))
    await store.write(lambda tx: (tx.save_group(group("a-1")), tx.show(wish("alert:a-1"), NOON)))
    card = await store.read(lambda tx: tx.due(OPS, NOON))
    assert card is not None
    assert card.ref is None
