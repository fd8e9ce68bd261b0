"""Requests, operations and the audit chain, on every store."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from bot.adapters.sql import SqlStore
from bot.adapters.sql.database import Line
from bot.adapters.sql.opening import database_at
from bot.domain.audit import GENESIS, BrokenChainError, verify
from bot.domain.operations import State
from bot.domain.phrases import verbatim
from bot.ports.store import Store
from tests.contracts.samples import MINUTE, NASTY, NOON, approved, deed, operation, request


async def test_a_request_is_known_from_then_on(store: Store) -> None:
    assert await store.write(lambda tx: tx.put_request(request()))
    assert not await store.write(lambda tx: tx.put_request(replace(request(), text="again")))
    assert await store.write(lambda tx: tx.take_over("b1")) == (request(),)


async def test_unanswered_requests_wait_in_order_until_answered(store: Store) -> None:
    asked = [request(f"slack:Ev{n}", NOON + n * MINUTE) for n in (2, 1, 3)]
    await store.write(lambda tx: [tx.put_request(each) for each in asked])
    await store.write(lambda tx: tx.answered("slack:Ev1", NOON + MINUTE))
    await store.write(lambda tx: tx.answered("slack:never-heard", NOON))
    assert await store.write(lambda tx: tx.take_over("b1")) == (asked[0], asked[2])
    assert not await store.write(lambda tx: tx.put_request(asked[1]))


async def test_an_operation_comes_back_equal_and_leaves_the_live_ones_when_final(store: Store) -> None:
    first, second = operation("op-1"), operation("op-2", NOON + MINUTE)
    await store.write(lambda tx: [tx.save_operation(each) for each in (second, first)])
    assert await store.read(lambda tx: tx.live_operations()) == (first, second)
    done = replace(approved("boris", first), state=State.SUCCEEDED, result=verbatim(NASTY))
    await store.write(lambda tx: tx.save_operation(done))
    assert await store.read(lambda tx: (tx.operation("op-1"), tx.operation("op-3"))) == (done, None)
    assert await store.read(lambda tx: tx.live_operations()) == (second,)
    assert await store.read(lambda tx: tx.recent_operations(5)) == (second, done)
    assert await store.read(lambda tx: tx.recent_operations(1)) == (second,)


async def test_approvals_stand_in_a_table_of_their_own(store: Store, store_url: str) -> None:
    asked = approved("boris", operation())
    await store.write(lambda tx: tx.save_operation(asked))
    await store.write(lambda tx: tx.save_operation(approved("chen", asked)))
    rows = _query(store_url, "SELECT operation, person, verdict, plan_hash, platform, reason FROM approvals ORDER BY 2")
    expected = [("op-41c9", name, "approve", asked.plan.hash, "telegram", "looks right") for name in ("boris", "chen")]
    assert rows == expected


async def test_deeds_are_chained_within_and_across_transactions(store: Store) -> None:
    first, second = await store.write(lambda tx: (tx.append(deed("a")), tx.append(deed("b"))))
    third = await store.write(lambda tx: tx.append(deed("c", detail=NASTY)))
    assert [entry.number for entry in (first, second, third)] == [1, 2, 3]
    assert [entry.previous for entry in (first, second, third)] == [GENESIS, first.hash, second.hash]
    entries = await store.read(lambda tx: tuple(tx.entries()))
    assert entries == (first, second, third)
    assert verify(entries) == third.hash


async def test_a_rolled_back_deed_leaves_no_gap(store: Store) -> None:
    def fails(tx):
        tx.append(deed("never"))
        raise LookupError

    await store.write(lambda tx: tx.append(deed("a")))
    with pytest.raises(LookupError):
        await store.write(fails)
    await store.write(lambda tx: tx.append(deed("b")))
    entries = await store.read(lambda tx: tuple(tx.entries()))
    assert [entry.deed.target for entry in entries] == ["a", "b"]
    verify(entries)


async def test_a_deed_is_sealed_as_it_is_read_back(store: Store) -> None:
    elsewhere = replace(deed(), at=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))
    sealed = await store.write(lambda tx: tx.append(elsewhere))
    entries = await store.read(lambda tx: tuple(tx.entries()))
    assert entries == (sealed,)
    assert verify(entries) == sealed.hash


async def test_entries_are_read_in_pages(store: Store) -> None:
    await store.write(lambda tx: [tx.append(deed(str(n))) for n in range(1, 8)])
    page = await store.read(lambda tx: tuple(tx.entries(first=3, limit=2)))
    assert [entry.deed.target for entry in page] == ["3", "4"]


async def test_entries_are_found_by_what_they_contain(store: Store) -> None:
    told = [deed("api/production"), deed("web", person="Boris"), deed("x", detail="100% of api_v1"), deed("bots")]
    await store.write(lambda tx: [tx.append(each) for each in told])

    async def found(text: str, limit: int = 9) -> list[int]:
        return [entry.number for entry in await store.read(lambda tx: tx.latest_entries(text, limit))]

    assert await found("api") == [3, 1]
    assert await found("api", limit=1) == [3]
    assert await found("BORIS") == [2]
    assert await found("0% o") == await found("api_v") == [3]
    assert await found("a_i") == await found("\\") == []
    assert await found("") == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE audit SET result = 'refused' WHERE number = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE number = 1) WHERE number = 2", 2),
        ("UPDATE audit SET number = CASE number WHEN 4 THEN 40 ELSE number END", 4),
    ],
)
async def test_tampering_breaks_the_chain(store: Store, store_url: str, tampering: str, broken_at: int) -> None:
    await store.write(lambda tx: [tx.append(deed(str(n))) for n in range(5)])
    _query(store_url, tampering)
    entries = await store.read(lambda tx: tuple(tx.entries()))
    with pytest.raises(BrokenChainError) as caught:
        verify(entries)
    assert caught.value.number == broken_at


async def test_the_end_cut_off_shows_against_a_noted_head(store: Store, store_url: str) -> None:
    entries = await store.write(lambda tx: [tx.append(deed(str(n))) for n in range(3)])
    _query(store_url, "DELETE FROM audit WHERE number = 3")
    left = await store.read(lambda tx: tuple(tx.entries()))
    assert verify(left) == entries[1].hash
    with pytest.raises(BrokenChainError):
        verify(left, head=entries[2].hash)


async def test_ping_commits(store: SqlStore, store_url: str) -> None:
    await store.ping()
    await store.ping()
    assert _query(store_url, "SELECT beats FROM pulse") == [(2,)]


def _query(url: str, sql: str) -> list[tuple]:
    """By hand, as somebody with access to the database would."""

    def work(tx):
        cursor = tx._connection.execute(sql, ())
        return [tuple(row) for row in cursor.fetchall()] if sql.startswith("SELECT") else []

    line = Line(database_at(url))
    try:
        return line.run(work)
    finally:
        line.close()
