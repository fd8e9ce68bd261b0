"""Each hand that may own a workload, once there and once back: canary, history, pull request, pipeline; and freezes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.simulator.github.state import Run
from tests.department import Department
from tests.probed import Probe, probe
from tests.pult_fixtures import Make, fresh
from tests.releasing import (
    ARGO,
    PRODUCTION,
    Canary,
    announced,
    approved,
    by_hand,
    committed,
    done,
    github,
    repository,
    rolled,
    runs,
    says,
    serves,
)

__all__ = ["fresh", "probe"]
pytestmark = pytest.mark.timeout(180)


async def test_a_canary_goes_on_at_each_pause_once_it_is_verified_there(
    make: Make, department: Department, probe: Probe
) -> None:
    canary, pult = Canary(department), make()
    await canary.healthy()
    serves(pult, "api", Canary.PLACE, verification={"probes": [{"url": probe.url}]})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    _, card = await done(pult, "promote api 1.8.0", "boris")
    assert "4 of 4 pods available" in card
    await canary.healthy()
    assert canary.asks_for == "1.8.0"
    assert canary.now["status"]["currentStepIndex"] == len(Canary.STEPS)
    assert probe.asked >= 3, "at both pauses, and at the end"


async def test_a_canary_by_argo_cd_that_is_bad_at_its_first_pause_goes_no_further(
    make: Make, department: Department, probe: Probe
) -> None:
    canary, pult = Canary(department), make()
    await canary.healthy()
    probe.status = 503
    serves(pult, "api", {**Canary.PLACE, "gitops": ARGO}, verification={"probes": [{"url": probe.url}]})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    commits = department.commits("dept/api")
    ident = await approved(pult, "promote api 1.8.0", "boris")
    card = await pult.becomes(ident, "paused")
    assert "api 1.8.0 is bad in production" in card
    await canary.waits_at(1)
    probe.status = 200
    assert (await pult.ask("anna", f"resume {ident} undo"))["ok"]
    await pult.becomes(ident, "undone")
    await canary.healthy()
    assert (canary.asks_for, committed(department, "api")) == ("1.7.2", "1.7.2")
    assert department.commits("dept/api") == commits + 2


async def test_a_canary_that_somebody_else_began_is_aborted(make: Make, department: Department) -> None:
    canary, pult = Canary(department), make()
    await canary.healthy()
    serves(pult, "api", Canary.PLACE)
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    canary.set_image("1.8.0")
    await canary.waits_at(1)
    plan, _ = await done(pult, "rollback api", "anna")
    assert "By aborting the rollout that is under way" in plan
    assert "Roll back api to 1.7.2 in production" in plan
    await canary.healthy()
    assert canary.asks_for == "1.7.2"


async def test_what_nobody_owns_goes_back_by_its_own_history(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "bots", PRODUCTION)
    await pult.start()
    await announced(pult, department, "bots", "3.2.0", "3.2.1")
    await by_hand(department, "bots", "3.2.1")
    await rolled(department, "bots", "3.2.1")
    before = department.deployment("bots")["metadata"]["generation"]
    plan, _ = await done(pult, "rollback bots", "anna")
    assert "By the workload's own history: nothing else owns it." in plan
    assert "it ran here before, by the cluster's history" in plan
    await rolled(department, "bots", "3.2.0")
    assert department.deployment("bots")["metadata"]["generation"] == before + 1


async def test_where_the_branch_takes_pull_requests_only_pult_merges_one_there_and_one_back(
    make: Make, department: Department
) -> None:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gitops": {**ARGO, "by": "pull"}})
    repository(department, "api").protected.add("main")
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    _, card = await done(pult, "promote api 1.8.0", "boris")
    assert "is merged as" in card
    assert (runs(department, "api"), committed(department, "api")) == ("1.8.0", "1.8.0")
    plan, _ = await done(pult, "rollback api", "anna")
    assert "By git: Argo CD owns the workload" in plan
    assert (runs(department, "api"), committed(department, "api")) == ("1.7.2", "1.7.2")
    titles = [pull.title for pull in repository(department, "api").pulls if pull.merged_at]
    assert titles == ["deploy: api 1.8.0 to production", "revert: api 1.7.2 to production"]


async def test_a_run_that_waits_at_its_gate_gets_its_word(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gate": "production", "workflow": "deploy.yml"})
    repo = repository(department, "api")
    sha = repo.history.tags["v1.8.0"]
    repo.runs.append(
        Run(9002, "deploy.yml", "v1.8.0", sha, "push", datetime.now(UTC), ["production"], status="waiting")
    )
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    url = "https://api.github.com/repos/dept/api/actions/runs/9002/deployment_protection_rule"
    changes = {"sha": sha, "ref": "refs/tags/v1.8.0", "deployment_callback_url": url}
    await github(pult, department, "deployment_protection_rule", "deployment-protection-rule-requested", **changes)
    await department.slack_shows("waits for a word before production", "C0OPS")
    ident = await approved(pult, "promote api 1.8.0", "boris")
    card = await pult.becomes(ident, "succeeded")
    assert "9002" in card
    assert runs(department, "api") == "1.8.0"
    answers = [(each.run, each.state, each.comment) for each in repo.decisions]
    assert answers == [(9002, "approved", f"pult operation {ident}")]
    assert department.patches("api") == 0, "the pipeline owns it"


async def test_where_no_run_waits_the_workflow_is_started_there_and_back(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gate": "production", "workflow": "deploy.yml"})
    repo = repository(department, "api")
    before = len(repo.runs)
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    await done(pult, "promote api 1.8.0", "boris")
    assert runs(department, "api") == "1.8.0"
    plan, _ = await done(pult, "rollback api", "anna")
    assert "By the pipeline: it is what deploys there." in plan
    assert runs(department, "api") == "1.7.2"
    started = [(run.event, run.conclusion, run.environment) for run in repo.runs[before:]]
    assert started == [("workflow_dispatch", "success", "production")] * 2
    assert not repo.decisions
    assert department.patches("api") == 0


async def test_a_freeze_holds_a_promotion_until_it_is_overridden_and_never_a_rollback(
    make: Make, department: Department
) -> None:
    pult = make()
    serves(pult, "bots", PRODUCTION)
    await pult.start()
    await announced(pult, department, "bots", "3.2.0", "3.2.1")
    assert (await pult.ask("chen", "freeze bots 2h the database is being moved"))["ok"]
    ident = await pult.proposed("anna", "promote bots 3.2.1")
    refused = await pult.ask("boris", f"approve {ident}", locale="en")
    assert not refused["ok"]
    assert "is held by freeze" in refused["text"]
    await says(pult, ident, "the database is being moved")
    assert not (await pult.ask("boris", f"approve {ident} --override freeze", locale="en"))["ok"], "without a reason"
    assert department.patches("bots") == 0
    said = await pult.ask("boris", f"approve {ident} --override freeze the fix ends an outage", locale="en")
    assert said["ok"], said["text"]
    card = await pult.becomes(ident, "succeeded")
    assert "the fix ends an outage" in card
    assert runs(department, "bots") == "3.2.1"
    await done(pult, "rollback bots", "anna")
    assert runs(department, "bots") == "3.2.0"
    deeds = [(deed["person"], deed["action"]) for deed in await pult.audited() if "outage" in deed["detail"]]
    assert ("boris", "override") in deeds, await pult.audited()
