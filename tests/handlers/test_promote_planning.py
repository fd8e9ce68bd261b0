"""What a promotion is planned on: one digest that everybody agrees on, evidence in rows, holds, targets in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import tests.handlers.department as place
from bot.domain.alerts import Alert
from bot.domain.evidence import Finding, Result, scanned
from bot.domain.operations import Operation
from bot.domain.policy import Condition, More, Policy
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Catalogue, GitOps, Service, Verification
from bot.domain.sightings import Gate
from bot.domain.slo import BURN_WINDOWS, over
from bot.domain.targets import Hand
from bot.ports.forge import Commit, Comparison
from bot.ports.pipeline import Check
from tests.handlers.department import API, MONTH, PRODUCTION, STAGING, Department, alert, read
from tests.handlers.department import Check as ReadsAs
from tests.handlers.fakes import NOON, digest, image
from tests.handlers.fakes_releases import sha

IMAGE = "registry.example/dept/api"
NEW_CRITICAL = Finding("critical", "CVE-2026-0001", "openssl", fixed=True)
OLD_CRITICAL = Finding("critical", "CVE-2025-9999", "zlib", fixed=True)
NO_FIX = Finding("critical", "CVE-2026-0002", "glibc")


@pytest.fixture
async def told(department: Department) -> Department:
    """1.7.2 runs, 1.8.0 has been in staging for two hours; GitHub knows both."""
    await department.reported("1.7.2", stage="released", commit=sha("1.7.2"), scan=scanned([OLD_CRITICAL]))
    await department.reported(
        "1.8.0", commit=sha("1.8.0"), scan=scanned([]), migrations=None,
        results={"tests": Result(good=True, passed=412), "e2e": Result(good=True)},
        evidence={"tests": "412 passed", "trivy": "0 critical, 0 high", "e2e": "passed"},
    )  # fmt: skip
    forge = department.forge
    forge.refs = {f"tags/v{version}": sha(version) for version in ("1.7.2", "1.8.0")}
    forge.checked = {sha("1.8.0"): (Check("test", "success"), Check("build", "success"))}
    commits = (
        Commit("a" * 40, "feat(items): cursor pagination (#41)", "anna", NOON),
        Commit("b" * 40, "fix(db): retry serialization failures once", "boris", NOON),
    )
    url = f"https://github.com/dept/api/compare/{sha('1.7.2')}...{sha('1.8.0')}"
    forge.compared = {(sha("1.7.2"), sha("1.8.0")): Comparison(commits, ("src/items.py",), url=url)}
    await ran(department, "staging", "1.8.0", NOON - timedelta(hours=2))
    budget_left(department)
    return department


def budget_left(department: Department) -> None:
    """Nine tenths of the budget of the API's SLO."""
    slo = place.SLOS[0]
    for window in (MONTH, *BURN_WINDOWS):
        department.metrics.answers |= dict(zip(slo.queries(window), (1e6, 100.0), strict=True))
    department.metrics.answers[over(slo.total, slo.window / 30)] = 1e6


async def ran(department: Department, environment: str, version: str, since=NOON, fate: Fate = Fate.GOOD) -> None:
    row = Deployment("api", environment, version, digest("api", version), fate, since, since=since)
    await department.store.write(lambda tx: tx.save_deployment(row))


def rows(operation: Operation) -> dict[str, str]:
    return {what.plain(): said.plain() for what, said in operation.plan.evidence}


def held(operation: Operation) -> dict[str, str]:
    return {hold.name: hold.why.plain() for hold in operation.plan.holds}


async def planned(department: Department, words: str = "promote api 1.8.0") -> Operation:
    return await department.proposed("anna", words)


