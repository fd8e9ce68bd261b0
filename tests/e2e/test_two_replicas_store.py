"""Two replicas, and the region of their own store burns: its standby is promoted while alerts and an operation run."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.department import Department, until
from tests.postgres_standby import Pair
from tests.promises.alerts import resolves
from tests.promises.releases import released
from tests.pult_fixtures import Make
from tests.replicas import load, settled, stand

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]


@pytest.fixture
def store_url(standby_pair: Pair) -> str:
    return standby_pair.url


@pytest.mark.alone
@pytest.mark.parametrize("department", [15], indirect=True)
async def test_both_go_on_with_the_promoted_standby(make: Make, department: Department, standby_pair: Pair) -> None:
    pair = make(), make()
    for each in pair:
        await each.start()
    await settled(*pair)
    await released(pair[0], "api", "1.8.0")
    before = department.deployment("api")["metadata"]["generation"]
    ident = await pair[0].proposed("anna", "promote api 1.8.0")
    async with load(*pair) as sending:
        await sending.reached(8)
        assert (await pair[1].ask("boris", f"approve {ident}"))["ok"]
        await until("it does not change the image", lambda: _patched(department))
        await asyncio.to_thread(standby_pair.burn)
        await asyncio.sleep(2)
        await asyncio.to_thread(standby_pair.promote)
        at = time.monotonic()
        await sending.reached(1)
        took = time.monotonic() - at
        await sending.reached(8)
    found = await stand(department, sending.taken)
    print(f"accepted {took:.1f} s after the promotion; {len(found)} alerts, {sending.refused} refused, 0 lost")
    assert took < 10
    assert set(found.values()) == {(1, 1)}
    await settled(*pair)
    await pair[0].becomes(ident, "succeeded")
    assert department.deployment("api")["metadata"]["generation"] == before + 1
    assert (await pair[1].alert(resolves(sending.taken[0]))).status == 200
    await department.shows(f"Resolved: {sending.taken[0]}")


async def _patched(department: Department) -> bool:
    return department.patches("api") > 0
