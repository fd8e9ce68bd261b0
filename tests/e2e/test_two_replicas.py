"""Two replicas on one real PostgreSQL: nothing lost, nothing twice, and one that is killed is replaced in time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import aiohttp
import pytest

from bot.domain.leases import TTL
from tests.department import OPS, Department, holds, until
from tests.postgres import Server
from tests.promises.alerts import fires, resolves
from tests.promises.releases import released
from tests.pult_fixtures import Make
from tests.pult_process import Pult, bearer
from tests.replicas import TAKEOVER, load, once, owned, settled, stand

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("store_url", ["postgresql"], indirect=True),
    pytest.mark.timeout(240),
]
Pair = tuple[Pult, Pult]
SLOW = pytest.mark.parametrize("department", [15], indirect=True)


@pytest.fixture
async def pair(make: Make) -> Pair:
    one, two = make(), make()
    await one.start()
    await two.start()
    await settled(one, two)
    return one, two


async def test_alerts_to_either_replica_are_delivered_once(pair: Pair, department: Department) -> None:
    names = [f"Alert{number:03d}" for number in range(20)]
    for number, name in enumerate(names):
        assert (await pair[number % 2].alert(fires(name))).status == 200
    await once(department, names)
    for number, name in enumerate(names):
        assert (await pair[1 - number % 2].alert(fires(name))).body["status"] == "duplicate"
        assert (await pair[1 - number % 2].alert(resolves(name))).status == 200
    for name in names:
        await department.shows(f"Resolved: {name}")
    await once(department, names)


@pytest.mark.alone
async def test_a_killed_owner_is_replaced_within_ten_seconds(pair: Pair, department: Department) -> None:
    for killed, left in (pair, pair[::-1]):
        await killed.kill()
        at = time.monotonic()
        names = [f"After{left.port}{number}" for number in range(8)]
        for name in names:
            assert (await left.alert(fires(name))).status == 200
        await once(department, names)
        await settled(left)
        took = time.monotonic() - at
        print(f"takeover {took:.1f} s")
        assert took < TAKEOVER
        await killed.start()
        await settled(*pair)


async def test_kills_under_load_lose_nothing_and_post_nothing_twice_on_slack(
    pair: Pair, department: Department
) -> None:
    kills = 4
    async with load(*pair) as sending:
        for turn in range(kills):
            await sending.reached(8)
            await pair[turn % 2].kill()
            await sending.reached(8)
            await pair[turn % 2].start()
        await sending.reached(8)
    found = await stand(department, sending.taken)
    twice = sum(telegram - 1 for _, telegram in found.values())
    print(f"{len(found)} alerts, {kills} kills, {sending.refused} refused, 0 lost, {twice} twice on Telegram")
    assert {slack for slack, _ in found.values()} == {1}
    assert twice <= kills


@pytest.mark.alone
async def test_a_rolling_update_loses_nothing_and_posts_nothing_twice(
    pair: Pair, make: Make, department: Department
) -> None:
    old, new = list(pair), [make(), make()]
    async with load(*pair, *new) as sending:
        for leaving, coming in zip(old, new, strict=True):
            await sending.reached(5)
            await coming.start()
            held = await owned(leaving)
            assert await leaving.stop() == 0
            at = time.monotonic()
            others = [each for each in (*old, *new) if each.process and each.process.returncode is None]
            await settled(*others)
            took = time.monotonic() - at
            print(f"{len(held)} leases owned again {took:.1f} s after their owner's exit")
            assert took < TTL.total_seconds() / 2, "they need not run out"
        await sending.reached(5)
    await once(department, sending.taken)


async def test_postgresql_restarted_under_load_loses_nothing(
    pair: Pair, department: Department, postgres_server: Server
) -> None:
    async with load(*pair) as sending:
        for _ in range(2):
            await sending.reached(8)
            await asyncio.to_thread(postgres_server.stop)
            try:
                await asyncio.sleep(1)
            finally:
                await asyncio.to_thread(postgres_server.start)
        await sending.reached(8)
    print(f"{len(sending.taken)} alerts, {sending.refused} refused")
    await once(department, sending.taken)
    await settled(*pair)


async def test_what_a_killed_replica_was_asked_is_answered_once_by_the_other(
    pair: Pair, department: Department
) -> None:
    await department.fault("slow", "prometheus", delay=4)
    await department.telegram("say", user=1001, text="/slo api")
    await until("the question was not taken", lambda: _stored(pair[0], 1))
    ((owner,),) = pair[0].rows("SELECT owner FROM requests")
    ((name,),) = pair[0].rows(f"SELECT name FROM replicas WHERE boot = '{owner}'")
    asked = next(each for each in pair if name.endswith(f":{each.port}"))
    await asked.kill()
    await department.recovers()
    await until("it is not answered", lambda: _answers(department))
    (left,) = (each for each in pair if each is not asked)
    await left.settles()
    assert len(await _answers(department)) == 1


async def test_telegram_is_polled_by_one_and_handed_over(pair: Pair, department: Department) -> None:
    for _ in range(2):
        (owner,) = [each for each in pair if "telegram" in await owned(each)]
        (left,) = (each for each in pair if each is not owner)
        await owner.stop()
        await settled(left)
        await department.telegram("say", user=1001, text="/whoami")
        await until("nobody answers", lambda: department.telegram_messages(1001, "anna"))
        await owner.start()
        await settled(*pair)
    conflicts = [line for each in pair for line in each.logged() if "terminated by other" in str(line)]
    assert conflicts == []


@pytest.mark.alone
@SLOW
async def test_an_operation_goes_on_where_its_replica_was_killed(pair: Pair, department: Department) -> None:
    await released(pair[0], "api", "1.8.0")
    before = department.deployment("api")["metadata"]["generation"]
    ident = await pair[0].proposed("anna", "promote api 1.8.0")
    assert (await pair[1].ask("boris", f"approve {ident}"))["ok"]
    await until("it does not change the image", lambda: _patched(department))
    await pair[1].kill()
    at = time.monotonic()
    await until("it is not resumed", lambda: _resumed(pair[0]))
    print(f"resumed after {time.monotonic() - at:.1f} s")
    assert time.monotonic() - at < TAKEOVER + 2
    await pair[0].becomes(ident, "succeeded")
    assert department.deployment("api")["metadata"]["generation"] == before + 1
    assert department.patches("api") == 1
    await department.slack_shows("succeeded", OPS)
    assert [entry["result"] for entry in await pair[0].audited()] == ["proposed", "approved", "running", "succeeded"]


@SLOW
async def test_an_operation_whose_replica_is_stopped_is_taken_up_at_once(pair: Pair, department: Department) -> None:
    before = department.deployment("worker")["metadata"]["generation"]
    ident = await pair[0].proposed("anna", "restart worker")
    assert (await pair[1].ask("anna", f"approve {ident}"))["ok"]
    await until("it does not begin", lambda: _restarted(department, before))
    assert await pair[1].stop() == 0
    await pair[0].becomes(ident, "succeeded")
    assert department.deployment("worker")["metadata"]["generation"] == before + 1


async def test_a_choice_made_at_the_other_replica_reaches_the_paused_operation(
    pair: Pair, department: Department
) -> None:
    await released(pair[0], "api", "1.8.0")
    ident = await pair[0].proposed("anna", "promote api 1.8.0")
    department.cluster("nyc2").deny("patch", "deployments")
    assert (await pair[0].ask("boris", f"approve {ident}"))["ok"]
    await pair[1].becomes(ident, "paused")
    department.cluster("nyc2").denials.clear()
    assert (await pair[1].ask("anna", f"resume {ident} retry"))["ok"]
    await pair[1].becomes(ident, "succeeded")


async def test_pages_at_either_replica_see_what_either_was_told(pair: Pair, department: Department) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(_page(each)) for each in pair]
        for name, told in zip(("Left", "Right"), pair, strict=True):
            assert (await told.alert(fires(name))).status == 200
            for page in pages:
                await _reads(page, name)
    await once(department, ["Left", "Right"])


def _page(pult: Pult) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
    return pult.department.session.ws_connect(f"{pult.url}/api/console", headers=bearer("token-anna"))


async def _reads(page: aiohttp.ClientWebSocketResponse, name: str) -> None:
    """A card of that name comes."""
    async with asyncio.timeout(30):
        async for message in page:
            told = message.json()
            if told["type"] == "card" and name in message.data:
                return
    raise AssertionError(f"{name} was not shown")


async def _stored(pult: Pult, count: int) -> bool:
    return pult.count("requests") >= count


async def _answers(department: Department) -> list[dict]:
    return [m for m in await department.telegram_messages(1001) if holds(m, "availability")]


async def _patched(department: Department) -> bool:
    return department.patches("api") > 0


async def _restarted(department: Department, before: int) -> bool:
    return bool(department.deployment("worker")["metadata"]["generation"] > before)


async def _resumed(pult: Pult) -> bool:
    return any(line["event"] == "resuming" for line in pult.logged())