async def test_a_good_release_is_held_by_nothing(told: Department) -> None:
    made = await planned(told)
    assert held(made) == {}
    assert made.plan.approvals == 0
    assert rows(made) == {
        "runs now": f"1.7.2, {digest('api', '1.7.2')[:19]}",
        "new digest": digest("api", "1.8.0")[:19],
        "CI": "✓ 2 checks passed",
        "Tests": "✓ 412 passed",
        "End-to-end tests": "✓ passed",
        "Trivy": "✓ none critical, none high; against what runs: 0 new, 1 gone",
        "Soak": "✓ 7200 s in staging",
        "Budget of availability": "✓ 90.0\N{NO-BREAK SPACE}%, 39\N{NO-BREAK SPACE}min",
        "Incidents": "✓ none",
        "Migrations": "✓ none",
        "Changes": "· 2 commits, 1 feature, 1 fix",
    }


@pytest.mark.parametrize(
    ("stage", "said"),
    [("ready", "✓ 1 check passed"), ("tested", "? still runs: 9 verify"), ("staging", "? still runs: 9 verify")],
)
async def test_the_job_that_waits_for_the_promotion_holds_it_not(told: Department, stage: str, said: str) -> None:
    """Step 9 of the pipeline runs until people have approved; before it said ready its jobs do count."""
    run = "https://github.com/dept/api/actions/runs/42"
    await told.reported("1.8.0", stage=stage, commit=sha("1.8.0"), url=run)
    waits = Check("9 verify", "pending", f"{run}/job/7")
    told.forge.checked[sha("1.8.0")] = (Check("4 test", "success", f"{run}/job/3"), waits)
    assert rows(await planned(told))["CI"] == said


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check("lint", "pending", "https://github.com/dept/api/actions/runs/42/job/7"), "? still runs: lint"),
        (Check("scan", "failure", "https://github.com/dept/api/actions/runs/4/job/7"), "✗ failed: scan"),
    ],
)
async def test_another_run_is_waited_for_and_what_failed_has_failed(told: Department, check: Check, said: str) -> None:
    await told.reported("1.8.0", commit=sha("1.8.0"), url="https://github.com/dept/api/actions/runs/4")
    told.forge.checked[sha("1.8.0")] = (check,)
    assert rows(await planned(told))["CI"] == said


async def test_what_ci_says(told: Department) -> None:
    checks = told.forge.checked
    checks[sha("1.8.0")] = (Check("test", "failure", "https://github.com/x"), Check("build", "success"))
    assert held(await planned(told)) == {"ci": "failed: test."}


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((), "? unknown: the commit has no checks"),
        ((Check("test", "pending"), Check("build", "success")), "? still runs: test"),
    ],
)
async def test_what_ci_does_not_know_holds_where_it_is_required(told: Department, checks, said: str) -> None:
    told.forge.checked[sha("1.8.0")] = checks
    free = await planned(told)
    assert (rows(free)["CI"], held(free)) == (said, {})
    await told.say("anna", f"cancel {free.id}")
    await told.reported("1.8.0", commit=sha("1.8.0"), results={}, evidence={})
    told.policy = Policy({"promote": replace(Policy().rule("promote"), require=frozenset({"ci"}))})
    assert set(held(await planned(told))) == {"ci"}


async def test_tests_that_the_pipeline_told_stand_for_ci_without_checks(told: Department) -> None:
    told.forge.checked = {}
    told.policy = Policy({"promote": replace(Policy().rule("promote"), require=frozenset({"ci"}))})
    assert held(await planned(told)) == {}


async def test_nothing_told_holds_nothing_unless_required(department: Department) -> None:
    await department.reported("1.8.0", evidence={}, commit="")
    department.without = frozenset({"forge", "registry", "metrics"})
    department.cluster.becomes(replace(API, namespace="staging"), images=(image("api", "1.7.2"),))
    made = await planned(department, "promote api 1.8.0 to staging")
    assert held(made) == {}
    assert "CI" not in rows(made), "there is no GitHub to ask"
    await department.say("anna", f"cancel {made.id}")
    required = frozenset({"ci", "trivy", "e2e"})
    department.policy = Policy({"promote": replace(Policy().rule("promote"), require=required)})
    assert held(await planned(department, "promote api 1.8.0 to staging")) == {
        "ci": "ci is required, and nobody told it.",
        "trivy": "Trivy is required: unknown: no pipeline told.",
        "e2e": "End-to-end tests is required: unknown: no pipeline told.",
    }


