"""A failover as its flow sees it: two regions in memory, a real store, and the way from a plan to its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pytest

import handlers
from bot.domain.anatomy import Anatomy
from bot.domain.cards import Place as Chat
from bot.domain.failover import Place, Room
from bot.domain.failover_steps import bare
from bot.domain.operations import Operation, State
from bot.domain.plans import Plan
from bot.domain.statements import Statement, attested
from bot.ports.cluster import Workload
from bot.ports.flows import Flow
from bot.ports.scaling import Autoscaler
from bot.ports.store import Tx
from tests.handlers.department import PAIR, Department
from tests.handlers.fakes import NOON, DiedError, FakeRun, StoppedError, image
from tests.handlers.fakes_failover import UNWELL

API_SFO3 = Workload("sfo3", "production", "deployment", "api")
SECRET = Place("sfo3", "production", "api-database", "url")
HOME = Place("nyc2", "production", "api-database", "url")
OUTSIDE = "https://www.dept.example/healthz"
IDENT = "op-41c9"
STEPS = ("freeze", "lag", "capacity", "fence", "promote", "connections", "shift", "verify", "report")
BACK = (
    "freeze", "rejoin", "lag", "capacity", "fence", "caught-up", "promote", "connections", "shift", "verify",
    "rejoin-other", "spare", "report",
)  # fmt: skip


@dataclass
class Moving:
    """``department`` with everything configured that a move can have."""

    department: Department
    said: dict[str, str] = field(default_factory=dict)
    journal: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database, self.traffic = self.department.database, self.department.traffic
        self.connections, self.cluster = self.department.connections, self.department.cluster
        self.clock, self.store = self.department.clock, self.department.store
        self.database.done = self.traffic.done
        self.cluster.runs(API_SFO3, (image("api", "1.7.2"),), 2)
        self.connections.held = {SECRET: "db-nyc2.example:5432", HOME: "db-nyc2.example:5432"}
        reads, other = Anatomy(4, (), (), secrets=frozenset({"api-database"})), Anatomy(2, (), ())
        self.department.anatomies.found |= {
            ("api", "production"): reads, ("web", "production-sfo3"): other, ("web", "production-nyc2"): other,
        }  # fmt: skip
        self.clock.ticks += [self.cluster.settles, self.database.tick, self.department.pools.tick]
        room = Room("web", pool="pool-a", nodes=4)
        move = replace(PAIR.move, places=(SECRET, HOME), rooms=(Room("api"), room), probes=(OUTSIDE,))
        self.department.pair = replace(PAIR, move=move)
        self.department.without |= {"metrics"}

    @property
    def done(self) -> list[str]:
        return self.database.done

    @property
    def flow(self) -> Flow:
        return handlers.flows(self.department.ports)["failover"]

    async def plan(self, words: str = "failover nyc2 to sfo3") -> Plan:
        return (await self.department.proposed("anna", words)).plan

    async def runs(self, plan: Plan, dies_in: str = "", skips: frozenset[str] = frozenset()) -> FakeRun:
        """Check, then every step; *dies_in* and *skips* as FakeRun has them."""
        flow = handlers.flows(self.department.ports)[plan.action]
        await self.started(plan)
        running = FakeRun(plan, dies_in, skips, self.clock, IDENT)
        await flow.check(plan)
        self.said, self.journal = running.said, running.values
        running.said["result"] = (await flow.run(running)).plain()
        return running

    async def stops(self, match: str, plan: Plan | None = None, **how: object) -> str:
        """The step that it stops at, and why; *match* is part of that."""
        with pytest.raises(StoppedError, match=re.escape(match)) as stopped:
            await self.runs(plan or await self.plan(), **how)  # type: ignore[arg-type]
        return bare(str(stopped.value).partition(":")[0])

    async def dies(self, plan: Plan, step: str) -> None:
        """kill -9 after the work of *step*, before anybody wrote that it is done."""
        with pytest.raises(DiedError):
            await self.runs(plan, dies_in=step)

    async def resumes(self, plan: Plan) -> FakeRun:
        """Another process goes on, as the journal has it: the step that nobody wrote down is run again."""
        running = FakeRun(plan, clock=self.clock, operation=IDENT, journal=self.journal)
        flow = handlers.flows(self.department.ports)[plan.action]
        running.said["result"] = (await flow.run(running)).plain()
        return running

    async def undone(self, plan: Plan, begun: set[str]) -> dict[str, str]:
        """What the way back says, step by step."""
        running = FakeRun(plan, clock=self.clock, operation=IDENT)
        running.begun |= begun
        assert self.flow.undo is not None
        running.said["result"] = (await self.flow.undo(running)).plain()
        return running.said

    async def stated(self, region: str = "nyc2", operation: str = IDENT) -> None:
        made = Statement("anna", "I pulled its plug", ("chen",), self.clock.now(), region)
        await self.store.write(lambda tx: tx.put_mark(attested(operation, region), made))

    async def started(self, plan: Plan) -> None:
        """The operation's row, which the report reads."""
        now, place = self.clock.now(), Chat("console:ops")
        made = Operation(IDENT, plan, "anna", State.RUNNING, NOON, now, place, started_at=now)
        await self.store.write(lambda tx: tx.save_operation(made))

    def unwell(self, *, well: bool = False) -> None:
        self.department.unwell = {} if well else {OUTSIDE: UNWELL}

    async def failed_over(self) -> None:
        """As a failover leaves it."""
        await self.runs(await self.plan())
        assert self.database.writable == {"sfo3"}
        self.done.clear()
        await self.over()

    async def over(self) -> None:
        """Whatever was proposed so far has ended."""

        def ended(tx: Tx) -> None:
            for each in tx.live_operations():
                tx.save_operation(replace(each, state=State.SUCCEEDED))

        await self.store.write(ended)


def quota(moving: Moving) -> None:
    pool = moving.department.pools.found["sfo3"]
    moving.department.pools.found["sfo3"] = replace(pool, limit=3)


def capped(moving: Moving) -> None:
    moving.department.scaling.scalers[API_SFO3] = Autoscaler("api", 1, 3)
