"""What is trouble, and when it is over: every kind, at its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lookout import Lookout
from bot.domain.sights import Ailment, CertificateSight, JobSight, Kind, Owner, PodSight, RolloutSight
from bot.domain.trouble import Finding, Limits, Trouble

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
API = Owner("deployment", "api")
LIMITS = Limits()


def pod(restarts: int = 0, uid: str = "1", owner: Owner = API, **ailment: object) -> PodSight:
    return PodSight(uid, owner, restarts, Ailment(**ailment))  # type: ignore[arg-type]


def firm(lookout: Lookout, now: datetime) -> dict[Trouble, Finding]:
    return {each.trouble: each for each in lookout.judged(now) if each.firm}


def vague(lookout: Lookout, now: datetime) -> set[Trouble]:
    return {each.trouble for each in lookout.judged(now) if not each.firm}


def test_a_storm_is_so_many_restarts_of_one_workload_in_time() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    for name in ("a", "b"):
        lookout.seen(name, pod(uid=name), NOON)
    for number in range(1, 5):
        at = NOON + number * MINUTE
        lookout.seen("a", pod(number, "a", ended=at, how="Error (1)"), at)
    assert firm(lookout, NOON + 4 * MINUTE) == {}
    at = NOON + 5 * MINUTE
    lookout.seen("b", pod(1, "b", ended=at, how="OOMKilled (137)"), at)
    (found,) = firm(lookout, at).values()
    assert (found.trouble, found.owner, found.told) == (Trouble.RESTARTS, API, {"how": "OOMKilled (137)"})


def test_a_storm_is_over_only_when_nothing_restarts_for_the_whole_time() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("a", pod(), NOON)
    lookout.seen("a", pod(5, ended=NOON), NOON)
    assert set(firm(lookout, NOON + 9 * MINUTE)) == {Trouble.RESTARTS}
    at = NOON + 8 * MINUTE
    lookout.seen("a", pod(6, ended=at), at)
    assert vague(lookout, NOON + 12 * MINUTE) == {Trouble.RESTARTS}, "fewer than a storm, and not over"
    assert lookout.judged(at + 10 * MINUTE) == []


def test_what_waits_to_be_started_again_is_not_over() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("a", pod(), NOON)
    lookout.seen("a", pod(5, ended=NOON, looping=True), NOON)
    assert vague(lookout, NOON + 30 * MINUTE) == {Trouble.RESTARTS}


def test_restarts_before_the_first_look_are_not_counted_again() -> None:
    """A relist, or a start of pult, shows a pod with a hundred restarts: only its last death is known to be new."""
    lookout = Lookout(Kind.POD, LIMITS)
    for _ in range(3):
        lookout.seen("a", pod(100, ended=NOON), NOON + MINUTE)
        lookout.only({"a"})
    assert firm(lookout, NOON + MINUTE) == {}


def test_another_pod_of_the_same_name_is_another() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("db-0", pod(1, "old"), NOON)
    lookout.seen("db-0", pod(9, "new"), NOON)
    assert firm(lookout, NOON) == {}


@pytest.mark.parametrize(("minutes", "told"), [(4, False), (5, True), (60, True)])
def test_pending(minutes: int, told: bool) -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("a", pod(pending=NOON, why="0/3 nodes are available"), NOON)
    found = firm(lookout, NOON + minutes * MINUTE)
    assert (Trouble.PENDING in found) is told
    if told:
        assert found[Trouble.PENDING].told == {"why": "0/3 nodes are available"}


def test_the_pod_that_waits_longest_says_why() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("b", pod(uid="b", pending=NOON + MINUTE, why="later"), NOON)
    lookout.seen("a", pod(uid="a", pending=NOON, why="first"), NOON)
    assert firm(lookout, NOON + 10 * MINUTE)[Trouble.PENDING].told == {"why": "first"}


def test_an_image_is_trouble_once_the_kubelet_tried_twice() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("a", pod(pending=NOON, image="api:9"), NOON)
    assert (firm(lookout, NOON), vague(lookout, NOON)) == ({}, {Trouble.IMAGES})
    lookout.seen("a", pod(pending=NOON, image="api:9", firm=True), NOON)
    assert firm(lookout, NOON)[Trouble.IMAGES].told == {"image": "api:9"}
    later = NOON + 10 * MINUTE
    assert set(firm(lookout, later)) == {Trouble.IMAGES}, "it is no second trouble that it waits"
    lookout.gone("a")
    assert lookout.judged(later) == []


def test_a_kill_for_memory_is_told_and_over_in_time() -> None:
    lookout = Lookout(Kind.POD, LIMITS)
    lookout.seen("a", pod(1, ended=NOON, killed=NOON, hog="api"), NOON)
    assert firm(lookout, NOON + 9 * MINUTE)[Trouble.MEMORY].told == {"container": "api"}
    assert lookout.judged(NOON + 10 * MINUTE) == []


def test_a_rollout_that_says_it_is_stuck() -> None:
    lookout = Lookout(Kind.DEPLOYMENT, LIMITS)
    lookout.seen("api", RolloutSight(API, stuck="timed out progressing"), NOON)
    assert firm(lookout, NOON)[Trouble.ROLLOUTS].told == {"why": "timed out progressing"}
    lookout.seen("api", RolloutSight(API), NOON)
    assert lookout.judged(NOON) == []


def test_a_statefulset_knows_no_deadline_so_standing_still_counts() -> None:
    lookout, owner = Lookout(Kind.STATEFULSET, LIMITS), Owner("statefulset", "db")
    lookout.seen("db", RolloutSight(owner, under_way=(3, 1, 2, 2)), NOON)
    lookout.seen("db", RolloutSight(owner, under_way=(3, 2, 2, 2)), NOON + 6 * MINUTE)
    assert vague(lookout, NOON + 15 * MINUTE) == {Trouble.ROLLOUTS}
    assert set(firm(lookout, NOON + 16 * MINUTE)) == {Trouble.ROLLOUTS}
    lookout.seen("db", RolloutSight(owner), NOON + 17 * MINUTE)
    assert lookout.judged(NOON + 17 * MINUTE) == []


def test_the_last_run_of_a_cronjob_speaks_for_it() -> None:
    lookout, owner = Lookout(Kind.JOB, LIMITS), Owner("cronjob", "backup")
    lookout.seen("backup-1", JobSight(owner, NOON, failed=True, why="BackoffLimitExceeded"), NOON)
    lookout.seen("backup-2", JobSight(owner), NOON)
    assert firm(lookout, NOON)[Trouble.JOBS].told == {"why": "BackoffLimitExceeded"}
    lookout.seen("backup-2", JobSight(owner, NOON + MINUTE), NOON)
    assert lookout.judged(NOON + MINUTE) == []


def test_a_failure_of_last_week_is_old_news_and_no_end() -> None:
    lookout = Lookout(Kind.JOB, LIMITS)
    lookout.seen("once", JobSight(Owner("job", "once"), NOON, failed=True), NOON)
    assert vague(lookout, NOON + timedelta(days=7)) == {Trouble.JOBS}


@pytest.mark.parametrize(
    ("unready", "left", "life", "told"),
    [
        (None, 13, 90, True),
        (None, 15, 90, False),
        (None, 1, 2, False),
        (None, 0.4, 2, True),
        (NOON - 4 * MINUTE, None, None, False),
        (NOON - 5 * MINUTE, None, None, True),
        (None, None, None, False),
    ],
)
def test_certificates(unready: datetime | None, left: float | None, life: float | None, told: bool) -> None:
    expires = None if left is None else NOON + timedelta(days=left)
    sight = CertificateSight(Owner("certificate", "web"), unready, "x", expires, timedelta(days=life) if life else None)
    lookout = Lookout(Kind.CERTIFICATE, LIMITS)
    lookout.seen("web", sight, NOON)
    assert bool(firm(lookout, NOON)) is told


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.booleans()), max_size=60))
def test_a_relist_changes_no_judgement(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever was seen: to list everything again, as it is, tells nothing new."""
    lookout, now = Lookout(Kind.POD, LIMITS), NOON
    there: dict[str, PodSight] = {}
    for number, restarts, leaves in steps:
        now += 20 * SECOND
        name = f"p{number}"
        if leaves:
            there.pop(name, None)
            lookout.gone(name)
        else:
            there[name] = pod(restarts, name, ended=now if restarts else None, looping=restarts % 2 == 1)
            lookout.seen(name, there[name], now)
    before = lookout.judged(now)
    for name, sight in there.items():
        lookout.seen(name, sight, now)
    lookout.only(there.keys())
    assert lookout.judged(now) == before
    assert len(lookout) == len(there)
