"""Transactions: what is committed together, what fails alone, and who hears of it, on every store."""

import asyncio
import threading

import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.domain.audit import verify
from bot.domain.cards import Ref
from bot.domain.errors import UnavailableError, UserError
from tests.contracts.samples import INC, MINUTE, NOON, OPS, deed, event, group, wish


class OddError(BaseException):
    """Passes every ``except Exception``."""


async def together(store: SqlStore, *works):
    """All *works* in one group commit: they queue up while an earlier one holds the writer. Of two stores one does."""
    store = getattr(store, "writing", store)
    held, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(tx):
        loop.call_soon_threadsafe(held.set)
        go.wait(10)

    first = asyncio.create_task(store.write(hold))
    await held.wait()
    rest = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*rest, return_exceptions=True)
    await first
    return results


async def test_many_at_once_are_all_committed_in_order(store: SqlStore) -> None:
    def numbered(number):
        return lambda tx: tx.append(deed(str(number))).number

    assert await together(store, *[numbered(n) for n in range(600)]) == list(range(1, 601))
    entries = await store.read(lambda tx: tuple(tx.entries()))
    assert [entry.deed.target for entry in entries] == [str(n) for n in range(600)]
    verify(entries)


async def test_one_that_fails_takes_no_other_with_it(store: SqlStore) -> None:
    refusal = UserError("You can't.")

    def fails(tx):
        tx.append(deed("never"))
        tx.save_group(group("a-bad"))
        raise refusal

    works = [lambda tx, n=n: tx.append(deed(str(n))).number for n in range(20)]
    works.insert(7, fails)
    results = await together(store, *works)
    assert results.pop(7) is refusal
    assert results == list(range(1, 21))
    entries = await store.read(lambda tx: tuple(tx.entries()))
    assert [entry.deed.target for entry in entries] == [str(n) for n in range(20)]
    verify(entries)
    assert await store.read(lambda tx: tx.group("a-bad")) is None


async def test_a_broken_constraint_fails_alone_too(store: SqlStore) -> None:
    results = await together(
        store,
        lambda tx: tx.save_group(group("a-1")),
        lambda tx: tx.save_group(group("a-2")),  # the same key and episode
        lambda tx: tx.save_group(group("a-3", key="other")),
    )
    assert [type(result) for result in results] == [type(None), type(results[1]), type(None)]
    assert "unique" in str(results[1]).lower()
    assert await store.read(lambda tx: [each.id for each in tx.open_groups()]) == ["a-1", "a-3"]


async def test_each_sees_what_those_before_it_wrote(store: SqlStore) -> None:
    put = [lambda tx, name=name: tx.put_event(event(name, key="same")) for name in ("e1", "e2", "e3")]
    assert await together(store, *put) == [True, False, False]


@pytest.mark.parametrize("error", [StopIteration, TimeoutError, OddError], ids=lambda error: error.__name__)
async def test_the_writer_survives_whatever_work_raises(store: SqlStore, error: type[BaseException]) -> None:
    def fails(tx):
        raise error

    (raised, result) = await together(store, fails, lambda tx: 1)
    assert isinstance(raised, RuntimeError if error is StopIteration else error)
    assert result == 1
    assert await store.write(lambda tx: 2) == 2


async def test_reads_see_only_what_is_committed_and_change_nothing(store: SqlStore) -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(tx):
        tx.save_group(group())
        inside.set()
        go.wait(10)

    writing = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(inside.wait, 10)
    assert await store.read(lambda tx: tx.group("a-7k2f")) is None
    go.set()
    await writing
    assert await store.read(lambda tx: tx.group("a-7k2f")) == group()
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await store.read(lambda tx: tx.save_group(group("a-2", key="k2")))
    assert await store.read(lambda tx: tx.group("a-2")) is None


async def test_a_read_is_one_snapshot(store: SqlStore) -> None:
    looked, go = threading.Event(), threading.Event()

    def look_twice(tx):
        before = tx.group("a-7k2f")
        looked.set()
        go.wait(10)
        return before, tx.group("a-7k2f")

    reading = asyncio.create_task(store.read(look_twice))
    await asyncio.to_thread(looked.wait, 10)
    await store.write(lambda tx: tx.save_group(group()))
    go.set()
    assert await reading == (None, None)


async def test_hearers_learn_of_touched_destinations_once_per_commit(store: SqlStore) -> None:
    heard: list[frozenset[str]] = []
    store.on_commit(heard.append)
    await together(store, lambda tx: tx.show(wish(), NOON), lambda tx: tx.show(wish(where=INC), NOON))
    assert heard == [{OPS, INC}]
    card = await store.read(lambda tx: tx.due(OPS, NOON))
    heard.clear()
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON))
    await store.write(lambda tx: tx.postpone(card, NOON + MINUTE, "429"))
    await store.write(lambda tx: tx.lose(card))
    assert heard == [{OPS, INC}, {OPS}, {OPS}]
    heard.clear()
    await store.write(lambda tx: tx.shown(card, Ref("c", "1"), NOON))
    await store.write(lambda tx: tx.bury(card, "why"))
    await store.write(lambda tx: tx.bump("alert:nowhere", NOON))
    assert heard == []


async def test_hearers_learn_nothing_of_what_was_rolled_back(store: SqlStore) -> None:
    heard: list[frozenset[str]] = []
    store.on_commit(heard.append)

    def fails(tx):
        tx.show(wish(), NOON)
        raise KeyError

    await together(store, fails, lambda tx: tx.show(wish(where=INC), NOON))
    assert heard == [{INC}]


async def test_hearers_hear_before_the_writer_goes_on(store: SqlStore) -> None:
    order: list[str] = []
    store.on_commit(lambda touched: order.append("heard"))
    await store.write(lambda tx: tx.show(wish(), NOON))
    order.append("written")
    assert order == ["heard", "written"]


async def test_a_hearer_that_fails_keeps_nobody_waiting(store: SqlStore) -> None:
    failures: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    def fails(touched):
        raise ValueError

    store.on_commit(fails)
    await store.write(lambda tx: tx.show(wish(), NOON))
    assert isinstance(failures[0]["exception"], ValueError)


async def test_closing_commits_what_is_queued_and_takes_no_more(store_url: str) -> None:
    async with open_store(store_url) as store:
        queued = [asyncio.create_task(store.write(lambda tx, n=n: tx.append(deed(str(n))))) for n in range(50)]
        await asyncio.sleep(0)
    assert len([await task for task in queued]) == 50
    with pytest.raises(UnavailableError):
        await store.write(lambda tx: None)
    with pytest.raises(UnavailableError):
        await store.read(lambda tx: None)
    async with open_store(store_url) as again:
        assert len(await again.read(lambda tx: tuple(tx.entries()))) == 50


async def test_what_was_given_up_before_its_turn_is_not_done(store: SqlStore) -> None:
    inside, go = threading.Event(), threading.Event()

    def hold(tx):
        inside.set()
        go.wait(10)

    first = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(inside.wait, 10)
    given_up = asyncio.create_task(store.write(lambda tx: tx.append(deed())))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    go.set()
    await first
    await store.ping()
    assert await store.read(lambda tx: tuple(tx.entries())) == ()


async def test_past_its_deadline_a_write_is_unavailable(store_url: str) -> None:
    go = threading.Event()
    async with open_store(store_url, deadline=0.05) as store:
        with pytest.raises(UnavailableError, match="in time"):
            await store.write(lambda tx: go.wait(10))
        with pytest.raises(UnavailableError, match="in time"):
            await store.read(lambda tx: go.wait(10))
        go.set()
