"""Drift is noticed, told once with its author, and over when it is over; what is unknown is never well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts import Status
from bot.domain.changes import Restarted
from bot.domain.operations import State
from bot.domain.phrases import phrase
from bot.domain.releases import Deployment, Fate, Release
from handlers import periodic
from handlers.cards import alert as card
from tests.handlers.department import API, DEPLOY, WEB, Check, Department, manifest, read
from tests.handlers.fakes import NOON, digest, image

MINUTE = timedelta(minutes=1)


class Rounds:
    """The watch as it goes round, a minute apart."""

    def __init__(self, department: Department) -> None:
        self.department = department
        (self.duty,) = (each for each in periodic(department.ports, department.desk()) if each.name == "drift")

    async def __call__(self, count: int = 1) -> dict[tuple[str, str], str]:
        for _ in range(count):
            self.department.clock.at += MINUTE
            await self.duty.run()
        groups = await self.department.store.read(lambda tx: tx.open_groups())
        return {(group.service, group.common("environment")): group.id for group in groups if group.name == "Drift"}


@pytest.fixture
def rounds(department: Department) -> Rounds:
    return Rounds(department)


async def test_a_department_in_step_has_no_drift(department: Department, rounds: Rounds) -> None:
    assert await rounds(3) == {}
    assert "Drift" in await department.say("vera", "status")
    assert "none in 4 environments" in await department.say("vera", "status")


async def test_kubectl_under_git_is_told_with_its_author(
    department: Department, rounds: Rounds, reads_as: Check
) -> None:
    await department.reported("1.7.2")
    await department.reported("1.8.1")
    department.cluster.becomes(API, images=(image("api", "1.8.1"),))
    department.gitops.becomes("production", automated=False)
    department.cluster.changed["nyc2"] = (Restarted(NOON, by="kubectl-edit"),)
    assert await rounds() == {}, "what a rollout shows for a moment is no drift"
    found = await rounds()
    assert list(found) == [("api", "production")]
    group = await department.store.read(lambda tx: tx.group(found["api", "production"]))
    assert group.severity == "warning"
    reads_as("alertmanager/drift", read(card.draw(group)).replace(group.id, "a-0000"))
    assert "1 of 4 environments differ, 0 unknown" in await department.say("vera", "status")


async def test_it_is_one_alert_that_is_over_when_it_is_over(department: Department, rounds: Rounds) -> None:
    department.cluster.becomes(API, images=(image("api", "1.8.1"),))
    department.gitops.becomes("production", automated=False)
    first = await rounds(2)
    before = await department.store.read(lambda tx: tx.cards_of(f"alert:{first['api', 'production']}"))
    assert await rounds(5) == first
    assert await department.store.read(lambda tx: tx.cards_of(f"alert:{first['api', 'production']}")) == before
    department.cluster.becomes(API, images=(image("api", "1.7.2"),))
    assert await rounds() == {}
    group = await department.store.read(lambda tx: tx.group(first["api", "production"]))
    assert group.status is Status.RESOLVED


async def test_what_differs_now_is_what_the_card_says(department: Department, rounds: Rounds) -> None:
    department.cluster.becomes(API, images=(image("api", "1.8.1"),))
    department.gitops.becomes("production", automated=False)
    first = await rounds(2)
    department.cluster.becomes(API, images=(image("api", "1.9.9"),))
    assert await rounds() == first
    group = await department.store.read(lambda tx: tx.group(first["api", "production"]))
    assert group.common("runs") == digest("api", "1.9.9")[:19]


async def test_a_tool_that_works_by_itself_gets_its_time(department: Department, rounds: Rounds) -> None:
    """A commit that Flux has not seen yet is no drift; one that it does not bring is."""
    department.forge.files[DEPLOY] = manifest("1.8.0")
    assert await rounds(10) == {}
    assert list(await rounds(2)) == [("api", "production")]


async def test_what_the_tool_says_counts(department: Department, rounds: Rounds) -> None:
    department.gitops.becomes("production", suspended=True, drift=phrase("{what}", what="Service api: spec.ports"))
    found = await rounds(2)
    group = await department.store.read(lambda tx: tx.group(found["api", "production"]))
    assert "Flux says that production is not what it applied: Service api: spec.ports" in read(card.draw(group))


async def test_without_git_the_last_good_deployment_counts(department: Department, rounds: Rounds) -> None:
    for version, hours in (("5.0.0", 9), ("5.1.0", 5)):
        since = NOON - timedelta(hours=hours)
        row = Deployment("web", "production-nyc2", version, digest("web", version), Fate.GOOD, since, since=since)
        await department.store.write(lambda tx, row=row: tx.save_deployment(row))
    assert await rounds(2) == {}
    department.cluster.becomes(WEB, images=(image("web", "6.0.0"),))
    found = await rounds(2)
    assert list(found) == [("web", "production-nyc2")]
    group = await department.store.read(lambda tx: tx.group(found["web", "production-nyc2"]))
    assert [button.command for button in card.draw(group).buttons][3:] == ["diff web"], "no tool could sync it"


async def test_a_sidecar_that_stands_first_is_not_taken_for_the_service(department: Department, rounds: Rounds) -> None:
    await department.reported("1.7.2")
    web = Release("web", "5.1.0", "ready", NOON, "registry.example/dept/web", digest("web", "5.1.0"))
    row = Deployment("web", "production-nyc2", "5.1.0", web.digest, Fate.GOOD, NOON, since=NOON)
    await department.store.write(lambda tx: (tx.save_release(web), tx.save_deployment(row)))
    sidecar = f"docker.io/istio/proxyv2@{digest('istio', '1.20')}"
    department.gitops.becomes("production", automated=False)
    department.cluster.becomes(API, images=(sidecar, image("api", "1.7.2")))
    department.cluster.becomes(WEB, images=(sidecar, image("web", "5.1.0")))
    assert await rounds(3) == {}
    assert "none in 4 environments" in await department.say("vera", "status")
    department.cluster.becomes(API, images=(sidecar, image("api", "1.8.1")))
    department.cluster.becomes(WEB, images=(sidecar, image("web", "6.0.0")))
    assert sorted(await rounds(2)) == [("api", "production"), ("web", "production-nyc2")]


async def test_an_operation_of_our_own_is_no_drift(department: Department, rounds: Rounds) -> None:
    await department.reported("1.8.1")
    made = await department.proposed("anna", "promote api 1.8.1")
    running = made.moved(State.APPROVED).moved(State.RUNNING)
    await department.store.write(lambda tx: tx.save_operation(running))
    department.cluster.becomes(API, images=(image("api", "1.8.1"),))
    department.gitops.becomes("production", automated=False)
    assert await rounds(3) == {}
    done = replace(running.moved(State.SUCCEEDED), ended_at=department.clock.at)
    await department.store.write(lambda tx: tx.save_operation(done))
    assert list(await rounds(2)) == [("api", "production")]


@pytest.mark.parametrize("who", ["cluster", "tool", "github"])
async def test_what_can_not_be_read_is_unknown(department: Department, rounds: Rounds, who: str) -> None:
    match who:
        case "cluster":
            department.cluster.away.add("sfo3")
        case "tool":
            department.gitops.silent.add("production")
        case "github":
            department.forge.away = True
    assert await rounds(3) == {}
    assert "0 of 4 environments differ, 1 unknown" in await department.say("vera", "status")


async def test_the_unknown_ends_no_alert(department: Department, rounds: Rounds) -> None:
    department.cluster.becomes(API, images=(image("api", "1.8.1"),))
    department.gitops.becomes("production", automated=False)
    first = await rounds(2)
    department.gitops.silent.add("production")
    assert await rounds(3) == first


async def test_a_watch_that_stopped_is_not_well(department: Department, rounds: Rounds) -> None:
    await rounds(1)
    department.clock.at += timedelta(minutes=10)
    assert "unknown: not looked at since" in await department.say("vera", "status")


async def test_a_file_is_read_again_only_when_its_commit_changes(department: Department, rounds: Rounds) -> None:
    reads = 0
    real = department.forge.read

    async def counted(*args: str):
        nonlocal reads
        reads += 1
        return await real(*args)

    department.forge.read = counted  # type: ignore[method-assign]
    await rounds(5)
    assert reads == 1
    department.gitops.becomes("production", wanted="beef")
    await rounds(3)
    assert reads == 2
    await rounds(12)
    assert reads == 3, "and once in ten minutes: a tool may be behind"
