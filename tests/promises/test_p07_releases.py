"""Promise 7: a rollback, and a promotion to two regions, killed at each step resume there; all happens once."""

from collections.abc import Callable

import pytest

from tests.department import Department, until
from tests.promises.test_p07_resumes import SLOW
from tests.promises.test_p07_undo import fates
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.releasing import ARGO, PRODUCTION, SFO3, announced, approved, by_hand, committed, rolled, runs, serves

pytestmark = [SLOW, pytest.mark.timeout(180)]


@pytest.mark.alone
async def test_a_rollback_by_argo_cd_killed_at_each_step_reverts_once(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gitops": ARGO})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    await pult.becomes(await approved(pult, "promote api 1.8.0", "boris"), "succeeded")
    commits = department.commits("dept/api")
    ident = await approved(pult, "rollback api")
    await pult.restart()
    assert (await pult.ask("anna", f"approve {ident}"))["ok"]
    await _killed_once(pult, lambda: department.commits("dept/api") > commits)
    await _killed_once(pult, lambda: _rolls(department) or runs(department, "api") == "1.7.2")
    await _killed_once(pult, lambda: runs(department, "api") == "1.7.2")
    await pult.becomes(ident, "succeeded")
    assert department.commits("dept/api") == commits + 1
    assert (committed(department, "api"), runs(department, "api")) == ("1.7.2", "1.7.2")
    assert department.patches("api") == 0, "git owns it"
    assert fates(pult) == ["back", "good"]


async def test_a_rollback_by_history_killed_at_each_step_undoes_once(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "bots", PRODUCTION)
    await by_hand(department, "bots", "3.2.1")
    await rolled(department, "bots", "3.2.1")
    await pult.start()
    before, patches = department.deployment("bots")["metadata"]["generation"], department.patches("bots")
    ident = await approved(pult, "rollback bots", "anna")
    await _killed_once(pult, lambda: department.patches("bots") > patches)
    await _killed_once(pult, lambda: runs(department, "bots") == "3.2.0")
    await pult.becomes(ident, "succeeded")
    await rolled(department, "bots", "3.2.0")
    assert department.deployment("bots")["metadata"]["generation"] == before + 1
    assert department.patches("bots") == patches + 1


async def test_a_promotion_to_two_regions_killed_at_each_step_changes_each_once_and_in_order(
    make: Make, department: Department
) -> None:
    pult = make()
    serves(pult, "api", SFO3, {**PRODUCTION, "after": "production-sfo3", "gitops": ARGO})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    commits = department.commits("dept/api")
    ident = await approved(pult, "promote api 1.8.0", "boris")
    await _killed_once(pult, lambda: department.patches("api", "sfo3") > 0)
    assert department.commits("dept/api") == commits
    await _killed_once(pult, lambda: runs(department, "api", region="sfo3") == "1.8.0")
    await _killed_once(pult, lambda: department.commits("dept/api") > commits)
    assert runs(department, "api", region="sfo3") == "1.8.0"
    await _killed_once(pult, lambda: runs(department, "api") == "1.8.0")
    await pult.becomes(ident, "succeeded")
    assert department.patches("api", "sfo3") == 1
    assert department.commits("dept/api") == commits + 1
    assert fates(pult) == ["good", "good"]


def _rolls(department: Department) -> bool:
    """Pods are being replaced; where starting pult takes long, that may be over before anybody looks."""
    return department.deployment("api")["status"].get("updatedReplicas", 0) < 4


async def _killed_once(pult: Pult, moment: Callable[[], bool]) -> None:
    """Let it run until *moment*, then kill -9 and start it again."""

    async def come() -> bool:
        return moment()

    await until("the step was never reached", come)
    await pult.restart()
