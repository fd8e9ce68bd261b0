"""A release on its way and back, with whatever owns the workload: nobody, Argo CD, Flux. And a bad one, held."""

from __future__ import annotations

import json

import pytest

from bot.simulator.kubernetes import images
from tests.department import Department, Json
from tests.pult_fixtures import Make
from tests.pult_process import Pult

FILE = "deploy/production/kustomization.yaml"


def service(name: str, tool: str) -> Json:
    gitops = {} if tool == "none" else {"gitops": {"tool": tool, "path": FILE}}
    production = {"name": "production", "cluster": "nyc2", "namespace": "production", **gitops}
    environments = [{"name": "staging", "cluster": "nyc2", "namespace": "staging"}, production]
    return {
        "name": name, "namespace": "production", "clusters": ["nyc2"], "repo": f"dept/{name}",
        "environments": environments, "verification": {"bake": "1s"},
    }  # fmt: skip


async def owned(make: Make, name: str, tool: str) -> Pult:
    pult = make()
    others = [each for each in pult.settings["services"] if each["name"] != name]
    pult.configure(services=[*others, service(name, tool)])
    await pult.start()
    return pult


def runs(department: Department, name: str) -> str:
    containers = department.deployment(name)["spec"]["template"]["spec"]["containers"]
    return images.version_of(containers[0]["image"]) or "unknown"


async def approved(pult: Pult, text: str, by: str) -> str:
    """Proposed by anna, approved by somebody, done; its id."""
    ident = await pult.proposed("anna", text)
    assert (await pult.ask(by, f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    return ident


@pytest.mark.alone
@pytest.mark.parametrize(("name", "tool"), [("bots", "none"), ("api", "argocd"), ("web", "flux")])
@pytest.mark.timeout(180)
async def test_there_and_back(make: Make, department: Department, name: str, tool: str) -> None:
    before, after = images.PRODUCTION[name], images.STAGING[name]
    pult = await owned(make, name, tool)
    await department.happens("target", url=pult.url)
    await department.happens("release", service=name, version=before, status="released")
    await department.happens("release", service=name, version=after, status="ready")
    diff = await pult.ask("vera", f"diff {name}", locale="en")
    assert f"{name} in production: {before} → {after}" in diff["text"]
    assert "unknown: the commits" not in diff["text"]
    commits = department.commits(f"dept/{name}")
    ident = await approved(pult, f"promote {name} {after}", "boris")
    assert runs(department, name) == after
    plan = (await pult.ask("anna", f"op {ident}", locale="en"))["text"]
    assert f"Promote {name} {after} to production: succeeded" in plan
    listed = (await pult.ask("vera", f"releases {name}", locale="en"))["text"]
    assert f"production  {after}" in listed
    back = await approved(pult, f"rollback {name}", "anna")
    assert runs(department, name) == before
    assert department.commits(f"dept/{name}") == commits + (0 if tool == "none" else 2)
    status, out, err = await pult.run("audit", "export", "--release", f"{name}/{after}")
    assert status == 0, err
    trail = json.loads(out)
    assert [each["id"] for each in trail["operations"]] == [ident]
    assert [given["person"] for given in trail["operations"][0]["approvals"]] == ["boris"]
    assert {row["what"] for row in trail["operations"][0]["plan"]["evidence"]} >= {"CI", "Tests", "Trivy", "Incidents"}
    assert trail["operations"][0]["plan"]["holds"] == []
    assert [row["fate"] for row in trail["deployments"] if row["environment"] == "production"] == ["back"]
    print((await pult.ask("vera", f"releases {name} {after}", locale="en"))["text"])
    print((await pult.ask("vera", f"op {back}", locale="en"))["text"])


@pytest.mark.timeout(120)
async def test_a_bad_release_is_held_until_somebody_says_why(pult: Pult, department: Department) -> None:
    evidence = {"tests": "409 passed, 3 failed", "trivy": "2 critical, 1 high", "e2e": "passed"}
    body = {
        "service": "api", "version": "1.8.0", "status": "ready", "image": images.image("api", "1.8.0"),
        "digest": images.digest("api", "1.8.0"), "evidence": evidence,
    }  # fmt: skip
    assert (await pult.release(body)).status == 200
    ident = await pult.proposed("anna", "promote api 1.8.0")
    said = await pult.ask("boris", f"approve {ident}", locale="en")
    assert not said["ok"]
    assert "tests" in said["text"]
    assert "trivy" in said["text"]
    assert runs(department, "api") == "1.7.2"
    words = f"approve {ident} --override tests,trivy the outage needs it"
    assert (await pult.ask("boris", words, locale="en"))["ok"], await pult.ask("boris", f"op {ident}", locale="en")
    await pult.becomes(ident, "succeeded")
