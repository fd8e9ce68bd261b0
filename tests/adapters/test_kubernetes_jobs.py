"""The Jobs port: what runs of Jobs and CronJobs tell, and the pods of one that is not well."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes.jobs import KubernetesJobs, examined, state_of
from bot.domain.errors import TemporaryError, UserError
from bot.domain.services import Environment
from bot.ports.diagnoses import Health
from bot.simulator.kubernetes.kinds import CRONJOB, JOB, POD
from tests.adapters.test_kubernetes_trouble import Bench, bench
from tests.handlers.fakes import FakeClock

__all__ = ["bench"]
CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
PLACE = Environment("production", "nyc2", "production", "deployment", "api")
LIMIT = "Job has reached the specified backoff limit"


def run(number: int, *conditions: tuple[str, str], cronjob: str = "report", minutes: int = 4) -> Any:
    """The run of *number* o'clock; its *conditions* came some minutes later."""
    began = datetime(2026, 11, 24, number, 0, tzinfo=UTC)
    ended = (began + timedelta(minutes=minutes)).isoformat()
    owners = [{"kind": "CronJob", "name": cronjob, "controller": True}]
    told = [
        {"type": kind, "status": "True", "reason": "X", "message": message, "lastTransitionTime": ended}
        for kind, message in conditions
    ]
    meta = {"name": f"{cronjob}-2926{number:04}", "namespace": "production", "ownerReferences": owners,
            "creationTimestamp": began.isoformat()}  # fmt: skip
    return {"metadata": meta, "spec": {}, "status": {"startTime": began.isoformat(), "conditions": told}}


def test_the_last_run_that_ended_counts() -> None:
    good, bad = run(3, ("Complete", "")), run(4, ("FailureTarget", LIMIT), ("Failed", LIMIT))
    state = state_of("cronjob", "report", [bad, good])
    assert (state.failed, state.why, state.took) == (True, LIMIT, timedelta(minutes=4))
    assert state.ended == datetime(2026, 11, 24, 4, 4, tzinfo=UTC)
    assert examined([good, bad], state) is bad
    mended = state_of("cronjob", "report", [bad, good, run(5, ("Complete", ""))])
    assert (mended.failed, mended.why, examined([bad, good], mended)) == (False, "", None)


def test_a_run_under_way_is_looked_at_even_after_a_good_one() -> None:
    good, now = run(3, ("Complete", "")), run(4)
    state = state_of("cronjob", "report", [good, now])
    assert (state.failed, state.running) == (False, datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
    assert examined([good, now], state) is now


def test_of_none_nothing_is_known() -> None:
    state = state_of("job", "migrate", [])
    assert (state.failed, state.running, examined([], state)) == (None, None, None)


def test_a_secret_in_its_words_is_masked() -> None:
    assert "hunter2" not in state_of("job", "x", [run(3, ("Failed", "exit: password=hunter2"))]).why


@pytest.fixture
def stocked(bench: Bench) -> Bench:
    """A CronJob whose last run failed, and somebody else's."""
    cluster = bench.state.cluster("nyc2")
    now = cluster.now()
    for name, spec in (("report", {"suspend": True}), ("other", {})):
        cluster.store.create(CRONJOB, {"metadata": {"name": name, "namespace": "production"}, "spec": spec}, now)
    for each in (run(3, ("Complete", "")), run(4, ("Failed", LIMIT)), run(5, cronjob="other")):
        cluster.store.create(JOB, each, now)
    pod = json.loads((CASES / "pod-crashloop" / "body.json").read_bytes())
    pod["metadata"] = {
        "name": "report-29260004-x7k2p",
        "namespace": "production",
        "labels": {"job-name": "report-29260004"},
    }
    cluster.notes.crashing.add(cluster.store.create(POD, pod, now)["metadata"]["uid"])
    return bench


async def test_a_cronjob_with_the_pods_of_the_run_that_failed(stocked: Bench) -> None:
    (state,) = await KubernetesJobs(stocked.cluster.apis, FakeClock()).jobs(PLACE, ("cronjob/report",))
    assert (state.kind, state.name, state.failed, state.suspended) == ("cronjob", "report", True, True)
    (cohort,) = state.cohorts
    assert (cohort.names, cohort.health) == (("report-29260004-x7k2p",), Health.BROKEN)


async def test_a_job_by_its_own_name(stocked: Bench) -> None:
    found = await KubernetesJobs(stocked.cluster.apis, FakeClock()).jobs(PLACE, ("job/report-29260003", "job/gone"))
    assert [(state.name, state.failed) for state in found] == [("report-29260003", False), ("gone", None)]


async def test_what_is_not_there_and_what_may_not_be_read(stocked: Bench) -> None:
    jobs = KubernetesJobs(stocked.cluster.apis, FakeClock())
    with pytest.raises(UserError, match=r"There is no cronjob nothing in nyc2\."):
        await jobs.jobs(PLACE, ("cronjob/nothing",))
    stocked.state.cluster("nyc2").deny("list", "jobs")
    with pytest.raises(UserError, match="it may not list jobs"):
        await jobs.jobs(PLACE, ("cronjob/report",))
    stocked.simulation.world.faults.start("region_down", "nyc2")
    with pytest.raises(TemporaryError):
        await jobs.jobs(PLACE, ("cronjob/report",))
