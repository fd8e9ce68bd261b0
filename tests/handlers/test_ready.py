"""A version whose pipeline calls it ready is proposed by pult where its environment asks for that: once, for people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

import pytest

from bot.domain.errors import TemporaryError
from bot.domain.operations import Operation, State
from bot.domain.phrases import English
from bot.domain.plans import Plan
from bot.domain.policy import Condition, More, Policy, Rule
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Catalogue, Environment, Service
from bot.platforms.console.plain import plain
from bot.ports.pipeline import Check
from bot.ports.schedules import Periodic
from handlers.commands.promote import planned
from handlers.schedules.ready import LATE, PATIENCE, PAUSE, Proposing
from handlers.schedules.ready_told import Telling
from tests.handlers.department import PRODUCTION, SERVICES, STAGING, Department
from tests.handlers.fakes import NOON, FakePipeline, digest
from tests.handlers.fakes_releases import sha
from tests.handlers.test_approvals import notices

CHAT = "slack:C0APPROVALS"
TOLD = "notice:ready:production:api/1.8.0"
SECOND = timedelta(seconds=1)


@dataclass
class Replica:
    """One of the pults on the same store."""

    department: Department
    on_ready: str = "propose"
    away: bool = False

    def __post_init__(self) -> None:
        api = replace(SERVICES.named("api"), environments=(STAGING, replace(PRODUCTION, on_ready=self.on_ready)))
        ports = self.department.ports
        desk, soak = self.department.desk(), ports.policy.rule("promote").soak
        self.duty = Proposing(ports.store, ports.clock, Catalogue([api]), self._plan, desk, (CHAT,), soak)

    async def _plan(self, service: Service, version: str, environment: Environment) -> Plan:
        if self.away:
            raise TemporaryError("nobody there")
        return await planned(self.department.ports.sources, service, version, environment, self.department.clock.now())

    async def looks(self, after: timedelta = timedelta()) -> None:
        """So long after the pipeline's word."""
        self.department.clock.at = NOON + after
        await self.duty.duty().run()


@pytest.fixture
def pult(department: Department) -> Replica:
    department.approvals_in = (CHAT,)
    return Replica(department)


async def proposals(department: Department) -> list[Operation]:
    return list(await department.store.read(lambda tx: tx.recent_operations(50)))


async def checked(department: Department, state: str) -> None:
    """The version is ready; another check of its commit has come so far."""
    department.forge.refs = {"tags/v1.8.0": sha("1.8.0")}
    department.forge.checked = {sha("1.8.0"): (Check("main", state),)}
    await department.reported("1.8.0", commit=sha("1.8.0"), evidence={})


async def told(department: Department) -> str:
    message = await department.store.read(lambda tx: tx.message(TOLD))
    return plain(message, English()) if message else ""


async def test_its_word_makes_a_plan_that_two_people_agree_to(pult: Replica) -> None:
    await pult.looks()
    assert await proposals(pult.department) == []
    await pult.department.reported("1.8.0")
    await pult.looks()
    (made,) = await proposals(pult.department)
    assert (made.proposer, made.state) == ("pult", State.WAITING)
    assert made.plan.title.plain() == "Promote api 1.8.0 to production"
    assert made.plan.approvals == 2, "as if a person had proposed it, and another one approved"
    assert set(await notices(pult.department, "op:")) >= {CHAT}
    for who in ("anna", "boris"):
        assert pult.department.approved == []
        await pult.department.say(who, f"approve {made.id}")
    assert pult.department.approved == [made.id]


async def test_where_one_person_is_enough_one_is(department: Department) -> None:
    department.policy = Policy({"promote": Rule(frozenset({"sre"}), approvals=1, four_eyes=False)})
    await department.reported("1.8.0")
    await Replica(department).looks()
    (made,) = await proposals(department)
    assert made.plan.approvals == 1


async def test_what_the_moment_asks_for_comes_on_top(department: Department) -> None:
    more = More(Condition(environments=frozenset({"production"})), 2, "it is Friday")
    department.policy = Policy({"promote": Rule(frozenset({"sre"}), approvals=1, four_eyes=True, more=(more,))})
    await department.reported("1.8.0")
    await Replica(department).looks()
    (made,) = await proposals(department)
    assert made.plan.approvals == 3, "two beside whoever proposes it"


