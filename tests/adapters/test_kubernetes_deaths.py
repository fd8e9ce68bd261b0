"""What killed a container, why its image does not come, and what holds a workload from outside."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import judge_around, judge_deaths, judge_images

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
IMAGE = "registry.example.com/shop/checkout:1.4.2"


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def event(reason: str, message: str, container: str = "cart") -> Any:
    return {"reason": reason, "message": message, "type": "Warning",
            "involvedObject": {"fieldPath": f"spec.containers{{{container}}}"}}  # fmt: skip


def test_a_pod_out_of_memory_with_its_limit() -> None:
    death = judge_deaths.last(recorded("pod-oomkilled"))
    assert death is not None
    assert (death.container, death.code, death.memory, death.limit) == ("cart", 137, True, 256 * 2**20)
    assert death.at == datetime(2026, 11, 24, 8, 29, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "using", "said"),
    [
        (256 * 2**20, None, "the limit of cart is 256\N{NO-BREAK SPACE}MiB"),
        (256 * 2**20, 128 * 2**20, "cart uses 128\N{NO-BREAK SPACE}MiB of its 256\N{NO-BREAK SPACE}MiB now"),
        (None, None, "cart has no memory limit: its node ran out of memory"),
    ],
)
def test_its_use_against_its_limit(limit: float | None, using: float | None, said: str) -> None:
    death = judge_deaths.Death("cart", None, 137, "OOMKilled", limit)
    assert [line.plain() for line in judge_deaths.details(death, [], using)] == [said]


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"reason": "OOMKilled", "exitCode": 137}, "killed for using more memory than its limit"),
        ({"reason": "Error", "exitCode": 1}, "exit code 1, Error"),
        ({"reason": "Error", "exitCode": 127}, "exit code 127: its command was not found"),
        ({"reason": "Error", "exitCode": 137}, "exit code 137: it was killed (SIGKILL)"),
        ({"reason": "Error", "exitCode": 139}, "exit code 139: it accessed memory that is not its own (SIGSEGV)"),
        ({"reason": "StartError", "exitCode": 128, "message": 'exec: "serve": executable file not found in $PATH'},
         'it could not be started: exec: "serve": executable file not found in $PATH'),
    ],
)  # fmt: skip
def test_how_a_container_ended(ended: Any, said: str) -> None:
    assert judge_deaths.words(ended).plain() == said


def killed_by(code: int, *events: Any) -> list[str]:
    death = judge_deaths.Death("cart", None, code, "Error", None)
    return [line.plain() for line in judge_deaths.details(death, events, None)]


def test_a_probe_that_had_it_killed_says_how_it_failed() -> None:
    failed = event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503")
    killing = event("Killing", "Container cart failed liveness probe, will be restarted")
    said = "its liveness probe had it killed: HTTP probe failed with statuscode: 503"
    assert killed_by(137, failed, killing) == [said]
    assert killed_by(143, failed) == [said]
    assert killed_by(137, killing) == ["its liveness probe had it killed"]
    startup = event("Unhealthy", "Startup probe failed: dial tcp 10.0.0.7:8080: connect: connection refused")
    assert killed_by(137, startup) == [
        "its startup probe had it killed: dial tcp 10.0.0.7:8080: connect: connection refused"
    ]


def test_a_probe_of_another_container_or_one_that_kills_nobody_is_no_cause() -> None:
    liveness = event("Unhealthy", "Liveness probe failed: timeout", "sidecar")
    readiness = event("Unhealthy", "Readiness probe failed: timeout")
    assert killed_by(137, liveness, readiness) == []
    assert killed_by(1, event("Unhealthy", "Liveness probe failed: timeout")) == [], "it ended by itself"


def test_why_a_container_that_runs_is_not_ready() -> None:
    said = judge_deaths.unready([event("Unhealthy", "Readiness probe failed: Get http://10.0.0.7/: token=hunter2")])
    assert said is not None
    assert said.plain().startswith("its readiness probe fails: Get http://10.0.0.7/")
    assert "hunter2" not in said.plain()
    assert judge_deaths.unready([event("BackOff", "Back-off restarting failed container")]) is None


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            'failed to pull and unpack image "x": failed to resolve reference "x": x: not found',
            "is not in the registry",
        ),
        ("manifest unknown: manifest unknown", "is not in the registry"),
        (
            "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
            "limits how often",
        ),
        ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized", "refuses"),
        ("unauthorized: authentication required", "refuses"),
        (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
            "does not exist, or",
        ),
        ("dial tcp: lookup registry.example.com: no such host", "does not answer"),
        ("net/http: TLS handshake timeout", "does not answer"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "does not trust"),
        ("no match for platform in manifest: not found", "not built for"),
        ("write /var/lib/containerd/x: no space left on device", "no disk space"),
        ("Back-off pulling image", "can't be pulled"),
    ],
)
def test_why_an_image_does_not_come(message: str, said: str) -> None:
    words = judge_images.words(IMAGE, "ImagePullBackOff", (message,)).plain()
    assert said in words
    assert words.endswith(f": {IMAGE}")


def test_an_image_called_like_an_error_is_judged_by_what_is_said_of_it() -> None:
    image = "registry.example.com/not-found/unauthorized:429"
    assert "can't be pulled" in judge_images.words(image, "ImagePullBackOff", (f'Back-off pulling "{image}"',)).plain()


@pytest.mark.parametrize(
    ("reason", "said"), [("InvalidImageName", "no valid one"), ("ErrImageNeverPull", "forbids to pull it")]
)
def test_reasons_that_need_no_message(reason: str, said: str) -> None:
    assert said in judge_images.words(IMAGE, reason, ()).plain()


def around(*budgets: Any, cordoned: tuple[str, ...] = ()) -> list[str]:
    return [line.plain() for line in judge_around.budgets(budgets, cordoned)]


def test_a_budget_that_never_lets_go() -> None:
    assert around(recorded("pdb-zero")) == ["budget checkout never lets a pod go: it wants 3 of 3 healthy"]
    assert around(recorded("pdb-zero"), cordoned=("pool-a-1",)) == [
        "budget checkout never lets a pod go: it wants 3 of 3 healthy; so pool-a-1 can't be drained"
    ]


def test_figures_of_another_generation_say_nothing() -> None:
    budget = recorded("pdb-zero")
    budget["metadata"]["generation"] += 1
    assert around(budget) == []


def test_a_budget_that_lets_one_go_or_waits_for_pods_is_no_news() -> None:
    free, short = recorded("pdb-zero"), recorded("pdb-zero")
    free["status"]["disruptionsAllowed"] = 1
    assert around(free) == []
    short["status"] |= {"currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 3}
    assert around(short) == []
    assert around(short, cordoned=("pool-a-1",)) == [
        "budget checkout lets no pod go now: 2 are healthy, it wants 2; so pool-a-1 can't be drained"
    ]


def test_several_budgets_block_each_other() -> None:
    other = recorded("pdb-zero")
    other["metadata"]["name"], other["status"]["disruptionsAllowed"] = "web", 1
    assert around(recorded("pdb-zero"), other)[-1] == (
        "several budgets select its pods (checkout, web): none of them can be evicted"
    )


def scaler(**conditions: tuple[str, str, str]) -> list[str]:
    found = recorded("hpa")
    for each in found["status"]["conditions"]:
        if each["type"] in conditions:
            each["status"], each["reason"], each["message"] = conditions[each["type"]]
    return [line.plain() for line in judge_around.autoscaler(found)]


def test_an_autoscaler_that_is_well_is_no_news() -> None:
    assert scaler() == []


def test_an_autoscaler_at_its_ceiling() -> None:
    limited = ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
    assert scaler(ScalingLimited=limited) == ["autoscaler checkout is at its ceiling of 6 and would add more"]
    found = recorded("hpa")
    found["status"]["currentReplicas"] = 6
    assert [line.plain() for line in judge_around.autoscaler(found)] == ["autoscaler checkout is at its ceiling of 6"]


def test_an_autoscaler_without_metrics_says_so_and_its_numbers_mean_nothing() -> None:
    blind = ("False", "FailedGetResourceMetric", "unable to get metrics for resource cpu")
    limited = ("True", "TooManyReplicas", "x")
    assert scaler(ScalingActive=blind, ScalingLimited=limited) == [
        "autoscaler checkout does not work: unable to get metrics for resource cpu"
    ]
    assert scaler(ScalingActive=("False", "ScalingDisabled", "scaled to zero")) == []
    assert scaler(AbleToScale=("False", "FailedGetScale", "no such scale")) == [
        "autoscaler checkout can't scale: no such scale"
    ]
