"""What goes wrong on a promotion's way: somebody pushes, GitHub goes away, a right is missing, a region is bad."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.simulator.kubernetes import images
from tests.department import Department, until
from tests.probed import Probe, probe
from tests.pult_fixtures import Make, fresh
from tests.pult_process import Pult
from tests.releasing import (
    ARGO,
    FILE,
    PRODUCTION,
    SFO3,
    announced,
    approved,
    committed,
    repository,
    runs,
    serves,
)

__all__ = ["fresh", "probe"]
pytestmark = pytest.mark.timeout(180)


async def by_argo(make: Make, department: Department) -> Pult:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gitops": ARGO})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    return pult


def pushed(department: Department, **files: str) -> None:
    """Somebody pushes to main; names are paths with two underscores for a slash."""
    repo = repository(department, "api")
    tree = repo.history.commits[repo.history.branches["main"]].files
    new = {path.replace("__", "/"): text.encode() for path, text in files.items()}
    repo.commit("main", "chore: by hand", {**tree, **new}, datetime.now(UTC), "chen")


async def test_who_pushes_another_digest_meanwhile_is_not_overwritten(make: Make, department: Department) -> None:
    pult = await by_argo(make, department)
    ident = await approved(pult, "promote api 1.8.0")
    history = repository(department, "api").history
    text = history.commits[history.branches["main"]].files[FILE].decode()
    theirs = text.replace(images.digest("api", "1.7.2"), images.digest("api", "1.8.1"))
    pushed(department, **{FILE: theirs})
    commits = department.commits("dept/api")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    card = await pult.becomes(ident, "failed")
    assert "Nothing was changed" in card
    assert "kustomization.yaml was changed after this was planned" in card
    assert (department.commits("dept/api"), committed(department, "api")) == (commits, "1.8.1")


async def test_who_pushes_something_else_meanwhile_is_no_obstacle(make: Make, department: Department) -> None:
    pult = await by_argo(make, department)
    ident = await approved(pult, "promote api 1.8.0")
    history = repository(department, "api").history
    text = history.commits[history.branches["main"]].files[FILE].decode()
    pushed(department, **{FILE: "# ours\n" + text, "README__md": "hello"})
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    now = history.commits[history.branches["main"]].files[FILE].decode()
    assert now.startswith("# ours\n")
    assert (runs(department, "api"), committed(department, "api")) == ("1.8.0", "1.8.0")


async def test_a_right_that_is_missing_in_the_middle_pauses_and_a_retry_goes_on(
    make: Make, department: Department
) -> None:
    pult = await by_argo(make, department)
    commits = department.commits("dept/api")
    ident = await approved(pult, "promote api 1.8.0")
    cluster = department.cluster("nyc2")
    cluster.deny("patch", "applications", group="argoproj.io")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    card = await pult.becomes(ident, "paused")
    assert department.commits("dept/api") == commits + 1
    assert "patch" in card, "which right is missing"
    cluster.denials.clear()
    assert (await pult.ask("anna", f"resume {ident} retry"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert department.commits("dept/api") == commits + 1
    assert runs(department, "api") == "1.8.0"


async def test_github_away_before_the_commit_changes_nothing_and_after_it_fails_nothing(
    make: Make, department: Department
) -> None:
    pult = await by_argo(make, department)
    commits = department.commits("dept/api")
    ident = await approved(pult, "promote api 1.8.0")
    await department.fault("error", "github")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    card = await pult.becomes(ident, "failed")
    assert "Nothing was changed" in card
    await department.recovers()
    assert department.commits("dept/api") == commits
    again = await approved(pult, "promote api 1.8.0", "boris")
    await until("it is not committed", lambda: _committed(department, commits + 1))
    await department.fault("error", "github")
    card = await pult.becomes(again, "succeeded")
    assert "GitHub was not told: GitHub does not answer" in card
    assert (department.commits("dept/api"), runs(department, "api")) == (commits + 1, "1.8.0")


async def test_when_the_second_region_is_bad_both_go_back_the_last_one_first(
    make: Make, department: Department, probe: Probe
) -> None:
    pult = make()
    verification = {"probes": [{"url": probe.url}]}
    second = {**PRODUCTION, "after": "production-sfo3", "gitops": ARGO, "verification": verification}
    serves(pult, "api", SFO3, second)
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    probe.status = 503
    ident = await approved(pult, "promote api 1.8.0", "boris")
    card = await pult.becomes(ident, "paused")
    assert "api 1.8.0 is bad in production" in card
    assert (runs(department, "api", region="sfo3"), runs(department, "api")) == ("1.8.0", "1.8.0")
    probe.status = 200
    assert (await pult.ask("anna", f"resume {ident} undo"))["ok"]
    card = await pult.becomes(ident, "undone")
    assert "What ran before of api runs in production-sfo3, production again" in card
    assert (runs(department, "api", region="sfo3"), runs(department, "api")) == ("1.7.2", "1.7.2")
    back = [line for line in card.splitlines() if "back in production" in line]
    assert ["production-sfo3" in line for line in back] == [False, True], card


async def _committed(department: Department, commits: int) -> bool:
    return department.commits("dept/api") == commits
