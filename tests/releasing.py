"""What the tests of whole releases share: how services are configured, what is seen of them from outside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from bot.simulator.github.state import Forge, Repository
from bot.simulator.kubernetes import images
from bot.simulator.kubernetes.api import TOKEN
from bot.simulator.kubernetes.kinds import DEPLOYMENT, ROLLOUT
from tests.department import Department, Json, until
from tests.pult_process import Pult

RECORDED = Path(__file__).parent / "fixtures" / "github"
FILE = "deploy/production/kustomization.yaml"
ARGO: Json = {"tool": "argocd", "application": "api", "path": FILE}
STAGING: Json = {"name": "staging", "cluster": "nyc2", "namespace": "staging"}
PRODUCTION: Json = {"name": "production", "cluster": "nyc2", "namespace": "production"}
SFO3: Json = {"name": "production-sfo3", "cluster": "sfo3", "namespace": "production"}
_DELIVERIES = count(1)


def serves(pult: Pult, name: str, *environments: Json, **more: Any) -> None:
    """Configure one service in these environments."""
    others = [each for each in pult.settings["services"] if each["name"] != name]
    clusters = list(dict.fromkeys(each["cluster"] for each in environments if each["namespace"] == "production"))
    own = {"name": name, "namespace": "production", "clusters": sorted(clusters), "repo": f"dept/{name}"}
    pult.configure(services=[*others, {**own, "environments": list(environments), **more}])


async def announced(pult: Pult, department: Department, service: str, *versions: str) -> None:
    """Pipelines tell of versions that are ready."""
    await department.happens("target", url=pult.url)
    for version in versions:
        await department.happens("release", service=service, version=version, status="ready")


async def github(pult: Pult, department: Department, event: str, case: str, **changes: Any) -> None:
    """GitHub tells dept/api's news: a recorded body with *changes*, one level deep in what is an object there."""
    text = (RECORDED / case / "body.json").read_text().replace("Codertocat/Hello-World", "dept/api")
    body = json.loads(text)
    for name, value in changes.items():
        body[name] = {**body[name], **value} if isinstance(value, dict) else value
    answer = await pult.github(event, body, delivery=f"d-{next(_DELIVERIES)}")
    assert answer.status == 200, answer


async def approved(pult: Pult, text: str, *people: str) -> str:
    """Proposed by anna and approved by *people*; its id."""
    ident = await until(f"nobody can propose {text}", lambda: _proposed(pult, text))
    for person in people:
        said = await pult.ask(person, f"approve {ident}", locale="en")
        assert said["ok"], said["text"]
    return ident


async def _proposed(pult: Pult, text: str) -> str | None:
    """None: a server was too slow to be asked, as on a busy machine, and the person is told to ask again."""
    asked = await pult.ask("anna", text, locale="en")
    assert asked["ok"] or "Ask again" in asked["text"], asked["text"]
    return str(asked["op"]) if asked["ok"] else None


async def done(pult: Pult, text: str, *people: str) -> tuple[str, str]:
    """The plan's card as it was proposed, and as it is once *people* approved and it succeeded."""
    ident = await approved(pult, text)
    plan = str((await pult.ask("anna", f"op {ident}", locale="en"))["text"])
    for person in people:
        said = await pult.ask(person, f"approve {ident}", locale="en")
        assert said["ok"], said["text"]
    return plan, await pult.becomes(ident, "succeeded")


async def says(pult: Pult, ident: str, text: str) -> str:
    """The card, once it says *text*."""

    async def look() -> str | None:
        card = str((await pult.ask("anna", f"op {ident}", locale="en"))["text"])
        return card if text in card else None

    return await until(f"{ident} does not say {text!r}", look)


async def trail(pult: Pult, release: str) -> Json:
    """What ``pult audit export --release`` writes."""
    status, out, err = await pult.run("audit", "export", "--release", release)
    assert status == 0, err
    found: Json = json.loads(out)
    return found


def repository(department: Department, name: str) -> Repository:
    forge = department.simulation.world.github
    assert isinstance(forge, Forge)
    return forge.repository(f"dept/{name}")


