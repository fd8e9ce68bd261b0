"""What is known of a release, whatever the order in which it is told; where it stands; what runs where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import Result, Scan
from bot.domain.releases import (
    FAILED,
    RANKS,
    RUNS_KEPT,
    STAGES,
    Deployment,
    Fate,
    Ran,
    Release,
    current,
    heard_of,
    merge,
    same_commit,
    with_runs,
)
from bot.domain.standing import Standing, Stay, promotable, standing

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
BUILT = Release("api", "1.8.0", "built", NOON, image="r/api", digest=ONE, evidence={"tests": "12 passed"})


def told(stage: str, minutes: float = 0, **more: object) -> Release:
    return Release("api", "1.8.0", stage, NOON + minutes * MINUTE, **more)  # type: ignore[arg-type]


def known(*words: Release) -> Release:
    first, *rest = words
    return reduce(merge, rest, first)


def test_later_words_win_and_silence_keeps() -> None:
    ready = told("ready", 1, commit="c1", evidence={"trivy": "clean", "tests": "13 passed"})
    merged = merge(BUILT, ready)
    assert (merged.stage, merged.at, merged.commit) == ("ready", NOON + MINUTE, "c1")
    assert (merged.image, merged.digest) == ("r/api", ONE)
    assert merged.evidence == {"tests": "13 passed", "trivy": "clean"}
    assert merge(None, BUILT) is BUILT


def test_who_does_not_speak_of_a_pre_release_does_not_end_it() -> None:
    before = replace(BUILT, prerelease=True)
    assert merge(before, BUILT).prerelease is True
    assert merge(before, replace(BUILT, prerelease=False)).prerelease is False
    assert merge(BUILT, before).prerelease is True


def test_a_release_is_named_by_service_and_version() -> None:
    assert BUILT.id == "api/1.8.0"


def test_a_late_word_keeps_the_stage_and_adds_its_evidence() -> None:
    ready = told("ready", 5, evidence={"tests": "13 passed"})
    merged = merge(ready, replace(BUILT, evidence={"tests": "12 passed", "lint": "clean"}))
    assert (merged.stage, merged.digest) == ("ready", ONE)
    assert merged.evidence == {"tests": "13 passed", "lint": "clean"}
    assert merged.at == NOON + 5 * MINUTE


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_means_nothing(order: tuple[int, ...]) -> None:
    words = [
        told("tagged", 0, commit="a" * 40),
        told("built", 1, digest=ONE, image="r/api", evidence={"tests": "1 passed"}),
        told("tested", 2, evidence={"tests": "2 passed"}, results={"tests": Result(good=True)}),
        told("ready", 3, evidence={"trivy": "clean"}, scan=Scan(0, 0)),
    ]
    merged = known(*(words[at] for at in order))
    assert (merged.stage, merged.digest, merged.commit, merged.at) == ("ready", ONE, "a" * 40, NOON + 3 * MINUTE)
    assert merged.evidence == {"tests": "2 passed", "trivy": "clean"}
    assert merged.results == {"tests": Result(good=True)}
    assert merged.scan == Scan(0, 0)


STAGED = st.lists(st.tuples(st.sampled_from([*RANKS, FAILED]), st.integers(0, 9)), min_size=1, max_size=6)


@given(STAGED, st.data())
def test_no_order_moves_a_release_back(words: list[tuple[str, int]], data: st.DataObject) -> None:
    """Neither a repeat nor another order; a failure is ended by being ready later, and by nothing less."""
    releases = [told(stage, minutes) for stage, minutes in words]
    merged = known(*releases)
    assert known(*releases, *releases).stage == merged.stage
    assert known(*data.draw(st.permutations(releases))).stage == merged.stage
    stages = [stage for stage, _ in words if stage != FAILED]
    if len(stages) == len(words):
        assert merged.stage == max(stages, key=RANKS.__getitem__)
    elif merged.stage != FAILED:
        assert merged.rank >= RANKS["ready"]


def test_a_failure_is_ended_by_a_later_run_that_is_ready() -> None:
    failed = told(FAILED, 2)
    assert known(told("built", 1), failed).stage == FAILED
    assert known(failed, told("built", 3), told("tested", 4)).stage == FAILED
    assert known(failed, told("ready", 1)).stage == FAILED, "what failed later failed"
    assert known(failed, told("tested", 9), told("ready", 5)).stage == "ready"
    assert known(told("ready", 5), failed).stage == "ready"
    assert known(told("ready", 1), failed).stage == FAILED


def test_a_second_digest_is_a_conflict_and_never_taken_over() -> None:
    other = told("ready", 5, digest=TWO, image="evil/api", evidence={"tests": "all"}, scan=Scan(0, 0))
    for merged in (known(BUILT, other), known(BUILT, other, BUILT), known(BUILT, other, told("ready", 9, digest=ONE))):
        assert (merged.digest, merged.conflict, merged.image) == (ONE, TWO, "r/api")
        assert merged.evidence == {"tests": "12 passed"}
        assert merged.scan is None
        assert merged.disputed
    assert known(BUILT, told("ready", 5, digest=ONE)).conflict == ""
    assert known(told("tagged"), BUILT).conflict == ""


def test_a_moved_tag_is_told_and_the_first_commit_kept() -> None:
    merged = known(told("tagged", commit="a" * 40), told("tagged", 5, commit="b" * 40))
    assert (merged.commit, merged.moved, merged.disputed) == ("a" * 40, "b" * 40, True)
    assert known(merged, told("ready", 9, commit="a" * 40)).moved == "b" * 40
    assert known(told("built"), told("tagged", 1, commit="b" * 40, moved="b" * 40)).disputed


def test_a_short_commit_is_the_same_commit() -> None:
    for words in (("abcdef1", "abcdef1" + "0" * 33), ("abcdef1" + "0" * 33, "abcdef1")):
        merged = known(*(told("built", commit=commit) for commit in words))
        assert (merged.commit, merged.moved) == ("abcdef1" + "0" * 33, "")
    assert same_commit("", "abc")
    assert not same_commit("abd", "abcd")


def test_notes_of_the_forge_win() -> None:
    forge = told("published", 0, notes="from GitHub", page="https://github.com/x")
    assert known(told("ready", 5, notes="from CI"), forge).notes == "from GitHub"
    assert known(forge, told("ready", 5)).notes == "from GitHub"


def test_evidence_told_anew_takes_its_numbers_along() -> None:
    counted = told("tested", 1, evidence={"tests": "3 passed"}, results={"tests": Result(good=True, passed=3)})
    merged = known(counted, told("ready", 2, evidence={"tests": "flaky"}))
    assert (merged.evidence, merged.results) == ({"tests": "flaky"}, {})
    assert known(told("scanned", 1, evidence={"trivy": "x"}, scan=Scan(1, 0)), told("ready", 2)).scan == Scan(1, 0)
    assert known(told("scanned", 1, evidence={"trivy": "x"}, scan=Scan(1, 0)),
                 told("ready", 2, evidence={"trivy": "see report"})).scan is None  # fmt: skip


def ran(workflow: str = "ci", ident: int = 1, attempt: int = 1, state: str = "success") -> Ran:
    return Ran(workflow, ident, attempt, state, "a" * 40)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([ran(state="running"), ran()], ran()),
        ([ran(), ran(state="running")], ran()),
        ([ran(state="failure"), ran(attempt=2)], ran(attempt=2)),
        ([ran(attempt=2), ran(state="failure")], ran(attempt=2)),
        ([ran(ident=2), ran(attempt=9)], ran(ident=2)),
    ],
)
def test_the_latest_run_of_a_workflow_counts(words: list[Ran], kept: Ran) -> None:
    assert with_runs((), words) == (kept,)


def test_workflows_stand_side_by_side_within_bounds() -> None:
    assert {run.workflow for run in with_runs((ran("a"),), (ran("b"),))} == {"a", "b"}
    many = with_runs((), [ran(f"w{n}", n) for n in range(RUNS_KEPT * 2)])
    assert len(many) == RUNS_KEPT
    assert many[-1].id == RUNS_KEPT * 2 - 1


def row(version: str, fate: Fate, minutes: float, since: float | None = None, **more: object) -> Deployment:
    came = None if since is None else NOON + since * MINUTE
    at = NOON + minutes * MINUTE
    return Deployment("api", "production", version, ONE, fate, at, since=came, **more)  # type: ignore[arg-type]


def test_what_runs_is_what_came_last() -> None:
    rows = [
        row("1.7", Fate.GOOD, 1, 1), row("1.8", Fate.GOOD, 5, 5), row("1.9", Fate.RUNNING, 9), row("2.0", Fate.BAD, 8),
        row("2.1", Fate.BACK, 7, 7), row("2.2", Fate.ENDED, 9),
    ]  # fmt: skip
    assert current(rows) == rows[1]
    assert current([*rows, row("1.7", Fate.BAD, 20, 6)]) == row("1.7", Fate.BAD, 20, 6)
    assert current(rows[2:]) is None


RUNNING, GOOD, BAD = row("1.8", Fate.RUNNING, 1), row("1.8", Fate.GOOD, 2, 2), row("1.8", Fate.BAD, 3)
OTHER = row("1.9", Fate.GOOD, 4, 4)


@pytest.mark.parametrize(
    ("was", "then", "there", "becomes"),
    [
        (None, RUNNING, None, RUNNING),
        (RUNNING, GOOD, None, GOOD),
        (GOOD, RUNNING, GOOD, None),
        (GOOD, GOOD, GOOD, None),
        (GOOD, BAD, GOOD, None),
        (RUNNING, BAD, OTHER, BAD),
        (GOOD, row("1.8", Fate.GOOD, 3, 3), GOOD, None),
        (GOOD, row("1.8", Fate.GOOD, 6, 6), OTHER, row("1.8", Fate.GOOD, 6, 6)),
        (GOOD, row("1.8", Fate.RUNNING, 6), OTHER, row("1.8", Fate.RUNNING, 6)),
        (BAD, row("1.8", Fate.GOOD, 6, 6), OTHER, row("1.8", Fate.GOOD, 6, 6)),
        (GOOD, row("1.8", Fate.BACK, 6), GOOD, row("1.8", Fate.BACK, 6, 2)),
        (row("1.8", Fate.RUNNING, 2), row("1.8", Fate.GOOD, 2, 2), None, row("1.8", Fate.GOOD, 2, 2)),
        (row("1.8", Fate.GOOD, 2, 2), row("1.8", Fate.RUNNING, 2), None, None),
        (RUNNING, row("1.8", Fate.RUNNING, 5), None, None),
    ],
)
def test_what_is_heard_of_a_version_in_an_environment(
    was: Deployment | None, then: Deployment, there: Deployment | None, becomes: Deployment | None
) -> None:
    assert heard_of(was, then, there) == becomes


def stay(fate: Fate, *, production: bool = True, until: bool = False, environment: str = "production") -> Stay:
    since = 1 if fate in {Fate.GOOD, Fate.BAD} else None
    told_ = replace(row("1.8", fate, 1, since), environment=environment)
    return Stay(told_, production, "1.9" if until else "", NOON if until else None)


STAGING = stay(Fate.GOOD, production=False, environment="staging")


@pytest.mark.parametrize(
    ("stage", "stays", "found"),
    [
        ("built", (), Standing.STAGE),
        ("built", (STAGING,), Standing.STAGED),
        ("ready", (STAGING,), Standing.READY),
        ("ready", (STAGING, stay(Fate.WAITING)), Standing.WAITING),
        ("ready", (STAGING, stay(Fate.RUNNING)), Standing.MOVING),
        ("ready", (STAGING, stay(Fate.GOOD)), Standing.LIVE),
        ("ready", (stay(Fate.GOOD), stay(Fate.RUNNING, environment="production-sfo3")), Standing.MOVING),
        ("ready", (stay(Fate.GOOD), stay(Fate.BAD, environment="production-sfo3")), Standing.BAD),
        ("ready", (stay(Fate.BACK),), Standing.BACK),
        ("ready", (stay(Fate.GOOD, until=True),), Standing.REPLACED),
        ("failed", (), Standing.FAILED),
        ("failed", (stay(Fate.GOOD),), Standing.LIVE),
    ],
)
def test_the_one_thing_to_know(stage: str, stays: tuple[Stay, ...], found: Standing) -> None:
    assert standing(told(stage), stays)[0] is found


READY = told("ready", digest=ONE)


@pytest.mark.parametrize(
    ("release", "stays", "offered"),
    [
        (READY, (), True),
        (READY, (STAGING,), True),
        (replace(READY, digest=""), (), False),
        (replace(READY, conflict=TWO), (), False),
        (replace(READY, moved="b" * 40), (), False),
        (replace(READY, prerelease=True), (), False),
        (replace(READY, stage="failed"), (), False),
        (replace(READY, stage="built"), (), False),
        (replace(READY, stage="tested"), (), False),
        (replace(READY, stage="built"), (STAGING,), True),
        (replace(READY, stage="published"), (), True),
        (READY, (stay(Fate.WAITING),), False),
        (READY, (stay(Fate.RUNNING),), False),
        (READY, (stay(Fate.GOOD),), False),
        (READY, (stay(Fate.BACK),), False),
        (READY, (stay(Fate.GOOD, until=True),), True),
    ],
)
def test_what_is_offered_for_promotion(release: Release, stays: tuple[Stay, ...], offered: bool) -> None:
    assert promotable(release, stays, before=True) is offered


def test_where_there_is_no_staging_tested_is_enough() -> None:
    assert promotable(replace(READY, stage="tested"), (), before=False)
    assert set(STAGES) - {FAILED} <= set(RANKS)
