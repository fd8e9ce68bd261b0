"""Two regions, one after the other: the second only once the first is verified, and not at all when that is bad."""

from __future__ import annotations

import pytest

from tests.department import OPS, Department, Json
from tests.probed import Probe, probe
from tests.pult_fixtures import Make, fresh
from tests.pult_process import Pult
from tests.releasing import ARGO, PRODUCTION, SFO3, announced, approved, committed, runs, serves, trail

__all__ = ["fresh", "probe"]
pytestmark = pytest.mark.timeout(180)


def regions(pult: Pult, probe: Probe, **rules: str) -> None:
    """sfo3, which nobody's GitOps owns, goes before nyc2, which is Argo CD's."""
    verification: Json = {"probes": [{"url": probe.url}], **rules}
    second = {**PRODUCTION, "after": "production-sfo3", "gitops": ARGO}
    serves(pult, "api", {**SFO3, "verification": verification}, second)


async def test_the_second_region_begins_once_the_first_is_verified(
    make: Make, department: Department, probe: Probe
) -> None:
    pult = make()
    regions(pult, probe)
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    ident = await approved(pult, "promote api 1.8.0")
    plan = (await pult.ask("anna", f"op {ident}", locale="en"))["text"]
    assert "production-sfo3 → production: each begins only after the one before it is verified." in plan
    commits = department.commits("dept/api")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert (runs(department, "api", region="sfo3"), runs(department, "api")) == ("1.8.0", "1.8.0")
    assert department.commits("dept/api") == commits + 1
    (operation,) = (await trail(pult, "api/1.8.0"))["operations"]
    steps = {step["name"]: step for step in operation["steps"]}
    assert steps["verify production-sfo3"]["ended_at"] <= steps["apply production"]["started_at"], steps
    back = await approved(pult, "rollback api", "anna")
    await pult.becomes(back, "succeeded")
    assert (runs(department, "api", region="sfo3"), runs(department, "api")) == ("1.7.2", "1.7.2")


async def test_the_second_region_is_never_touched_when_the_first_is_bad(
    make: Make, department: Department, probe: Probe
) -> None:
    probe.status = 503
    pult = make()
    regions(pult, probe, on_bad="rollback", bake="30s")
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    commits, before = department.commits("dept/api"), department.deployment("api")["metadata"]["generation"]
    ident = await approved(pult, "promote api 1.8.0", "boris")
    await department.slack_shows("It is undone now", OPS)
    probe.status = 200
    card = await pult.becomes(ident, "undone")
    assert "api 1.8.0 is bad in production-sfo3" in card
    assert (runs(department, "api", region="sfo3"), runs(department, "api")) == ("1.7.2", "1.7.2")
    assert department.patches("api", "sfo3") == 2, "there and back"
    assert (department.commits("dept/api"), committed(department, "api")) == (commits, "1.7.2")
    assert department.deployment("api")["metadata"]["generation"] == before
    await department.slack_shows("api 1.8.0: rolled back (production-sfo3)", OPS)
