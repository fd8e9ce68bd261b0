"""Failover and drill: fence before promote, unknown is not small, nothing happens twice, a drill only looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.domain.errors import DriftError, TemporaryError
from bot.domain.phrases import phrase
from bot.domain.plans import Plan, PlannedStep
from handlers.flows import failover
from handlers.flows.failover import PATIENCE
from tests.handlers.fakes import NOON, DiedError, FakeClock, FakeDatabase, FakeRun, FakeTraffic, StoppedError

STEPS = ("lag", "fence", "promote", "shift", "verify")


def plan(action: str) -> Plan:
    steps = tuple(PlannedStep(name, phrase("x")) for name in STEPS)
    return Plan(action, phrase("x"), "", "", steps, {"source": "nyc2", "target": "sfo3", "rpo": "60.0"})


@dataclass
class Regions:
    """The database and the traffic, and one log of what was done to either."""

    clock: FakeClock = field(default_factory=FakeClock)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    traffic: FakeTraffic = field(default_factory=FakeTraffic)

    def __post_init__(self) -> None:
        self.database.done = self.traffic.done

    @property
    def done(self) -> list[str]:
        return self.traffic.done

    async def run(self, action: str = "failover", dies_in: str = "", skips: frozenset[str] = frozenset()) -> FakeRun:
        running = FakeRun(plan(action), dies_in, skips)
        found = failover.flow(action, self.database, self.traffic, self.clock)
        running.said["result"] = (await found.run(running)).plain()
        return running

    async def check(self, action: str = "failover") -> None:
        await failover.flow(action, self.database, self.traffic, self.clock).check(plan(action))

    async def stops(self, match: str, **how: object) -> None:
        with pytest.raises(StoppedError, match=match):
            await self.run(**how)  # type: ignore[arg-type]


@pytest.fixture
def regions() -> Regions:
    return Regions()


async def test_from_one_region_to_the_other(regions: Regions) -> None:
    running = await regions.run()
    assert regions.done == ["fence", "promote", "sfo3"]
    assert list(running.said) == [*STEPS, "result"]
    assert running.said["lag"] == "0.4\N{NO-BREAK SPACE}s behind"
    assert running.said["shift"] == "traffic goes to sfo3; resolvers forget within 60 s"
    assert running.said["verify"] == "sfo3 serves reads and writes"
    assert running.said["result"] == "sfo3 serves. Plan the failback when nyc2 is healthy."


async def test_a_fence_that_can_not_be_confirmed_stops_it(regions: Regions) -> None:
    regions.database.deaf = True
    await regions.stops("fence: The fence can't be confirmed")
    assert regions.done == ["fence"]


async def test_no_promotion_without_a_fence_whatever_was_skipped(regions: Regions) -> None:
    await regions.stops("promote: The old primary is not fenced", skips=frozenset({"lag", "fence"}))
    assert regions.done == []


async def test_a_fence_that_fell_before_the_promotion_stops_it(regions: Regions) -> None:
    with pytest.raises(DiedError):
        await regions.run(dies_in="fence")
    regions.database.becomes(fenced=False)
    await regions.stops("promote: The old primary is not fenced", skips=frozenset({"lag", "fence"}))
    assert "promote" not in regions.done


@pytest.mark.parametrize(
    ("lag", "why"),
    [
        (None, "Nobody knows the replication lag"),
        (60.1, "behind, more than the 60 s allowed"),
        (1e9, "behind"),
    ],
)
async def test_a_lag_unknown_or_too_large_stops_it_first(regions: Regions, lag: float | None, why: str) -> None:
    regions.database.becomes(lag=lag)
    await regions.stops(f"lag: .*{why}")
    assert regions.done == []


@pytest.mark.parametrize("lag", [0.0, 59.9, 60.0])
async def test_a_lag_within_what_is_allowed(regions: Regions, lag: float) -> None:
    regions.database.becomes(lag=lag)
    assert "result" in (await regions.run()).said


async def test_a_lag_that_is_no_number_is_not_within(regions: Regions) -> None:
    regions.database.becomes(lag=float("nan"))
    await regions.stops("lag: ")
    assert regions.done == []


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_in_any_step_does_nothing_twice(regions: Regions, step: str) -> None:
    """Fencing and pointing again are harmless; promoting again is not."""
    with pytest.raises(DiedError):
        await regions.run(dies_in=step)
    running = await regions.run()
    assert regions.done.count("promote") == 1
    assert regions.done.index("fence") < regions.done.index("promote") < regions.done.index("sfo3")
    assert running.said["verify"] == "sfo3 serves reads and writes"


async def test_a_promotion_takes_its_time(regions: Regions) -> None:
    regions.database.slow = 30
    regions.clock.ticks.append(regions.database.tick)
    running = await regions.run()
    assert running.progress == ["asked, waiting for it"]
    assert regions.clock.now() - NOON >= timedelta(seconds=29)


async def test_a_promotion_that_never_ends_pauses_it(regions: Regions) -> None:
    regions.database.slow = 10**9
    await regions.stops("promote: The promotion is not done after 600 s")
    assert regions.clock.now() - NOON >= PATIENCE
    assert "sfo3" not in regions.done, "traffic does not go where nothing takes writes"


async def test_traffic_that_did_not_move_is_seen(regions: Regions) -> None:
    await regions.stops("verify: sfo3 does not serve yet", skips=frozenset({"shift"}))


async def test_an_api_that_is_away_stops_it(regions: Regions) -> None:
    regions.database.away = True
    with pytest.raises(TemporaryError):
        await regions.run()
    assert regions.done == []


async def test_the_world_as_it_was_planned(regions: Regions) -> None:
    await regions.check()
    regions.database.becomes(promoted=True)
    with pytest.raises(DriftError, match="db-sfo3 was promoted after this was planned"):
        await regions.check()


async def test_traffic_that_is_there_already(regions: Regions) -> None:
    regions.traffic.to = "sfo3"
    with pytest.raises(DriftError, match="Traffic goes to sfo3 already"):
        await regions.check()


async def test_a_drill_only_looks(regions: Regions) -> None:
    running = await regions.run("drill")
    assert regions.done == []
    assert list(running.said) == [*STEPS, "result"]
    assert running.said["fence"] == "would be fenced"
    assert running.said["promote"] == "db-sfo3 would be promoted"
    assert running.said["shift"] == "traffic goes to nyc2 now"
    assert running.said["result"] == "Rehearsed. Nothing was changed."


async def test_a_drill_finds_what_a_failover_would_stop_at(regions: Regions) -> None:
    regions.database.becomes(lag=None)
    await regions.stops("lag: Nobody knows", action="drill")


async def test_a_drill_after_a_failover(regions: Regions) -> None:
    regions.database.becomes(promoted=True, fenced=True)
    regions.traffic.to = "sfo3"
    await regions.check("drill")
    running = await regions.run("drill")
    assert running.said["lag"] == running.said["promote"] == "promoted already"
    assert running.said["fence"] == "fenced already"
    assert regions.done == []


async def test_neither_is_undone(regions: Regions) -> None:
    for action in ("failover", "drill"):
        assert failover.flow(action, regions.database, regions.traffic, regions.clock).undo is None
