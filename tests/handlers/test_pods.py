"""``pods`` and ``status``: what a person reads of workloads that are not well, and of many pods."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.messages import Preformatted, Tone
from bot.domain.phrases import phrase, verbatim
from bot.platforms.console.plain import plain
from bot.ports.cluster import Pod
from bot.ports.diagnoses import Cohort, Health, Killed, Version
from bot.ports.jobs import JobState
from bot.ports.logs import Line
from bot.ports.metrics import Reading, Sample
from handlers.commands.pods import LISTED
from handlers.commands.pods_deaths import peak
from handlers.commands.pods_words import tag
from tests.handlers.department import API, PRODUCTION, SERVICES, WEB, WEB_SFO3, Check, Department, read
from tests.handlers.fakes import NOON

MIB = 2**20
PANIC = "panic: runtime error: invalid memory address"


def pods(count: int, **changes: object) -> tuple[Pod, ...]:
    pod = Pod("", "Running", True, 0, NOON, "")
    return tuple(
        replace(pod, name=f"web-6c9f7-{number:04}", node=f"node-{number % 7}", **changes)  # type: ignore[arg-type]
        for number in range(count)
    )


def broken(department: Department, **changes: object) -> None:
    """One pod of web in nyc2 was killed for its memory, and comes up no more."""
    ready, bad = department.cluster.found[WEB]
    died = Killed(bad.name, "web", NOON - timedelta(minutes=1), 256 * MIB)
    cohort = Cohort(
        Health.BROKEN, (bad.name,), 6, (bad.node,),
        phrase("crashes again and again; last time: {how}", how=phrase("killed for using more memory than its limit")),
        killed=died, died=True,
    )  # fmt: skip
    department.cluster.found[WEB] = (ready, replace(bad, ready=False, restarts=6))
    department.diagnoses.besides[WEB] = {
        "cohorts": (replace(cohort, **changes), Cohort(Health.READY, (ready.name,), 0, (ready.node,)))  # type: ignore[arg-type]
    }


def killed(department: Department) -> Killed:
    (worst, _) = department.diagnoses.besides[WEB]["cohorts"]  # type: ignore[misc]
    return worst.killed  # type: ignore[no-any-return]


def writes(department: Department, *texts: str) -> None:
    bad = department.cluster.found[WEB][1].name
    department.pod_logs.written["nyc2", "production"] = tuple(
        Line(NOON - timedelta(seconds=90 - at), bad, text) for at, text in enumerate(texts)
    )


async def test_what_killed_it_with_its_memory_and_its_last_lines(department: Department, reads_as: Check) -> None:
    broken(department)
    writes(department, "level=info msg=starting", PANIC)
    place = replace(PRODUCTION, name="production-nyc2", workload="web")
    department.metrics.answers[peak(place, killed(department))] = 250 * MIB
    said = await department.say("vera", "pods web")
    reads_as("commands/pods-killed", said)
    assert department.pod_logs.asked[0].previous
    assert department.pod_logs.asked[0].limit == 5


async def test_without_logs_and_metrics_the_answer_is_whole(department: Department) -> None:
    broken(department)
    department.pod_logs.away = True
    department.without = frozenset({"metrics"})
    reply = await department.reply("vera", "pods web")
    assert "killed for using more memory" in read(reply.message)
    assert not [block for block in reply.message.blocks if isinstance(block, Preformatted)]
    assert reply.ok


async def test_memory_of_the_same_name_elsewhere_does_not_count(department: Department) -> None:
    broken(department)
    place = replace(PRODUCTION, name="production-nyc2", workload="web")
    samples = (Sample({"region": "sfo3"}, 900 * MIB), Sample({"region": "nyc2"}, 200 * MIB))
    department.metrics.answers[peak(place, killed(department))] = Reading(samples)
    assert "up to 200 MiB of its 256" in await department.say("vera", "pods web")


async def test_many_pods_are_counted_and_the_file_has_them_all(department: Department, reads_as: Check) -> None:
    why = phrase("its image is not in the registry: {image}", image="registry.example/dept/web:9")
    bad = tuple(replace(pod, ready=False, trouble=why, name=f"web-bad-{at:03}") for at, pod in enumerate(pods(40)))
    department.cluster.found[WEB] = (*pods(60), *bad)
    department.cluster.becomes(WEB, desired=100, ready=60)
    reply = await department.reply("vera", "pods web")
    shown = "\n".join(line for line in read(reply.message).splitlines() if "\t" not in line)
    reads_as("commands/pods-many", shown)
    listed = reply.message.whole.splitlines()
    assert len(listed) == 101, "and the one of sfo3"
    assert (
        listed[0]
        == "nyc2\tweb-bad-000\tbroken\t0\tnode-0\tits image is not in the registry: registry.example/dept/web:9"
    )


async def test_ten_thousand_pods_stay_one_screen(department: Department) -> None:
    department.cluster.found[WEB] = pods(10_000)
    department.cluster.becomes(WEB, desired=10_000, ready=10_000)
    reply = await department.reply("vera", "pods web")
    assert reply.message.tone is Tone.OK
    assert len([line for line in read(reply.message).splitlines() if "\t" not in line]) < 30
    listed = reply.message.whole.splitlines()
    assert len(listed) == LISTED + 2
    assert listed[LISTED] == f"nyc2\t… {10_000 - LISTED} more"


async def test_a_rollout_tells_which_pods_are_new(department: Department) -> None:
    department.cluster.becomes(WEB, done=False, updated=1, stuck=verbatim("timed out progressing."))
    department.diagnoses.besides[WEB] = {
        "versions": (Version(True, ("registry.example/dept/web:5.2.0",), 0, 1), Version(False, ("web:5.1.0",), 2, 2)),
        "around": (phrase("autoscaler {name} is at its ceiling of {most}", name="web", most=6),),
    }
    for words in ("pods web", "status web"):
        said = await department.say("vera", words)
        for line in (
            "new version 5.2.0: 0 of 1 ready", "old version 5.1.0: 2 of 2 ready",
            "the rollout is stuck: timed out progressing.", "autoscaler web is at its ceiling of 6",
        ):  # fmt: skip
            assert line in said, words
    assert "nyc2 2/2 (1 of the new version)" in await department.say("vera", "status")


async def test_a_version_nobody_could_tell_apart_is_not_called_new(department: Department) -> None:
    department.diagnoses.besides[WEB] = {"versions": (Version(None, ("web:5.2.0",), 1, 1),)}
    assert "- version 5.2.0: 1 of 1 ready" in await department.say("vera", "pods web")


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("registry.example:5000/dept/api:1.7.2", "1.7.2"),
        ("registry.example:5000/dept/api:1.7.2@sha256:" + "a" * 64, "1.7.2"),
        ("registry.example/dept/api@sha256:" + "a" * 64, "a" * 12),
        ("registry.example:5000/dept/api", "api"),
        ("nginx", "nginx"),
    ],
)
def test_what_tells_an_image_from_another(image: str, shown: str) -> None:
    assert tag(image) == shown


async def test_status_says_why_what_is_not_well_is_not(department: Department) -> None:
    broken(department)
    department.cluster.becomes(WEB, ready=1)
    reply = await department.reply("vera", "status")
    said = read(reply.message)
    assert "web in nyc2: " in said
    assert "killed for using more memory than its limit" in said
    assert reply.message.tone is Tone.WARNING
    assert [place.cluster for place in department.diagnoses.asked] == ["nyc2"], (
        "of those that are well nothing is asked"
    )


async def test_status_of_one_service_asks_of_all_its_places(department: Department) -> None:
    await department.say("vera", "status web")
    assert [place.cluster for place in department.diagnoses.asked] == ["nyc2", "sfo3"]


async def test_the_other_cluster_answers(department: Department) -> None:
    department.cluster.away.add("nyc2")
    reply = await department.reply("vera", "pods web")
    said = read(reply.message)
    assert "nyc2 does not answer; nothing is known of its pods." in said
    assert "web: 1 of 1 pods ready; nyc2 unknown" in said
    assert (reply.ok, reply.message.tone) == (True, Tone.WARNING)


async def test_no_cluster_answers(department: Department) -> None:
    department.cluster.away |= {"nyc2", "sfo3"}
    reply = await department.reply("vera", "pods web")
    assert "The pods of web could not be read" in read(reply.message)
    assert not reply.ok


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RateLimitedError("429", 30, phrase("{cluster} is overloaded: its API server takes no more questions now",
                                            cluster="nyc2")), "nyc2 is overloaded"),
        (UserError("{cluster} does not allow pult to do this: {why}", cluster="nyc2", why="no"), "does not allow pult"),
        (PermanentError("cluster nyc2: can't use the kubeconfig"), "pult check says why"),
    ],
)  # fmt: skip
async def test_a_refusal_is_said_and_the_other_cluster_answers(
    department: Department, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    real = department.cluster.rollout

    async def refusing(workload: object) -> object:
        if workload == WEB:
            raise error
        return await real(workload)  # type: ignore[arg-type]

    monkeypatch.setattr(department.cluster, "rollout", refusing)
    told = await department.say("vera", "pods web")
    assert said in told
    assert "production-sfo3 in sfo3: 1 of 1 ready" in told


async def test_what_was_asked_wrongly(department: Department) -> None:
    assert "pods <service> [environment]" in await department.say("vera", "pods", ok=False)
    assert "Did you mean web?" in await department.say("vera", "pods wbe", ok=False)
    assert "It has: production-nyc2" in await department.say("vera", "pods web nowhere", ok=False)
    assert "--since is no option here" in await department.say("vera", "pods web --since 5m", ok=False)


async def test_one_environment(department: Department) -> None:
    for words in ("pods web production-sfo3", "pods web --env production-sfo3", "поды web in production-sfo3"):
        said = await department.say("vera", words)
        assert "sfo3: 1 of 1 ready" in said, words
        assert "nyc2" not in said.replace("production-nyc2", ""), words


async def test_it_reads_in_russian(department: Department, reads_as: Check) -> None:
    broken(department)
    department.cluster.away.add("sfo3")
    reply = await department.reply("vera", "pods web")
    words = Languages(LOCALES, department.clock).words("ru", "Europe/Moscow")
    reads_as("commands/pods-killed.ru", plain(reply.message, words))


async def test_pods_on_their_way_out_are_no_trouble(department: Department) -> None:
    leaving = replace(department.cluster.found[API][0], ready=False, phase="Terminating", name="api-old")
    department.cluster.found[WEB_SFO3] = (*department.cluster.found[WEB_SFO3], leaving)
    cohorts = (Cohort(Health.LEAVING, ("api-old",), 0), Cohort(Health.READY, ("web-6c9f7-a",), 0))
    department.diagnoses.besides[WEB_SFO3] = {"cohorts": cohorts}
    said = await department.say("vera", "pods web production-sfo3")
    assert "terminating" in said
    assert "api-old:" not in said


JOBS = ("cronjob/report", "job/migrate")
RAN = JobState("cronjob", "report", failed=False, ended=NOON - timedelta(hours=9), took=timedelta(minutes=4))
FAILED = replace(RAN, failed=True, why="Job has reached the specified backoff limit")


@pytest.fixture
def with_jobs(department: Department, monkeypatch: pytest.MonkeyPatch) -> Department:
    found = SERVICES.named("web")
    monkeypatch.setitem(SERVICES._services, "web", replace(found, jobs=JOBS))
    return department


async def test_its_jobs_are_told_beside_its_pods(with_jobs: Department, reads_as: Check) -> None:
    with_jobs.jobs.states = {
        "nyc2": (replace(FAILED, suspended=True), JobState("job", "migrate", running=NOON - timedelta(minutes=2))),
        "sfo3": (RAN, JobState("job", "migrate")),
    }
    said = await with_jobs.say("vera", "pods web")
    reads_as("commands/pods-jobs", "\n".join(line for line in said.splitlines() if "job/" in line) + "\n")


async def test_status_tells_of_jobs_that_are_not_well_only(with_jobs: Department) -> None:
    with_jobs.jobs.states = {"nyc2": (RAN,)}
    assert "report" not in await with_jobs.say("vera", "status web")
    with_jobs.jobs.states = {"nyc2": (FAILED,)}
    reply = await with_jobs.reply("vera", "status web")
    assert "web in nyc2: cronjob/report: its last run failed" in read(reply.message)
    assert reply.message.tone is Tone.WARNING


async def test_a_pod_of_a_run_that_does_not_get_going(with_jobs: Department) -> None:
    why = phrase("its image is not in the registry: {image}", image="x:1")
    cohort = Cohort(Health.BROKEN, ("report-29260004-x7k2p",), 0, trouble=why)
    with_jobs.jobs.states = {"nyc2": (replace(RAN, running=NOON - timedelta(minutes=9), cohorts=(cohort,)),)}
    said = await with_jobs.say("vera", "status web")
    assert "report-29260004-x7k2p: its image is not in the registry: x:1" in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("There is no {kind} {name} in {cluster}.", kind="cronjob", name="report", cluster="nyc2"),
         "There is no cronjob report in nyc2."),
        (TemporaryError("no answer"), "Of its jobs in nyc2 nothing is known."),
    ],
)  # fmt: skip
async def test_jobs_that_are_not_known_leave_the_pods(with_jobs: Department, error: Exception, said: str) -> None:
    with_jobs.jobs.refuses = error
    told = await with_jobs.say("vera", "pods web")
    assert said in told
    assert "web: 3 of 3 pods ready" in told