@pytest.mark.parametrize(
    ("new", "running", "holds"),
    [
        ([], [OLD_CRITICAL], False),
        ([OLD_CRITICAL], [OLD_CRITICAL], False),
        ([NEW_CRITICAL, OLD_CRITICAL], [OLD_CRITICAL], True),
        ([NO_FIX], [], False),
        ([NEW_CRITICAL], None, True),
        ([replace(NEW_CRITICAL, severity="high")], [], False),
    ],
)
async def test_a_new_critical_with_a_fix_holds(told: Department, new, running, holds: bool) -> None:
    await told.reported("1.7.2", commit=sha("1.7.2"), scan=None if running is None else scanned(running), evidence={})
    await told.reported("1.8.0", commit=sha("1.8.0"), scan=scanned(new), evidence={"trivy": "told"})
    made = await planned(told)
    assert set(held(made)) == ({"trivy"} if holds else set())
    if holds:
        assert "CVE-2026-0001 (openssl)" in rows(made)["Trivy"]


async def test_what_failed_holds(told: Department) -> None:
    await told.reported(
        "1.8.0", commit=sha("1.8.0"), evidence={"e2e": "3 failed", "tests": "1 failed"},
        results={"e2e": Result(good=False, failed=3), "tests": Result(good=False, failed=1)},
    )  # fmt: skip
    assert held(await planned(told)) == {"tests": "1 failed.", "e2e": "3 failed."}


async def test_an_open_incident_warns_since_what_mends_it_is_a_release_too(told: Department) -> None:
    await told.fires(alert("a"))
    made = await planned(told)
    assert held(made) == {}
    assert rows(made)["Incidents"].startswith("✗")


async def test_an_open_incident_holds_where_policy_says_so(told: Department) -> None:
    told.policy = Policy({"promote": replace(Policy().rule("promote"), require=frozenset({"incident"}))})
    await told.fires(alert("a"))
    await told.fires(alert("b", service="web"), key="other", ident="a-2222")
    await told.fires(alert("c", severity="warning"), key="mild", ident="a-3333")
    assert held(await planned(told)) == {"incident": "HighErrors fires (a-7k2f)."}


async def test_an_incident_that_is_over_holds_nothing(told: Department) -> None:
    open_ = alert("a")
    await told.fires(open_)
    await told.fires(Alert(open_.fingerprint, open_.labels, {}, open_.starts_at, NOON))
    assert held(await planned(told)) == {}


@pytest.mark.parametrize(
    ("hours", "wanted", "why"),
    [
        (2, timedelta(hours=1), ""),
        (2, timedelta(hours=2), ""),
        (2, timedelta(hours=3), "7200 s in staging, and 10800 s are wanted."),
        (None, timedelta(hours=1), "Soak is required: in staging now, not yet found well there."),
    ],
)
async def test_a_soak_that_is_too_short_holds(told: Department, hours, wanted: timedelta, why: str) -> None:
    if hours is None:
        await ran(told, "staging", "1.8.0", fate=Fate.RUNNING)
    told.policy = Policy({"promote": replace(Policy().rule("promote"), soak=wanted)})
    assert list(held(await planned(told)).values()) == ([why] if why else [])


async def test_a_version_that_left_staging_has_not_soaked(told: Department) -> None:
    told.cluster.becomes(replace(API, namespace="staging"), images=(image("api", "1.8.1"),))
    made = await planned(told)
    assert (rows(made)["Soak"], held(made)) == ("· does not run in staging", {})
    await told.say("anna", f"cancel {made.id}")
    told.policy = Policy({"promote": replace(Policy().rule("promote"), soak=timedelta(minutes=30))})
    assert set(held(await planned(told))) == {"soak"}


