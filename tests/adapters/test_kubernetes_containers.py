"""Which logs tell of a time: pods of every kind, as their statuses describe them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.kubernetes.containers import Reading, chosen, lines, readings
from bot.domain.errors import UserError
from bot.ports.logs import Line, Wanted

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WANTED = Wanted(NOON - timedelta(minutes=10), NOON)
RUNNING = {"running": {"startedAt": "2026-03-01T11:00:00Z"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}


def ended(at: str, code: int = 1) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": at}}


def container(name: str = "api", state: Any = RUNNING, last: Any = None, *, ready: bool = True) -> dict[str, Any]:
    return {"name": name, "state": state, "lastState": last or {}, "ready": ready, "restartCount": 0}


def pod(
    *containers: dict[str, Any], name: str = "api-1", init: tuple[dict[str, Any], ...] = (), made: str = "1"
) -> Any:
    status = {"phase": "Running", "containerStatuses": list(containers), "initContainerStatuses": list(init)}
    return {"metadata": {"name": name, "creationTimestamp": f"2026-03-0{made}T00:00:00Z"}, "status": status, "spec": {}}


def told(obj: Any, wanted: Wanted = WANTED) -> list[tuple[str, bool] | str]:
    """Source and whether the life before; or why there is nothing."""
    found = readings(obj, wanted)
    return [(one.source, one.previous) if isinstance(one, Reading) else one.plain() for one in found]


RECENT, LONG_AGO = ended("2026-03-01T11:55:00Z"), ended("2026-03-01T09:00:00Z")


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (pod(container()), [("api-1", False)]),
        (pod(container(last=RECENT)), [("api-1", True), ("api-1", False)]),
        (pod(container(last=LONG_AGO)), [("api-1", False)]),
        # in back-off both questions give the same life, so one is asked
        (pod(container(state=BACK_OFF, last=RECENT, ready=False)), [("api-1", False)]),
        (pod(container(state=ended("2026-03-01T11:59:00Z"), ready=False)), [("api-1", False)]),
        (pod(container("api"), container("proxy")), [("api-1/api", False), ("api-1/proxy", False)]),
        (pod(container(state=CREATING, ready=False)), ["api-1: it has not started"]),
        (
            pod(container(state={"waiting": {"reason": "ImagePullBackOff"}}, ready=False)),
            ["api-1: its image can't be pulled: "],
        ),
        (pod(), ["api-1: it has not started"]),
        # an init container that failed says why; one that did its work is of no interest
        (
            pod(container(state=CREATING, ready=False), init=(container("migrate", ended("2026-03-01T11:59:00Z")),)),
            [("api-1/migrate", False), "api-1: exit code 1, Error"],
        ),
        (pod(container(), init=(container("migrate", ended("2026-03-01T11:00:00Z", 0)),)), [("api-1", False)]),
    ],
)
def test_the_logs_of_a_pod(obj: Any, expected: list[Any]) -> None:
    assert told(obj) == expected


def test_the_life_before_is_all_that_is_read_when_it_is_asked_for() -> None:
    wanted = Wanted(WANTED.since, NOON, previous=True)
    assert told(pod(container(last=LONG_AGO)), wanted) == [("api-1", True)]
    assert told(pod(container()), wanted) == []
    assert told(pod(container(state=CREATING)), wanted) == []


def test_pods_in_trouble_come_first_then_the_newest() -> None:
    old, new, ill = pod(container(), name="old"), pod(container(), name="new", made="2"), pod(name="ill")
    assert [one["metadata"]["name"] for one in chosen([old, ill, new], "")] == ["ill", "new", "old"]


def test_a_pod_is_named_by_any_part_of_its_name() -> None:
    pods = [pod(name="api-abc-11111"), pod(name="api-abc-22222"), pod(name="api-abc-22222-x")]

    def names(wanted: str) -> list[str]:
        return [one["metadata"]["name"] for one in chosen(pods, wanted)]

    assert names("11111") == ["api-abc-11111"]
    assert names("api-abc-22222") == ["api-abc-22222"], "the whole name means one"
    assert len(names("ABC")) == 3
    with pytest.raises(UserError, match=r"No pod is called x9\. There are: api-abc-11111, api-abc-22222"):
        chosen(pods, "x9")
    assert chosen([], "x9") == [], "scaled to nothing"


TEXT = (
    "2026-03-01T11:49:59.999999999Z too old\n"
    "2026-03-01T11:50:00Z the first\n"
    "2026-03-01T11:55:00.123456789Z \x1b[31mcoloured\x1b[0m\r\n"
    "no time at all\n"
    "2026-03-01T11:56:00+00:00 with an offset\n"
    "2026-03-01T11:57:00Z \n"
    "2026-03-01T12:00:00Z too young\n"
)


def test_an_answer_is_read_line_by_line() -> None:
    found = lines(TEXT, "api-1", WANTED)
    assert found == [
        Line(NOON - timedelta(minutes=10), "api-1", "the first"),
        Line(NOON - timedelta(minutes=5) + timedelta(microseconds=123_456), "api-1", "coloured"),
        Line(NOON - timedelta(minutes=5) + timedelta(microseconds=123_456), "api-1", "no time at all"),
        Line(NOON - timedelta(minutes=4), "api-1", "with an offset"),
    ]


def test_half_a_line_is_none() -> None:
    assert [line.text for line in lines("11:50:00Z half\n2026-03-01T11:51:00Z whole\n", "a", WANTED, partial=True)] == [
        "whole"
    ]


def test_only_what_holds_the_word() -> None:
    assert [line.text for line in lines(TEXT, "api-1", Wanted(WANTED.since, NOON, grep="COLOUR"))] == ["coloured"]
