"""Every trouble that watches show: in the chat within seconds, once over breaks and kills, over when it is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import CERTIFICATE, DEPLOYMENT, JOB, NODE
from bot.simulator.kubernetes.state import Clusters
from tests.department import OPS, Department, Json, until
from tests.e2e.test_watch import SOON, STATUS, live
from tests.pult_fixtures import Make
from tests.pult_process import Pult

REGIONS = ("nyc2", "sfo3")
PENDING = 2.0
"""Seconds that a pod may wait here, which its alert takes longer."""
MENDED = "20s"
"""How long after a death it is over."""
TROUBLES = {
    "OutOfMemory · api": 2, "RestartStorm · web": 1, "ImagePullFailing · bots": 1, "RolloutStuck · bots": 1,
    "PodsPending · web": 1, "JobFailed · migrate": 1, "CertificateTrouble · web": 1,
}  # fmt: skip
"""How many cards each has in the end: the container of api is killed in both clusters."""
Mend = Callable[[], object]


def clusters(department: Department) -> Clusters:
    found = department.simulation.world.clusters
    assert isinstance(found, Clusters)
    return found


def bad_image(cluster: Cluster) -> Mend:
    """Nobody's GitOps: what is put there stays there. Its image can't be pulled, and its deadline passes."""
    before = cluster.store.get(DEPLOYMENT, "production", "bots")["spec"]
    spec = json.loads(json.dumps(before))
    spec["template"]["spec"]["containers"][0]["image"] = "registry.example/nothing:0"
    _spec(cluster, "bots", spec)
    return lambda: _spec(cluster, "bots", before)


def no_room(cluster: Cluster) -> Mend:
    """One replica more, and no node that takes it."""
    before = cluster.store.get(DEPLOYMENT, "production", "web")["spec"]
    _cordon(cluster, closed=True)
    _spec(cluster, "web", before | {"replicas": before["replicas"] + 1})
    return lambda: _cordon(cluster, closed=False)


def failed_job(cluster: Cluster) -> Mend:
    condition = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    job = {"metadata": {"name": "migrate", "namespace": "production"}, "spec": {}}
    cluster.store.create(JOB, job | {"status": {"conditions": [condition]}}, cluster.now())
    return lambda: cluster.store.remove(JOB, "production", "migrate")


def old_certificate(cluster: Cluster) -> Mend:
    now = cluster.now().replace(microsecond=0)

    def ends(days: int) -> Json:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": now.isoformat()}
        return {"status": {"notAfter": (now + timedelta(days=days)).isoformat(), "conditions": [ready]}}

    certificate = {"metadata": {"name": "web", "namespace": "production"}, "spec": {}}
    cluster.store.create(CERTIFICATE, certificate | ends(1), now)
    return lambda: cluster.store.put(CERTIFICATE, cluster.store.get(CERTIFICATE, "production", "web") | ends(90))


def _spec(cluster: Cluster, name: str, spec: Json) -> None:
    cluster.store.put(DEPLOYMENT, cluster.store.get(DEPLOYMENT, "production", name) | {"spec": spec})


def _cordon(cluster: Cluster, *, closed: bool) -> None:
    for node in cluster.store.all(NODE):
        cluster.store.put(NODE, node | {"spec": node.get("spec", {}) | {"unschedulable": closed}})


def everything_breaks(department: Department) -> list[Mend]:
    """Each trouble once, that of api in both clusters; what mends those that do not end by themselves."""
    first, second = department.cluster("nyc2"), department.cluster("sfo3")
    for region in REGIONS:
        clusters(department).crash(region, "production", "api", reason="OOMKilled")
    for _ in range(6):
        clusters(department).crash("nyc2", "production", "web")
    return [bad_image(first), no_room(second), failed_job(first), old_certificate(first)]


async def told(department: Department) -> dict[str, list[Json]]:
    """The cards of each trouble; what is said under them is none."""
    found = {what: await department.slack_messages(OPS, what) for what in TROUBLES}
    return {what: [each for each in cards if not each["thread_ts"]] for what, cards in found.items()}


@pytest.mark.alone
async def test_each_is_told_within_seconds_once_and_is_over_when_it_is_mended(
    make: Make, department: Department
) -> None:
    pult = make(watch={"within": MENDED, "pending": f"{PENDING:.0f}s"}, chat__storm=0)
    await pult.start()
    await live(pult)
    began = time.time()
    mend = everything_breaks(department)

    async def all_told() -> dict[str, list[Json]] | None:
        found = await told(department)
        return found if all(len(found[what]) >= count for what, count in TROUBLES.items()) else None

    cards = await until("not every trouble is told", all_told)
    for what, found in cards.items():
        late = max(float(card["ts"]) for card in found) - began
        assert late < SOON + (PENDING if "Pending" in what else 0.0), (what, late)

    await _forgotten(department)
    await _broken_off(department, pult)
    await pult.restart()
    await live(pult)
    for each in mend:
        each()

    for what, count in TROUBLES.items():

        async def over(what: str = what, count: int = count) -> bool:
            return sum("Resolved" in card["text"] for card in (await told(department))[what]) == count

        await until(f"{what} is not over", over)
    assert {what: len(found) for what, found in (await told(department)).items()} == TROUBLES


async def _forgotten(department: Department) -> None:
    """What the watches stand at is forgotten under them: 410 in every stream, and every place is listed anew."""
    before = _lists(department)
    for region in REGIONS:
        _forget(department.cluster(region))

    async def listed_anew() -> bool:
        return _lists(department) >= before + len(REGIONS)

    await until("nothing is listed anew", listed_anew)


async def _broken_off(department: Department, pult: Pult) -> None:
    """Connections drop, and the journal is compacted meanwhile: 410 for the one who comes back."""
    await department.fault("region_down", "nyc2")

    async def blind() -> bool:
        return "nyc2: unknown" in (await pult.ask("anna", STATUS))["text"]

    await until("nyc2 is still called watched", blind)
    _forget(department.cluster("nyc2"))
    await department.recovers()
    await live(pult)


def _lists(department: Department) -> int:
    calls = [call for region in REGIONS for call in department.cluster(region).calls]
    return sum((call.verb, call.resource, call.namespace) == ("list", "pods", "production") for call in calls)


def _forget(cluster: Cluster) -> None:
    """Something changed that no watch has been told of, and its version is known no more."""
    node = cluster.store.all(NODE)[0]
    touched = node["metadata"] | {"annotations": {"seen": str(cluster.store.version)}}
    cluster.store.put(NODE, node | {"metadata": touched})
    cluster.store.compact()