async def test_a_version_found_bad_in_staging_is_held(told: Department) -> None:
    await ran(told, "staging", "1.8.0", NOON - timedelta(hours=1), Fate.BAD)
    assert held(await planned(told)) == {"soak": "was found bad in staging."}


async def test_migrations_are_seen_in_the_files(told: Department) -> None:
    known = told.forge.compared[sha("1.7.2"), sha("1.8.0")]
    told.forge.compared[sha("1.7.2"), sha("1.8.0")] = replace(
        known, files=("src/db/migrations/0042_items.sql", "src/db/migrations/0043_more.sql", "README.md")
    )
    assert rows(await planned(told))["Migrations"] == "· changes data: src/db/migrations/0042_items.sql and 1 more"


@pytest.mark.parametrize("cut", [{"behind": 1}, {"whole": False}, {"more": 3}], ids=str)
async def test_migrations_that_could_not_be_seen_are_not_known(told: Department, cut: dict[str, int]) -> None:
    known = told.forge.compared[sha("1.7.2"), sha("1.8.0")]
    told.forge.compared[sha("1.7.2"), sha("1.8.0")] = replace(known, **cut)
    assert rows(await planned(told))["Migrations"] == "? unknown"


@pytest.mark.parametrize(("said", "row"), [(True, "· changes data, says the pipeline"), (False, "✓ none")])
async def test_the_pipelines_word_on_migrations_counts(told: Department, said: bool, row: str) -> None:
    await told.reported("1.8.0", commit=sha("1.8.0"), migrations=said)
    assert rows(await planned(told))["Migrations"] == row


async def test_policy_asks_for_more(told: Department) -> None:
    more = (More(Condition(migrations=True), 2, "data changes"), More(Condition(budget_below=50), 3, "budget is low"))
    told.policy = Policy({"promote": replace(Policy().rule("promote"), more=more, floor=10.0)})
    await told.reported("1.8.0", commit=sha("1.8.0"), migrations=True)
    made = await planned(told)
    assert made.plan.approvals == 2
    assert [why.plain() for why in made.plan.because] == ["data changes"]
    await told.say("anna", f"cancel {made.id}")
    told.metrics.answers = {}
    told.clock.at += timedelta(minutes=2)
    made = await planned(told)
    assert made.plan.approvals == 3, "a budget that is not known counts as low"
    assert set(held(made)) == {"budget"}


async def test_who_does_not_answer_is_unknown_and_holds_nothing(told: Department) -> None:
    told.forge.away = True
    told.registry.away = True
    told.cluster.becomes(replace(API, namespace="staging"), images=(image("api", "1.7.2"),))
    made = await planned(told, "promote api 1.8.0 to staging")
    assert held(made) == {}
    assert rows(made)["CI"] == "? unknown: GitHub does not tell"
    assert rows(made)["Migrations"] == "? unknown"


# --- one digest ---


async def test_the_registry_knows_what_no_pipeline_told(told: Department) -> None:
    told.registry.digests[f"{IMAGE}:v1.8.1"] = digest("api", "1.8.1")
    made = await planned(told, "promote api 1.8.1")
    assert made.plan.targets[0].image == f"{IMAGE}@{digest('api', '1.8.1')}"
    assert made.plan.params["version"] == "1.8.1"


async def test_the_registry_completes_a_release_without_digest(told: Department) -> None:
    await told.reported("1.8.1", digest="", commit=sha("1.8.1"))
    told.registry.digests[f"{IMAGE}:1.8.1"] = digest("api", "1.8.1")
    assert (await planned(told, "promote api 1.8.1")).plan.params["digest"] == digest("api", "1.8.1")


@pytest.mark.parametrize("tag", ["1.8.0", "v1.8.0"])
async def test_a_moved_tag_of_the_registry_is_refused(told: Department, tag: str) -> None:
    told.registry.digests[f"{IMAGE}:{tag}"] = digest("api", "other")
    said = await told.say("anna", "promote api 1.8.0", ok=False)
    assert digest("api", "other") in said
    assert digest("api", "1.8.0") in said
    assert await told.store.read(lambda tx: tx.live_operations()) == ()


