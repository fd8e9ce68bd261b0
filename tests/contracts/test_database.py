"""What every replicated database does for a move, there and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.errors import TemporaryError, UserError
from bot.ports.regions import Replication
from tests.contracts.databases import OPEN, Pair
from tests.department import until


@pytest.fixture(params=OPEN)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    async with OPEN[request.param](tmp_path) as opened:
        yield opened


async def promoted(pair: Pair, way: object) -> Replication:
    async def look() -> Replication | None:
        now = await pair.database.replication(way)
        return now if now.promoted else None

    return await until("it is not promoted", look)


async def following(pair: Pair, way: object) -> Replication:
    async def look() -> Replication | None:
        now = await pair.database.replication(way)
        return now if now.lag is not None and not now.promoted else None

    return await until("it does not follow", look)


async def test_a_healthy_pair(pair: Pair) -> None:
    now = await following(pair, pair.way)
    assert (now.promoted, now.fenced, now.reachable) == (False, False, True)
    assert now.lag < 60
    assert now.primary
    assert now.standby
    assert await pair.database.beats(pair.way.source)
    assert await pair.writers() == {pair.way.source}


async def test_seen_from_the_other_side_nothing_follows_and_nothing_is_promoted_by_us(pair: Pair) -> None:
    """The way back before there was a way there: its target has the primary already, and no standby of anybody."""
    now = await pair.database.replication(pair.way.back)
    assert now.lag is None
    assert not now.fenced or now.promoted


async def test_a_fence_stands_and_may_be_repeated(pair: Pair) -> None:
    for _ in range(2):
        await pair.database.fence(pair.way)
        await until("the fence is not seen", lambda: _fenced(pair))
        assert await pair.writers() == set()


async def test_a_fence_is_taken_away_again(pair: Pair) -> None:
    await pair.database.fence(pair.way)
    await until("the fence is not seen", lambda: _fenced(pair))
    for _ in range(2):
        await pair.database.unfence(pair.way)
        await until("the primary takes no writes", lambda: _writes(pair, {pair.way.source}))
    assert not (await pair.database.replication(pair.way)).fenced
    await following(pair, pair.way)


async def test_a_promotion_is_seen_when_it_is_done_and_may_be_repeated(pair: Pair) -> None:
    await following(pair, pair.way)
    await pair.database.fence(pair.way)
    await until("the fence is not seen", lambda: _fenced(pair))
    await pair.database.promote(pair.way)
    await pair.database.promote(pair.way)
    now = await promoted(pair, pair.way)
    await pair.database.promote(pair.way)
    assert now.fenced
    await until("the new primary takes no writes", lambda: _writes(pair, {pair.way.target}))


async def test_once_promoted_the_fence_stays(pair: Pair) -> None:
    await _moved(pair)
    with pytest.raises(UserError):
        await pair.database.unfence(pair.way)
    assert await pair.writers() == {pair.way.target}


async def test_services_are_told_where_each_regions_server_is(pair: Pair) -> None:
    before = [await pair.database.address(region) for region in (pair.way.source, pair.way.target)]
    assert len(set(before)) == 2
    assert all(host and port.isdecimal() for host, _, port in (each.rpartition(":") for each in before))
    await _moved(pair)
    assert await pair.database.address(pair.way.target) == before[1]


async def test_the_way_back_begins_with_a_standby_of_the_new_primary(pair: Pair) -> None:
    await _moved(pair)
    back = pair.way.back
    before = await pair.database.replication(back)
    assert (before.promoted, before.lag) == (False, None)
    for _ in range(2):
        await pair.database.rejoin(back)
        now = await following(pair, back)
        assert not now.promoted
        assert await pair.writers() == {pair.way.target}


async def test_there_and_back_with_one_writer_at_any_time(pair: Pair) -> None:
    await _moved(pair)
    back = pair.way.back
    await pair.database.rejoin(back)
    await following(pair, back)
    await pair.database.fence(back)
    await until("the fence is not seen", lambda: _fenced(pair, back))
    assert await pair.writers() == set()
    await pair.database.promote(back)
    now = await promoted(pair, back)
    assert now.fenced
    await until("the old region takes no writes", lambda: _writes(pair, {pair.way.source}))
    assert await pair.database.beats(pair.way.source)
    host, _, port = (await pair.database.address(pair.way.source)).rpartition(":")
    assert host
    assert port.isdecimal()


async def test_what_has_no_standby_is_not_promoted(pair: Pair) -> None:
    await _moved(pair)
    with pytest.raises(UserError):
        await pair.database.promote(pair.way.back)
    assert await pair.writers() == {pair.way.target}


async def test_what_can_t_be_reached_is_not_known(pair: Pair) -> None:
    for ask in (pair.dead.replication, pair.dead.fence, pair.dead.promote):
        with pytest.raises(TemporaryError):
            await ask(pair.way)


async def _moved(pair: Pair) -> None:
    await following(pair, pair.way)
    await pair.database.fence(pair.way)
    await until("the fence is not seen", lambda: _fenced(pair))
    await pair.database.promote(pair.way)
    await promoted(pair, pair.way)
    await until("the new primary takes no writes", lambda: _writes(pair, {pair.way.target}))


async def _fenced(pair: Pair, way: object = None) -> bool:
    return (await pair.database.replication(way or pair.way)).fenced


async def _writes(pair: Pair, regions: set[str]) -> bool:
    return await pair.writers() == regions
