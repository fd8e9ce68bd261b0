"""Moves against the simulated department: there, back, and a dozen ways in which the world spoils them.

The whole table is docs/failover.md; its other lines are tests/handlers/test_flow_failover.py.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest

from bot.simulator.digitalocean import shapes
from tests.department import Department, until
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.releasing import says

__all__ = ["probe"]
THERE, HOME = "failover nyc2 to sfo3", "failover sfo3 to nyc2"
CONNECTIONS = [
    {"region": region, "namespace": "production", "secret": "api-database", "key": "DATABASE_URL"}
    for region in ("nyc2", "sfo3")
]
SLOW = pytest.mark.timeout(240)
LOOK = 0.002
"""Seconds between two looks at who takes writes."""


@pytest.fixture
def fresh() -> bool:
    """A fork is an interpreter of its own, too, and here only the way matters."""
    return False


async def started(make: Make, probe: Probe, **changes: Any) -> Pult:
    """With everything configured that a move can have."""
    pult = make(failover__connections=CONNECTIONS, failover__probes=[probe.url], **changes)
    await pult.start()
    return pult


async def begun(pult: Pult, words: str = THERE) -> str:
    """Proposed by one, approved by another."""
    ident = await pult.proposed("anna", words)
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    return ident


async def resumed(pult: Pult, ident: str, choice: str = "retry") -> None:
    answer = await pult.ask("chen", f"resume {ident} {choice}")
    assert answer["ok"], answer["text"]


def restarts(department: Department, region: str) -> list[str]:
    """Deployments of *region* whose pods pult rolled, in this order."""
    calls = department.cluster(region).calls
    return [call.name for call in calls if (call.verb, call.resource) == ("patch", "deployments")]


@SLOW
async def test_there_and_back_again(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)
    async with department.one_writer(LOOK):
        ident = await begun(pult)
        card = await pult.becomes(ident, "succeeded")
        assert "api-database:DATABASE_URL is switched" in card
        assert "every probe from outside answers" in card
        assert "api availability burns" in card
        assert "RTO" in card
        assert department.cloud.traffic() == "sfo3"
        assert department.deployment("api", region="sfo3")["spec"]["replicas"] == 4
        assert "sfo3 serves already" in (await pult.ask("anna", THERE))["text"]
        home = await begun(pult, HOME)
        card = await pult.becomes(home, "succeeded")
        assert "RPO 0.0" in card
        assert department.cloud.traffic() == "nyc2"
        assert department.deployment("api", region="sfo3")["spec"]["replicas"] == 2, "as before the failover"
        assert {department.cloud.databases[each].region for each in department.cloud.writable()} == {"nyc2"}
        again = await begun(pult)
        await pult.becomes(again, "succeeded")
        assert department.cloud.traffic() == "sfo3"


@SLOW
async def test_a_region_that_burns_is_left(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)

    async def remembered() -> bool:
        return bool(pult.rows("SELECT 1 FROM marks WHERE name = 'room:nyc2/production/deployment/api'"))

    await until("nobody remembers how many pods there were", remembered)
    await department.fault("region_down", "nyc2")
    async with department.one_writer(LOOK):
        card = await pult.becomes(await begun(pult), "succeeded")
    assert "(how many the other region had is not known)" not in card, "it was remembered"
    assert department.deployment("api", region="sfo3")["spec"]["replicas"] == 4


@SLOW
async def test_killed_at_each_step_it_does_each_thing_once(make: Make, department: Department, probe: Probe) -> None:
    pult, cloud = await started(make, probe), department.cloud
    async with department.one_writer(LOOK):
        ident = await begun(pult)
        moments: list[Callable[[], bool]] = [
            lambda: pult.rows("SELECT 1 FROM marks WHERE name = 'freeze:all' AND doc <> 'null'") != [],
            lambda: department.deployment("api", region="sfo3")["spec"]["replicas"] == 4,
            lambda: cloud.fenced("db-nyc2"),
            lambda: "db-sfo3" in cloud.primaries(),
            lambda: bool(restarts(department, "sfo3")),
            lambda: cloud.traffic() == "sfo3",
        ]
        for moment in moments:
            await until("the step was never reached", lambda moment=moment: _is(moment))  # type: ignore[misc]
            await pult.restart()
        await pult.becomes(ident, "succeeded")
    asked = [path for method, path in cloud.calls if method != "GET"]
    assert sum("promote" in path for path in asked) == 1
    assert sum("/records/" in path for path in asked) == 1


@SLOW
async def test_a_loss_beyond_the_rpo_takes_a_named_override(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)
    department.cloud.lag = 300.0
    ident = await pult.proposed("anna", THERE)
    assert "--override rpo" in (await pult.ask("chen", f"approve {ident}"))["text"]
    assert (await pult.ask("chen", f"approve {ident} --override rpo it burns"))["ok"]
    department.cloud.lag = 60.0
    await pult.becomes(ident, "succeeded")


@SLOW
async def test_more_loss_than_was_overridden_pauses_it_before_the_fence(
    make: Make, department: Department, probe: Probe
) -> None:
    pult = await started(make, probe)
    ident = await pult.proposed("anna", THERE)
    department.cloud.lag = 300.0
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    assert "behind, more than the" in await pult.becomes(ident, "paused")
    assert not department.cloud.fenced("db-nyc2")
    await resumed(pult, ident, "undo")
    await pult.becomes(ident, "undone")
    assert "frozen" not in (await pult.ask("anna", "status"))["text"]


@SLOW
async def test_the_second_of_two_waits_and_finds_it_done(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)
    await department.fault("slow", "digitalocean", delay=0.3)
    first = await begun(pult)
    await says(pult, first, "▶ ")
    second = await begun(pult)
    await department.recovers()
    await pult.becomes(first, "succeeded")
    assert "Nothing was changed" in await pult.becomes(second, "failed")
    assert sum("promote" in path for _, path in department.cloud.calls) == 1


@SLOW
async def test_dns_that_answers_500_pauses_it_and_says_the_way_back(
    make: Make, department: Department, probe: Probe
) -> None:
    pult = await started(make, probe)
    ident = await pult.proposed("anna", THERE)
    await department.fault("error", "digitalocean:/domains")
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    card = await pult.becomes(ident, "paused")
    assert "the way back is a plan of its own: failover sfo3 to nyc2" in card
    assert f"resume {ident} undo" not in card
    assert not (await pult.ask("chen", f"resume {ident} undo"))["ok"]
    await department.recovers()
    await resumed(pult, ident)
    await pult.becomes(ident, "succeeded")


@SLOW
async def test_room_that_can_not_be_made_stops_it_and_may_be_left_out(
    make: Make, department: Department, probe: Probe
) -> None:
    pult = await started(make, probe)
    department.cluster("sfo3").deny("patch", "deployments")
    ident = await begun(pult)
    assert "may not patch deployments.apps in production" in await pult.becomes(ident, "paused")
    assert not department.cloud.fenced("db-nyc2")
    department.cluster("sfo3").denials.clear()
    await resumed(pult, ident, "skip")
    card = await pult.becomes(ident, "succeeded")
    assert "sfo3 serves" in card


@SLOW
async def test_a_target_that_dies_in_the_middle_is_waited_for(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)
    async with department.one_writer(LOOK):
        ident = await pult.proposed("anna", THERE)
        await department.fault("region_down", "sfo3")
        assert (await pult.ask("chen", f"approve {ident}"))["ok"]
        await pult.becomes(ident, "paused")
        assert not department.cloud.fenced("db-nyc2"), "nothing is fenced for a region that can't take over"
        await department.recovers()
        await resumed(pult, ident)
        await pult.becomes(ident, "succeeded")


@SLOW
async def test_an_approval_that_comes_late_changes_nothing(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe, policy__failover={"expires": "2s"})
    ident = await pult.proposed("anna", THERE)
    await pult.becomes(ident, "expired")
    assert "is not waiting for approval" in (await pult.ask("chen", f"approve {ident}"))["text"]
    assert {method for method, _ in department.cloud.calls} == {"GET"}


@SLOW
async def test_before_the_promotion_all_of_it_is_undone(make: Make, department: Department, probe: Probe) -> None:
    pult = await started(make, probe)
    ident = await pult.proposed("anna", THERE)
    await department.fault("slow", "digitalocean", delay=0.3)
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]

    async def fenced() -> bool:
        return department.cloud.fenced("db-nyc2")

    await until("it is never fenced", fenced)
    await department.fault("error", "digitalocean")
    await pult.becomes(ident, "paused")
    await department.recovers()
    await resumed(pult, ident, "undo")
    card = await pult.becomes(ident, "undone")
    assert "nyc2 serves as before" in card
    assert department.cloud.writable() == {"db-nyc2"}
    assert department.deployment("api", region="sfo3")["spec"]["replicas"] == 2


@SLOW
async def test_a_fence_that_nobody_can_confirm_is_stated_and_the_same_operation_goes_on(
    make: Make, department: Department, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pult = await started(make, probe)
    await department.fault("region_down", "nyc2")
    monkeypatch.setattr(type(department.cloud), "guarded", _deaf(type(department.cloud).guarded))
    monkeypatch.setattr(shapes, "database", _off(shapes.database))
    async with department.one_writer(LOOK):
        ident = await begun(pult)
        card = await pult.becomes(ident, "paused")
        assert f"failover attest {ident}" in card
        assert not (await pult.ask("chen", f"resume {ident} skip"))["ok"]
        stated = await pult.proposed("anna", f"failover attest {ident} the hall is on fire")
        assert not (await pult.ask("anna", f"approve {stated}"))["ok"]
        assert (await pult.ask("chen", f"approve {stated}"))["ok"]
        await pult.becomes(stated, "succeeded")
        card = await pult.becomes(ident, "succeeded")
    assert "anna states that the primary in nyc2 is off: the hall is on fire; approved by chen" in card
    assert ("attest", ident, "stated") in {(e["action"], e["target"], e["result"]) for e in await pult.audited()}


@SLOW
async def test_staging_goes_there_and_back_in_one_operation(make: Make, department: Department, probe: Probe) -> None:
    pult = make()
    staging = {key: pult.settings["failover"][key] for key in ("from", "to", "database", "traffic")}
    pult.configure(failover__drill={"staging": staging})
    await pult.start()
    assert probe
    async with department.one_writer(LOOK):
        ident = await pult.proposed("anna", "drill --live staging")
        assert (await pult.ask("anna", f"approve {ident}"))["ok"]
        card = await pult.becomes(ident, "succeeded")
    assert "Staging moved to sfo3 and back to nyc2." in card
    assert department.cloud.traffic() == "nyc2"


async def _is(moment: Callable[[], bool]) -> bool:
    return moment()


def _deaf(real: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """The firewall of the burning region's server says yes and changes nothing."""

    def guarded(cloud: Any, server: str) -> Any:
        found = real(cloud, server)
        return copy(found) if server == "db-nyc2" else found

    return guarded


def _off(real: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What DigitalOcean says of a server that somebody is moving elsewhere: it is not online."""

    def database(found: Any) -> Any:
        told = real(found)
        return told | {"status": "migrating"} if found.id == "db-nyc2" else told

    return database