async def test_two_replicas_a_restart_and_a_repeated_word_propose_one(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    await pult.looks()
    await Replica(pult.department).looks()
    (made,) = await proposals(pult.department)
    await pult.department.say("anna", f"reject {made.id}")
    await pult.department.reported("1.8.0")
    await Replica(pult.department).looks(5 * SECOND)
    assert len(await proposals(pult.department)) == 1, "people said no"


@pytest.mark.parametrize("stage", ["tested", "staging", "failed", "released"])
async def test_any_other_word_proposes_nothing(pult: Replica, stage: str) -> None:
    await pult.department.reported("1.8.0", stage=stage)
    await pult.looks()
    assert await proposals(pult.department) == []


async def test_where_nobody_asks_for_it_nothing_is_proposed(department: Department) -> None:
    await department.reported("1.8.0")
    await Replica(department, on_ready="tell").looks()
    assert await proposals(department) == []


async def test_what_was_ready_long_ago_is_left_alone(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    await pult.looks(LATE)
    assert await proposals(pult.department) == []
    assert await told(pult.department) == ""


async def test_the_newest_of_several_is_proposed(pult: Replica) -> None:
    await pult.department.reported("1.7.9")
    pult.department.clock.at += SECOND
    await pult.department.reported("1.8.0")
    await pult.looks(2 * SECOND)
    await pult.looks(3 * SECOND)
    (made,) = await proposals(pult.department)
    assert made.plan.params["version"] == "1.8.0"


async def test_what_keeps_it_is_tried_again_then_told_once(pult: Replica) -> None:
    await pult.department.reported("1.8.0", digest="", image="")
    await pult.looks()
    assert await told(pult.department) == "", "a registry may lag behind"
    await pult.looks(PATIENCE)
    said = await told(pult.department)
    assert "api 1.8.0 is ready, and pult can't propose it for production" in said
    assert "promote api 1.8.0 to production" in said
    assert set(await notices(pult.department, TOLD)) == {CHAT}
    assert ("pult", "promote", "api/1.8.0", "not proposed") in await pult.department.audit()
    await pult.department.reported("1.8.0")
    await pult.looks(2 * PATIENCE)
    assert await proposals(pult.department) == [], "from here on people propose it"


async def test_a_digest_that_comes_in_time_is_proposed_and_nothing_is_told(pult: Replica) -> None:
    await pult.department.reported("1.8.0", digest="", image="")
    await pult.looks()
    await pult.department.reported("1.8.0")
    await pult.looks(5 * SECOND)
    assert await proposals(pult.department) == [], "the registry is not asked all the time"
    await pult.looks(PAUSE)
    assert len(await proposals(pult.department)) == 1
    assert await told(pult.department) == ""


async def test_what_does_not_answer_is_told_too(pult: Replica) -> None:
    pult.away = True
    await pult.department.reported("1.8.0")
    await pult.looks(PATIENCE)
    assert "does not answer" in await told(pult.department)


async def test_one_that_still_waits_comes_first_and_that_is_said(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    first = await pult.department.proposed("anna", "promote api 1.8.0")
    await pult.looks(PATIENCE)
    assert len(await proposals(pult.department)) == 1
    assert f"{first.id} still waits, and comes first" in await told(pult.department)


async def test_what_holds_it_may_pass_before_people_are_asked(department: Department) -> None:
    department.policy = Policy({"promote": Rule(frozenset({"sre"}), require=frozenset({"ci"}))})
    pult = Replica(department)
    await checked(department, "pending")
    await pult.looks()
    assert await proposals(department) == []
    await checked(department, "success")
    await pult.looks(PAUSE)
    (made,) = await proposals(department)
    assert made.plan.holds == ()


async def test_what_goes_on_holding_it_is_shown_to_people(department: Department) -> None:
    department.policy = Policy({"promote": Rule(frozenset({"sre"}), require=frozenset({"ci"}))})
    await checked(department, "pending")
    await Replica(department).looks(PATIENCE)
    (made,) = await proposals(department)
    assert [hold.name for hold in made.plan.holds] == ["ci"]


async def test_it_has_run_well_for_as_long_as_the_policy_wants(department: Department) -> None:
    department.policy = Policy({"promote": Rule(frozenset({"sre"}), soak=2 * LATE)})
    row = Deployment("api", "staging", "1.8.0", digest("api", "1.8.0"), Fate.GOOD, NOON, since=NOON)
    await department.store.write(lambda tx: tx.save_deployment(row))
    await department.reported("1.8.0")
    pult = Replica(department)
    await pult.looks(2 * LATE - SECOND)
    assert await proposals(department) == []
    await pult.looks(2 * LATE + PAUSE)
    (made,) = await proposals(department)
    assert made.plan.holds == ()


@dataclass
class Told:
    """What GitHub is told of what pult proposed."""

    pult: Replica
    pipeline: FakePipeline = field(default_factory=FakePipeline)

    async def looks(self) -> list[str]:
        """The states so far, after another look."""
        await self.duty.run()
        return [state for what, _, state in self.pipeline.done if what == "status"]

    @cached_property
    def duty(self) -> Periodic:
        ports = self.pult.department.ports
        return Telling(ports.store, ports.services, self.pipeline).duty()


async def test_github_sees_that_it_waits_and_that_people_said_no(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    await pult.looks()
    (made,) = await proposals(pult.department)
    told = Told(pult)
    assert await told.looks() == ["queued"]
    assert await told.looks() == ["queued"], "once"
    await pult.department.say("anna", f"reject {made.id}")
    told.pipeline.away = True
    assert await told.looks() == ["queued"]
    told.pipeline.away = False
    assert await told.looks() == ["queued", "inactive"], "it is told again until GitHub answers"
    assert await told.looks() == ["queued", "inactive"]
    assert await Told(pult).looks() == [], "another replica has nothing more to tell"


async def test_what_has_begun_tells_its_own_state(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    await pult.looks()
    (made,) = await proposals(pult.department)
    begun = replace(made.moved(State.APPROVED).moved(State.RUNNING), started_at=NOON)
    await pult.department.store.write(lambda tx: tx.save_operation(begun))
    assert await Told(pult).looks() == []
    await pult.department.store.write(lambda tx: tx.save_operation(begun.moved(State.CANCELLED)))
    assert await Told(pult).looks() == []


async def test_nobody_is_told_of_what_people_propose(pult: Replica) -> None:
    await pult.department.reported("1.8.0")
    await pult.department.proposed("anna", "promote api 1.8.0")
    assert await Told(pult).looks() == []