async def test_a_registry_that_agrees_or_is_silent_changes_nothing(told: Department) -> None:
    told.registry.digests[f"{IMAGE}:1.8.0"] = digest("api", "1.8.0")
    first = await planned(told)
    await told.say("anna", f"cancel {first.id}")
    told.registry.away = True
    assert (await planned(told)).plan.hash == first.plan.hash


async def test_a_moved_tag_of_git_is_refused(told: Department) -> None:
    told.forge.refs |= {"tags/v1.8.0": sha("9.9.9"), "main": sha("1.8.0")}
    said = await told.say("anna", "promote api 1.8.0", ok=False)
    assert sha("1.8.0")[:12] in said
    assert sha("9.9.9")[:12] in said


async def test_a_commit_that_github_does_not_know_is_not_compared(told: Department) -> None:
    await told.reported("1.8.0", commit="0123456789abcdef0123456789abcdef01234567")
    assert (await planned(told)).plan.params["commit"] == sha("1.8.0")


async def test_a_release_that_is_disputed_is_refused(told: Department) -> None:
    await told.reported("1.8.0", conflict=digest("api", "other"))
    said = await told.say("anna", "promote api 1.8.0", ok=False)
    assert digest("api", "other") in said


@pytest.mark.parametrize("version", ["1.8.0$(curl${IFS}evil)", "1.8.0;id", "@dept/owners", "1.8.0`id`"])
async def test_a_version_that_a_shell_would_run_is_not_passed_on(told: Department, version: str) -> None:
    await told.reported(version)
    said = await told.say("anna", f'promote api "{version}"', ok=False)
    assert "is no name that pult passes on to git and to workflows" in said


async def test_an_unknown_version_gets_the_nearest(told: Department) -> None:
    await told.reported("1.8.10")
    said = await told.say("anna", "promote api 1.8.01", ok=False)
    assert "The nearest it knows: 1.8.0, 1.8.10, 1.7.2." in said
    said = await told.say("anna", "promote web 1.0.0", ok=False)
    assert "nor of any other version of it" in said


async def test_a_tag_without_an_image(told: Department) -> None:
    told.forge.refs["tags/v1.9.0"] = sha("1.9.0")
    assert "api 1.9.0 has no image" in await told.say("anna", "promote api 1.9.0", ok=False)


async def test_a_pre_release_may_go_to_staging(told: Department) -> None:
    await told.reported("1.9.0-rc.1", prerelease=True)
    assert "is a pre-release" in await told.say("anna", "promote api 1.9.0-rc.1", ok=False)
    assert (await planned(told, "promote api 1.9.0-rc.1 to staging")).plan.environment == "staging"


# --- targets ---


SFO3 = replace(PRODUCTION, name="production-sfo3", cluster="sfo3", gitops=GitOps())
CHAINED = replace(PRODUCTION, gitops=GitOps(), after="production-sfo3", verification=Verification(timedelta(minutes=5)))


def chained(monkeypatch: pytest.MonkeyPatch, department: Department) -> None:
    api = Service("api", "production", "deployment", "api", ("nyc2", "sfo3"), (STAGING, SFO3, CHAINED), "dept/api")
    monkeypatch.setattr(place, "SERVICES", Catalogue([api]))
    department.cluster.runs(replace(API, cluster="sfo3"), (image("api", "1.7.2"),), 2)


