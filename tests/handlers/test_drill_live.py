"""What a move that is not watched, or that brings staging home again, says of itself."""

from __future__ import annotations

import json

import pytest

from bot.domain.failover import Way
from bot.ports.estate import Estate
from tests.handlers.department import Department
from tests.handlers.fakes import DiedError, StoppedError
from tests.handlers.fakes_failover import FakeDatabase, FakeTraffic
from tests.handlers.moving import Moving
from tests.handlers.test_drill import staged

__all__ = ["staged"]
LIVE = "drill --live staging"


@pytest.fixture
def moving(department: Department) -> Moving:
    return Moving(department)


@pytest.mark.parametrize("behind", [None, 0, 7], ids=["seconds", "nothing", "bytes"])
async def test_after_a_crash_in_the_promotion_the_loss_is_what_was_seen_before_it(
    moving: Moving, behind: int | None
) -> None:
    plan = await moving.plan()
    moving.database.becomes(behind=behind)
    await moving.dies(plan, "promote")
    running = await moving.resumes(plan)
    assert json.loads(running.values["promote"])["behind"] == behind
    assert json.loads(running.values["report"])["rpo"] == (0.0 if behind == 0 else 0.4)


async def test_a_promotion_that_is_half_done_tells_no_lag_and_the_one_before_it_counts(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between pg_promote and the opened doors a server is neither a standby nor a primary that serves."""
    plan = await moving.plan()

    async def dies(_: Way) -> None:
        moving.database.becomes(lag=None)
        raise DiedError

    with monkeypatch.context() as patched:
        patched.setattr(moving.database, "promote", dies)
        with pytest.raises(DiedError):
            await moving.runs(plan)
    running = await moving.resumes(plan)
    assert json.loads(running.values["report"])["rpo"] == 0.4


async def test_a_promotion_by_somebody_else_tells_no_loss(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "fence")
    moving.database.becomes(promoted=True, fenced=True)
    running = await moving.resumes(plan)
    assert json.loads(running.values["report"])["rpo"] is None


async def test_what_fails_on_the_way_never_offers_a_move_of_production(moving: Moving, staged: Estate) -> None:
    assert isinstance(staged.traffic, FakeTraffic)
    plan = await moving.plan(LIVE)
    staged.traffic.failing = True
    with pytest.raises(StoppedError, match="there-shift") as stopped:
        await moving.runs(plan)
    assert "failover sfo3 to nyc2" not in str(stopped.value)
    assert "The steps that are left bring staging back to nyc2." in str(stopped.value)


async def test_what_fails_on_the_way_back_says_so_too(moving: Moving, staged: Estate) -> None:
    assert isinstance(staged.traffic, FakeTraffic)
    plan, traffic = await moving.plan(LIVE), staged.traffic

    def breaks() -> None:
        traffic.failing = "rejoin nyc2" in traffic.done

    moving.clock.ticks.append(breaks)
    assert await moving.stops("The steps that are left bring staging back to nyc2.", plan) == "shift"


async def test_the_last_step_tells_both_ways_and_no_rto_of_them(moving: Moving, staged: Estate) -> None:
    assert staged
    running = await moving.runs(await moving.plan(LIVE))
    said = running.said["back-report"]
    assert said.startswith("there and back took ")
    assert "RTO" not in said


async def test_a_silent_server_is_not_known_to_have_been_heard_out(moving: Moving, staged: Estate) -> None:
    """Killed by its own fence, it can't tell any more what its standby lacks."""
    assert isinstance(staged.database, FakeDatabase)
    database, plan = staged.database, await moving.plan(LIVE)

    def killed() -> None:
        if database.fenced == {"sfo3"}:
            database.gone.add("sfo3")

    moving.clock.ticks.append(killed)
    running = await moving.runs(plan)
    said = running.said["back-caught-up"]
    assert said == "the old primary does not answer: what it took last, up to 0.4\xa0s, may be missing"
    assert json.loads(running.values["back-report"])["rpo"] == 0.4