def committed(department: Department, name: str) -> str:
    """The version that the deployment file names."""
    history = repository(department, name).history
    text = history.commits[history.branches["main"]].files[FILE].decode()
    return next(each for each in images.VERSIONS[name] if images.digest(name, each) in text)


def runs(department: Department, name: str, namespace: str = "production", region: str = "nyc2") -> str:
    """The version that most ready pods run."""
    clusters = department.simulation.world.clusters
    assert clusters is not None
    return images.version_of(clusters.image(region, namespace, name)) or "unknown"


def told(department: Department, name: str, environment: str) -> list[str]:
    """States of GitHub's deployments to *environment*, oldest first."""
    found = [each for each in repository(department, name).deployments if each.environment == environment]
    return [status["state"] for each in found for status in each.statuses]


def notes(department: Department, name: str, version: str) -> str:
    return next(each.body for each in repository(department, name).releases if each.tag == f"v{version}")


async def by_hand(department: Department, name: str, version: str, *, namespace: str = "production") -> None:
    """Somebody sets the image with kubectl."""
    container = {"name": name, "image": images.image(name, version)}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    path = f"{department.url}/k8s/nyc2/apis/apps/v1/namespaces/{namespace}/deployments/{name}?fieldManager=kubectl-set"
    kind = "application/strategic-merge-patch+json"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    async with department.session.patch(path, data=json.dumps(body), headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def rolled(department: Department, name: str, version: str, *, namespace: str = "production") -> None:
    """Wait until it runs *version* and nothing else."""

    async def look() -> bool:
        found = department.deployment(name, namespace)
        status, wanted = found["status"], found["spec"]["replicas"]
        complete = status.get("updatedReplicas") == wanted == status.get("replicas") == status.get("availableReplicas")
        return complete and runs(department, name, namespace) == version

    await until(f"{name} {version} does not come up in {namespace}", look)


class Canary:
    """An Argo Rollout in place of the Deployment of api in nyc2: one pod of four, a pause, two, a pause, then all."""

    STEPS: ClassVar = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]
    PLACE: ClassVar[Json] = {**PRODUCTION, "workload": "rollout/api"}

    def __init__(self, department: Department) -> None:
        self._store = department.cluster("nyc2").store
        template = department.deployment("api")["spec"]["template"]
        template = {**template, "metadata": {"labels": {"app": "api-canary"}}}
        spec = {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "api-canary"}},
            "template": template,
            "strategy": {"canary": {"steps": self.STEPS}},
        }
        self._store.remove(DEPLOYMENT, "production", "api")
        body = {"metadata": {"name": "api", "namespace": "production"}, "spec": spec, "status": {}}
        self._store.create(ROLLOUT, body, datetime.now(UTC))

    @property
    def now(self) -> Json:
        return self._store.get(ROLLOUT, "production", "api")

    @property
    def asks_for(self) -> str:
        containers = self.now["spec"]["template"]["spec"]["containers"]
        return images.version_of(containers[0]["image"]) or "unknown"

    def set_image(self, version: str) -> None:
        """``kubectl argo rollouts set image``, by somebody else."""
        obj = self.now
        first, *others = obj["spec"]["template"]["spec"]["containers"]
        containers = [{**first, "image": images.image("api", version)}, *others]
        template = {**obj["spec"]["template"], "spec": {**obj["spec"]["template"]["spec"], "containers": containers}}
        self._store.put(ROLLOUT, {**obj, "spec": {**obj["spec"], "template": template}})

    async def healthy(self) -> None:
        async def look() -> bool:
            status = self.now["status"]
            return status.get("phase") == "Healthy" and status["stableRS"] == status["currentPodHash"]

        await until("the rollout is not healthy", look)

    async def waits_at(self, step: int) -> None:
        async def look() -> bool:
            status = self.now["status"]
            return status.get("currentStepIndex") == step and bool(status.get("pauseConditions"))

        await until(f"the rollout does not wait at step {step}", look)
