"""A critical that nobody takes wakes a paging provider, and the provider hears how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.department import until
from tests.platforms.pager_setup import SECRET, Provider, provider
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult


@pytest.fixture
def fresh() -> bool:
    return False


@pytest.fixture
async def there() -> AsyncIterator[Provider]:
    async with AsyncExitStack() as stack:
        yield await provider(stack)


async def started(make: Make, there: Provider) -> Pult:
    oncall = {"rotation": ["anna"], "levels": [["webhook:duty"]], "escalate_after": "2s"}
    pult = make(pagers=[{"name": "duty", "url": there.url, "secret": SECRET}], oncall=oncall)
    await pult.start()
    return pult


async def test_from_triggered_to_resolved_over_a_crash_and_a_429(make: Make, there: Provider) -> None:
    pult = await started(make, there)
    there.answers = [(503, {}), (429, {"Retry-After": "1"})]
    assert (await pult.alert(fires("Burning"))).status == 200
    await until("nobody is woken", lambda: _said(there, "triggered"))
    ids = {event["id"] for event in there.events}
    await pult.restart()
    (ident,) = pult.rows("SELECT id FROM groups")[0]
    assert (await pult.ask("anna", f"ack {ident}"))["ok"]
    await until("the provider does not hear who has it", lambda: _said(there, "acknowledged"))
    assert (await pult.alert(resolves("Burning"))).status == 200
    await until("the provider does not hear the end", lambda: _said(there, "resolved"))
    assert {event["id"] for event in there.events} == ids
    assert [event["subject"] for event in there.events] == [f"alert:{ident}"] * len(there.events), "no news besides"
    revisions = [event["revision"] for event in there.events]
    assert revisions == sorted(revisions)
    assert "s3cret" not in pult.log.read_text()
    assert SECRET not in pult.log.read_text()


async def test_what_somebody_takes_in_time_wakes_nobody_else(make: Make, there: Provider) -> None:
    pult = await started(make, there)
    assert (await pult.alert(fires("Taken"))).status == 200
    (ident,) = pult.rows("SELECT id FROM groups")[0]
    assert (await pult.ask("anna", f"ack {ident}"))["ok"]
    await asyncio.sleep(3)
    assert there.events == []


async def test_the_doctor_reaches_out_and_sends_a_sample_that_wakes_nobody(make: Make, there: Provider) -> None:
    pult = make(pagers=[{"name": "duty", "url": there.url, "secret": SECRET}], oncall={"levels": [["webhook:duty"]]})
    _, said, _ = await pult.run("check", "--send-test")
    assert "ok    webhook: duty can be reached" in said
    assert there.heads == 1
    assert "ok    webhook:duty: a sample was posted" in said
    assert [event["status"] for event in there.events] == ["info"]


async def _said(there: Provider, status: str) -> bool:
    return any(event["status"] == status for event in there.events)
