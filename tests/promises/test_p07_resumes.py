"""Promise 7: an operation killed at any step resumes there, and its side effects happen once."""

import asyncio
from collections.abc import Callable

import pytest

from bot.simulator.kubernetes import images
from tests.department import Department, until
from tests.promises.releases import released
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

SLOW = pytest.mark.parametrize("department", [15], indirect=True)
"""Slow enough for a kill, and a start of seconds, to fall into the middle of a rollout."""
SLOW_ANSWER = 3.0
"""Seconds; a start takes less."""
WEB_BY_FLUX = {
    "name": "web",
    "namespace": "production",
    "clusters": ["nyc2"],
    "repo": "dept/web",
    "gitops": {"tool": "flux", "application": "web", "path": "deploy/production/kustomization.yaml"},
}
API_BY_ARGO = WEB_BY_FLUX | {
    "name": "api",
    "repo": "dept/api",
    "gitops": {"tool": "argocd", "application": "api", "path": "deploy/production/kustomization.yaml"},
}


@BOTH
@SLOW
@pytest.mark.timeout(120)
async def test_a_promotion_killed_at_each_step_changes_the_image_once(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.0")
    before = department.deployment("api")["metadata"]["generation"]
    ident = await pult.proposed("anna", "promote api 1.8.0")
    await pult.restart()
    await pult.ask("boris", f"approve {ident}")
    await _killed_once(pult, lambda: department.patches("api") > 0)
    await _killed_once(pult, lambda: department.deployment("api")["status"].get("updatedReplicas", 0) > 0)
    await _killed_once(pult, lambda: _runs(department, "api", "1.8.0"))
    await pult.becomes(ident, "succeeded")
    assert department.deployment("api")["metadata"]["generation"] == before + 1
    assert department.patches("api") == 1
    assert [entry["result"] for entry in await pult.audited()] == ["proposed", "approved", "running", "succeeded"]


@SLOW
async def test_an_approval_answered_and_killed_at_once_still_runs(pult: Pult, department: Department) -> None:
    ident = await pult.proposed("anna", "restart worker")
    before = department.deployment("worker")["metadata"]["generation"]
    assert (await pult.ask("anna", f"approve {ident}"))["ok"]
    await pult.restart()
    await _killed_once(pult, lambda: department.patches("worker") > 0)
    await pult.becomes(ident, "succeeded")
    assert department.deployment("worker")["metadata"]["generation"] == before + 1


@SLOW
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("service", "version"), [(WEB_BY_FLUX, "5.1.0"), (API_BY_ARGO, "1.8.0")], ids=["flux", "argo"])
async def test_a_promotion_through_git_killed_at_each_step_commits_once(
    make: Make, department: Department, service: dict, version: str
) -> None:
    pult, name = make(), service["name"]
    others = [each for each in pult.settings["services"] if each["name"] != name]
    pult.configure(services=[*others, service])
    await pult.start()
    await released(pult, name, version)
    before = department.commits(f"dept/{name}")
    ident = await pult.proposed("anna", f"promote {name} {version}")
    await pult.ask("chen", f"approve {ident}")
    await _killed_once(pult, lambda: department.commits(f"dept/{name}") > before)
    await _killed_once(pult, lambda: _asks_for(department, name, version))
    await _killed_once(pult, lambda: _runs(department, name, version))
    await pult.becomes(ident, "succeeded")
    assert department.commits(f"dept/{name}") == before + 1
    assert department.patches(name) == 0, "git owns it"
    assert _runs(department, name, version)


@SLOW
@pytest.mark.timeout(120)
async def test_a_failover_killed_at_each_step_fences_promotes_and_shifts_once(
    pult: Pult, department: Department
) -> None:
    cloud = department.cloud
    ident = await pult.proposed("anna", "failover nyc2 to sfo3")
    await pult.ask("chen", f"approve {ident}")
    await _killed_once(pult, lambda: cloud.fenced("db-nyc2"))
    await _killed_once(pult, lambda: "db-sfo3" in cloud.primaries())
    await _killed_once(pult, lambda: cloud.traffic() == "sfo3")
    await pult.becomes(ident, "succeeded")
    assert cloud.writable() == {"db-sfo3"}
    asked = [path for method, path in cloud.calls if method != "GET"]
    assert sum("promote" in path for path in asked) == 1
    assert sum("/records/" in path for path in asked) == 1


async def test_a_change_that_was_on_its_way_when_it_was_killed_happens_once(pult: Pult, department: Department) -> None:
    """The API server works on what it was sent although the sender is dead, and after the next start's own change."""
    before = department.deployment("worker")["metadata"]["generation"]
    ident = await pult.proposed("anna", "restart worker")
    await department.fault("slow", "kubernetes", delay=SLOW_ANSWER)
    await pult.ask("anna", f"approve {ident}")
    await until("the step does not begin", lambda: _begun(pult, ident))
    await asyncio.sleep(SLOW_ANSWER + 0.4)  # the step's own look is answered: its change is on its way
    await pult.kill()
    await department.recovers()
    await pult.start()
    await pult.becomes(ident, "succeeded")
    await asyncio.sleep(SLOW_ANSWER)  # whatever was on its way has arrived, before or after the next start's own
    assert department.deployment("worker")["metadata"]["generation"] == before + 1


async def test_a_failed_step_waits_for_a_person_across_a_kill(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    department.cluster("nyc2").deny("patch", "deployments")
    await pult.ask("boris", f"approve {ident}")
    await pult.becomes(ident, "paused")
    await pult.restart()
    assert await pult.state(ident) == "paused"
    assert not (await pult.ask("vera", f"resume {ident} retry"))["ok"]
    assert await pult.state(ident) == "paused"
    department.cluster("nyc2").denials.clear()
    before = department.deployment("api")["metadata"]["generation"]
    assert (await pult.ask("anna", f"resume {ident} retry"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert department.deployment("api")["metadata"]["generation"] == before + 1


async def test_a_plan_that_cannot_be_checked_changes_nothing_and_says_so(pult: Pult, department: Department) -> None:
    ident = await pult.proposed("anna", "restart worker")
    await department.fault("error", "kubernetes")
    await pult.ask("anna", f"approve {ident}")
    assert "Nothing was changed" in await pult.becomes(ident, "failed")
    await department.recovers()
    assert department.patches("worker") == 0
    again = await pult.proposed("anna", "restart worker")
    await pult.ask("anna", f"approve {again}")
    await pult.becomes(again, "succeeded")


async def _begun(pult: Pult, ident: str) -> bool:
    return "▶ " in (await pult.ask("anna", f"op {ident}"))["text"]


async def _killed_once(pult: Pult, moment: Callable[[], bool]) -> None:
    """Let it run until *moment*, then kill -9 and start it again."""

    async def come() -> bool:
        return moment()

    await until("the step was never reached", come)
    await pult.restart()


def _asks_for(department: Department, service: str, version: str) -> bool:
    """Whether the tool has applied it, rolled out or not."""
    containers = department.deployment(service)["spec"]["template"]["spec"]["containers"]
    return any(each["image"] == images.image(service, version) for each in containers)


def _runs(department: Department, service: str, version: str) -> bool:
    clusters = department.simulation.world.clusters
    assert clusters is not None
    return clusters.image("nyc2", "production", service) == images.image(service, version)