async def test_the_region_before_goes_first(
    told: Department, monkeypatch: pytest.MonkeyPatch, reads_as: ReadsAs
) -> None:
    chained(monkeypatch, told)
    made = await planned(told)
    assert [target.environment.name for target in made.plan.targets] == ["production-sfo3", "production"]
    assert [step.name for step in made.plan.steps] == [
        "apply production-sfo3", "rollout production-sfo3", "verify production-sfo3",
        "apply production", "rollout production", "verify production",
    ]  # fmt: skip
    text = read((await told.reply("anna", f"op {made.id}")).message)
    reads_as("operations/promote-two-regions", text.replace(made.id, "op-0000").replace(made.plan.hash[:8], "0" * 8))
    assert rows(made)["Soak"] == "✓ 7200 s in staging", "what is in the plan itself is not where it comes from"


async def test_a_region_that_has_it_is_left_out(told: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    chained(monkeypatch, told)
    told.cluster.becomes(replace(API, cluster="sfo3"), images=(image("api", "1.8.0"),))
    made = await planned(told)
    assert [step.name for step in made.plan.steps] == ["apply", "rollout", "verify"]
    assert [target.environment.name for target in made.plan.targets] == ["production"]


@pytest.mark.parametrize(
    ("changes", "hand"),
    [
        ({}, Hand.COMMIT),
        ({"gitops": replace(PRODUCTION.gitops, by="pull")}, Hand.PULL),
        ({"gitops": GitOps()}, Hand.PATCH),
        ({"gate": "production"}, Hand.PIPELINE),
        ({"gitops": GitOps(), "workflow": "deploy.yml"}, Hand.PIPELINE),
    ],
)
async def test_the_hand_that_owns_it(
    told: Department, monkeypatch: pytest.MonkeyPatch, changes: dict, hand: Hand
) -> None:
    environments = (STAGING, replace(PRODUCTION, **changes))
    api = Service("api", "production", "deployment", "api", ("nyc2",), environments, "dept/api")
    monkeypatch.setattr(place, "SERVICES", Catalogue([api]))
    made = await planned(told)
    assert [target.hand for target in made.plan.targets] == [hand]
    synced = hand in {Hand.COMMIT, Hand.PULL}
    assert [step.name for step in made.plan.steps] == ["apply", *(["sync"] if synced else []), "rollout", "verify"]


async def test_git_that_says_something_else_is_put_right(told: Department) -> None:
    """The workload runs it already, but by hand: git would take it back at its next sync."""
    told.cluster.becomes(API, images=(image("api", "1.8.0"),))
    (target,) = (await planned(told)).plan.targets
    assert target.committed == digest("api", "1.7.2")


async def test_the_run_that_waits_for_a_word_is_answered(told: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    environments = (STAGING, replace(PRODUCTION, gitops=GitOps(), gate="production", workflow="deploy.yml"))
    api = Service("api", "production", "deployment", "api", ("nyc2",), environments, "dept/api")
    monkeypatch.setattr(place, "SERVICES", Catalogue([api]))
    gates = tuple(
        Gate("api", "production", "dept/api", run, "production", "", NOON, version)
        for run, version in ((7, "1.7.9"), (8, "1.8.0"))
    )
    await told.store.write(lambda tx: tx.put_mark(gates[0].name, gates))
    made = await planned(told)
    (target,) = made.plan.targets
    assert (target.hand, target.run) == (Hand.PIPELINE, 8)
    assert made.plan.steps[0].title.plain().startswith("Let the waiting run 8 deploy sha256:")


@pytest.mark.parametrize(
    ("sentence", "row", "holds"),
    [
        ("0 critical", "✓ 0 critical", False),
        ("2 critical", "✗ 2 critical", True),
        ("1 critical or 2 critical", "? 1 critical or 2 critical", False),
        ("Passed", "✓ passed", False),
        ("who knows", "? who knows", False),
    ],
)
async def test_a_scan_told_in_words_is_judged_by_its_critical_findings(
    told: Department, sentence: str, row: str, holds: bool
) -> None:
    await told.reported("1.9.0", commit=sha("1.8.0"), scan=None, results={}, evidence={"trivy": sentence})
    made = await planned(told, "promote api 1.9.0")
    assert rows(made)["Trivy"] == row
    assert ("trivy" in held(made)) is holds
