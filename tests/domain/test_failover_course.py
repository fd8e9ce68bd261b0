"""The course of a move: which environments it is about, what may be lost, and that a plan holds all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.failover import Move, Place, Way
from bot.domain.failover_course import (
    Course,
    Kind,
    Lot,
    Machines,
    excessive,
    linked,
    moves_in,
    moving,
    read,
    readers,
    tolerable,
    written,
)
from bot.domain.failover_steps import FAILBACK, FAILOVER, bare, steps, there_and_back
from bot.domain.services import Catalogue, Environment, GitOps, Service

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RPO = timedelta(seconds=60)
MOVE = Move(Way("nyc2", "sfo3"))


def env(name: str, cluster: str, namespace: str = "production", repo: str = "") -> Environment:
    return Environment(name, cluster, namespace, "deployment", "api", GitOps(repo=repo))


def service(*environments: Environment, clusters: tuple[str, ...] = ("nyc2", "sfo3")) -> Service:
    return Service("api", "production", "deployment", "api", clusters, environments)


PROD, PROD_SFO3 = env("production", "nyc2"), env("production-sfo3", "sfo3")
STAGING = env("staging", "nyc2", "staging")
COURSE = Course(
    Kind.FAILOVER, "nyc2", "sfo3", RPO, NOON, lag=0.4, lots=(Lot("api", PROD_SFO3, 4, 2, "hpa", 1, 9),),
    machines=(Machines("pool-a", 4, 3),), probes=("https://www.dept.example",), services=("api",),
    links=(linked(Place("sfo3", "production", "db", "url"), "db:5432", [(service(PROD), PROD_SFO3)]),),
)  # fmt: skip


def test_a_plan_holds_all_of_it() -> None:
    assert read({"course": written(COURSE)}) == COURSE
    assert COURSE.links[0].place == Place("sfo3", "production", "db", "url")


def test_a_plan_of_before_there_were_courses() -> None:
    found = read({"source": "nyc2", "target": "sfo3", "rpo": "60.0"})
    assert (found.way, found.rpo, found.kind, found.lots) == (Way("nyc2", "sfo3"), RPO, Kind.FAILOVER, ())


@pytest.mark.parametrize(
    ("move", "environments", "name"),
    [
        (MOVE, (STAGING, PROD, PROD_SFO3), "production"),
        (replace(MOVE, environment="staging"), (STAGING, PROD, PROD_SFO3), "staging"),
        (replace(MOVE, environment="production"), (STAGING, PROD), "production"),
        (MOVE, (STAGING,), None),
        (MOVE, (PROD, env("canary", "nyc2", "canary")), "production"),
    ],
    ids=["all but staging's", "staging's", "by name", "none", "the service's own namespace first"],
)
def test_which_environment_moves(move: Move, environments: tuple[Environment, ...], name: str | None) -> None:
    found = moves_in(service(*environments), "nyc2", move)
    assert (found.name if found else None) == name


def test_two_that_could_move_are_named() -> None:
    both = service(PROD, env("production-blue", "nyc2"))
    with pytest.raises(UserError, match="several environments in nyc2 that could move: production, production-blue"):
        moves_in(both, "nyc2", MOVE)


def test_one_file_for_every_cluster_is_the_same_workload_in_each() -> None:
    found = moves_in(service(PROD), "sfo3", MOVE)
    assert found
    assert (found.cluster, found.workload) == ("sfo3", "api")
    assert moves_in(service(PROD, clusters=("nyc2",)), "sfo3", MOVE) is None


def test_only_what_runs_in_both_regions_moves() -> None:
    alone = replace(service(PROD, clusters=("nyc2",)), name="alone")
    found = moving(Catalogue([service(STAGING, PROD, PROD_SFO3), alone]), MOVE)
    assert [(each.name, source.name, target.name) for each, source, target in found] == [
        ("api", "production", "production-sfo3")
    ]


def test_who_reads_a_place() -> None:
    found = [(service(), PROD_SFO3), (service(), env("other", "sfo3", "other", repo="dept/deploy"))]
    assert [each.name for _, each in readers(Place("sfo3", "production", "db", "url"), found)] == ["production-sfo3"]
    in_git = Place("sfo3", key="db.host", repo="dept/deploy", file="values.yaml")
    assert [each.name for _, each in readers(in_git, found)] == ["other"]


@pytest.mark.parametrize(
    ("lag", "more"), [(None, True), (float("nan"), True), (60.1, True), (60.0, False), (0.0, False)]
)
def test_what_takes_somebodys_word(lag: float | None, more: bool) -> None:
    assert excessive(lag, RPO) is more


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.booleans(), st.booleans())
def test_what_may_be_lost_is_never_less_than_the_rpo(lag: float, later: float, then: bool, now: bool) -> None:
    at = NOON + timedelta(seconds=later)
    held = replace(COURSE, lag=lag, held=True, reachable=then)
    allowed = tolerable(held, at, reachable=now)
    assert allowed is not None
    assert allowed >= 60.0
    if then or now:
        assert allowed == max(60.0, lag), "only behind a primary that is gone does the clock count for nothing"
    assert tolerable(replace(held, held=False), at, reachable=now) == 60.0
    assert tolerable(replace(held, lag=None), at, reachable=now) is None


def test_the_fence_comes_before_the_promotion_in_every_order() -> None:
    for order in (FAILOVER, FAILBACK):
        assert order.index("fence") < order.index("promote") < order.index("shift") < order.index("verify")
        assert order[0] == "freeze"
        assert order[-1] == "report"
    back = replace(COURSE, kind=Kind.FAILBACK, source="sfo3", target="nyc2")
    names = [step.name for step in there_and_back(replace(COURSE, kind=Kind.LIVE), back)]
    assert len(names) == len(set(names))
    assert names.count("there-freeze") == 1
    assert [name for name in names if bare(name) == "report"] == ["back-report"]
    assert names.index("back-fence") < names.index("back-caught-up") < names.index("back-promote")


def test_a_fence_is_skipped_by_nobody() -> None:
    assert [step.name for step in steps(COURSE) if step.skippable] == ["capacity", "connections", "shift", "verify"]
    drill = replace(COURSE, kind=Kind.DRILL)
    assert [step.title for step in steps(drill)] == [step.title for step in steps(COURSE)]


def test_what_nothing_is_configured_for_is_no_step() -> None:
    bare_course = replace(COURSE, lots=(), machines=(), links=())
    names = [step.name for step in steps(bare_course)]
    assert names == ["freeze", "lag", "fence", "promote", "shift", "verify", "report"]
