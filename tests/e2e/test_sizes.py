"""Right-sizing and posture of the simulated department, over a running pult, to pull requests that wait for people."""

from __future__ import annotations

import pytest
import yaml

from bot.simulator.github.state import Forge
from tests.department import Department
from tests.pult_fixtures import Make
from tests.pult_process import Pult

FILE = "deploy/production/kustomization.yaml"
GITOPS = {"tool": "argocd", "application": "api", "repo": "dept/api", "path": FILE}
API = {
    "name": "api", "namespace": "production", "clusters": ["nyc2"], "repo": "dept/api",
    "environments": [{"name": "production", "cluster": "nyc2", "namespace": "production", "gitops": GITOPS}],
}  # fmt: skip


@pytest.fixture
async def owned(make: Make) -> Pult:
    """api is kept in git."""
    pult = make()
    pult.configure(services=[*(each for each in pult.settings["services"] if each["name"] != "api"), API])
    await pult.start()
    return pult


@pytest.mark.alone
async def test_what_they_need_and_why_not(owned: Pult) -> None:
    """bots ran out of memory under 512Mi: a quarter more. web's autoscaler goes by the request."""
    api = await owned.ask("chen", "rightsize api")
    assert api["ok"], api
    assert "+++ b/deploy/production/rightsize-api.yaml" in api["text"]
    assert "Memory of api, its hungriest pod" in api["text"]
    bots = (await owned.ask("chen", "размер bots"))["text"]
    assert "640Mi" in bots
    assert "pult knows no deployment file" in bots
    assert "memory: 640Mi" in bots, "the patch is there all the same"
    assert "measures cpu against the request" in (await owned.ask("chen", "rightsize web"))["text"]
    posture = await owned.ask("chen", "журнал posture")
    assert posture["ok"], posture
    assert "May run as root" in posture["text"]


@pytest.mark.parametrize(
    ("words", "path"), [("rightsize api --pull", "rightsize-api"), ("audit posture api --pull", "networkpolicy-api")]
)
async def test_a_pull_request_waits_for_people(owned: Pult, department: Department, words: str, path: str) -> None:
    ident = await owned.proposed("anna", words)
    assert (await owned.ask("boris", f"approve {ident}"))["ok"]
    await owned.becomes(ident, "succeeded")
    forge = department.simulation.world.github
    assert isinstance(forge, Forge)
    repo = forge.repository("dept/api")
    branch, main = repo.branch(f"pult/{ident}").files, repo.branch("main").files
    assert f"deploy/production/{path}.yaml" in branch
    assert f"deploy/production/{path}.yaml" not in main, "nothing is merged"
    before, after = yaml.safe_load(main[FILE]), yaml.safe_load(branch[FILE])
    assert after["images"] == before["images"]
    assert after["resources"][:1] == before["resources"]
