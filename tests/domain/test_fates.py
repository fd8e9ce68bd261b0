"""What an operation's turns make of each version it moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.cards import Place
from bot.domain.fates import deployments
from bot.domain.messages import StepMark
from bot.domain.operations import Operation, State, StepReport
from bot.domain.phrases import phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Environment, GitOps
from bot.domain.targets import Hand, Target, step_name

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
DONE, FAILED, RUNNING, SKIPPED = StepMark.DONE, StepMark.FAILED, StepMark.RUNNING, StepMark.SKIPPED
PLACES = [
    Environment(name, name, "production", "deployment", "api", GitOps("flux", "api", "o/d", "f"))
    for name in ("nyc2", "sfo3")
]
TARGETS = tuple(
    Target(place, Hand.COMMIT, f"r/api@sha256:{'8' * 64}", f"r/api@sha256:{'7' * 64}", "t") for place in PLACES
)


def operation(state: State, *, targets: tuple[Target, ...] = TARGETS, **marks: StepMark) -> Operation:
    """Steps by ``apply_nyc2`` and the like; a mark of the way back by ``undo_apply_nyc2``."""
    alone = len(targets) == 1
    names = [step_name(stage, target, alone=alone) for target in targets for stage in target.stages]
    plan = Plan(
        "promote", phrase("Promote"), "api", "production", tuple(PlannedStep(name, phrase("do")) for name in names),
        {"version": "1.8.0"}, targets=targets,
    )  # fmt: skip
    made = Operation("op-1", plan, "anna", state, NOON, LATER, Place("c"), steps=tuple(map(StepReport, names)))
    for name, mark in marks.items():
        ended = None if mark is RUNNING else LATER
        value = "c0ffee" if name.startswith("apply") else ""
        made = made.reported(StepReport(name.replace("_", " "), mark, ended_at=ended, value=value))
    return made


def found(made: Operation) -> list[Deployment]:
    return list(deployments(made, LATER))


def fates(made: Operation) -> list[Fate]:
    return [each.fate for each in found(made)]


def passed(place: str, *stages: str) -> dict[str, StepMark]:
    return dict.fromkeys((f"{stage}_{place}" for stage in stages or ("apply", "sync", "rollout", "verify")), DONE)


@pytest.mark.parametrize("state", [State.PROPOSED, State.WAITING, State.APPROVED])
def test_it_waits(state: State) -> None:
    assert fates(operation(state)) == [Fate.WAITING, Fate.WAITING]


@pytest.mark.parametrize("state", [State.REJECTED, State.EXPIRED, State.CANCELLED])
def test_it_never_got_there(state: State) -> None:
    assert fates(operation(state)) == [Fate.ENDED, Fate.ENDED]


def test_a_region_waits_for_the_one_before_it() -> None:
    assert fates(operation(State.RUNNING, apply_nyc2=RUNNING)) == [Fate.RUNNING, Fate.WAITING]
    assert fates(operation(State.PAUSED, apply_nyc2=FAILED)) == [Fate.RUNNING, Fate.WAITING]


def test_good_is_only_what_passed_every_stage() -> None:
    almost = found(operation(State.RUNNING, **passed("nyc2", "apply", "sync", "rollout"), verify_nyc2=RUNNING))
    assert (almost[0].fate, almost[0].since, almost[0].commit) == (Fate.RUNNING, LATER, "c0ffee")
    both = found(operation(State.RUNNING, **passed("nyc2"), apply_sfo3=RUNNING))
    assert [(each.fate, each.since) for each in both] == [(Fate.GOOD, LATER), (Fate.RUNNING, None)]
    done = operation(State.SUCCEEDED, **passed("nyc2"), **passed("sfo3"))
    assert fates(done) == [Fate.GOOD, Fate.GOOD]


def test_what_a_person_took_as_it_is_counts_as_good() -> None:
    skipped = passed("nyc2") | passed("sfo3") | {"verify_sfo3": SKIPPED}
    assert fates(operation(State.SUCCEEDED, **skipped)) == [Fate.GOOD, Fate.GOOD]


def test_bad_is_what_was_found_bad_until_it_is_tried_again() -> None:
    made = operation(State.PAUSED, **passed("nyc2", "apply", "sync", "rollout"))
    bad = made.reported(StepReport("verify nyc2", FAILED, ended_at=LATER, bad=True))
    assert fates(bad) == [Fate.BAD, Fate.WAITING]
    assert fates(replace(bad, state=State.FAILED)) == [Fate.BAD, Fate.ENDED]
    again = bad.reported(StepReport("verify nyc2", RUNNING))
    assert fates(replace(again, state=State.RUNNING)) == [Fate.RUNNING, Fate.WAITING]
    unknown = made.reported(StepReport("verify nyc2", FAILED, ended_at=LATER))
    assert fates(unknown) == [Fate.RUNNING, Fate.WAITING], "nobody knows is not bad"


def test_what_was_given_up_after_it_was_applied_is_bad() -> None:
    assert fates(operation(State.FAILED, apply_nyc2=DONE, sync_nyc2=FAILED)) == [Fate.BAD, Fate.ENDED]
    assert fates(operation(State.FAILED, apply_nyc2=FAILED)) == [Fate.ENDED, Fate.ENDED]
    assert fates(operation(State.FAILED)) == [Fate.ENDED, Fate.ENDED], "drift: nothing was begun"


def test_undone_is_back_where_it_was_in() -> None:
    marks = passed("nyc2") | {"apply_sfo3": FAILED}
    assert fates(operation(State.UNDONE, **marks)) == [Fate.BACK, Fate.ENDED]


def test_on_the_way_back_one_region_after_the_other_is_back() -> None:
    back = {f"undo_{stage}_sfo3": DONE for stage in ("apply", "sync", "rollout", "verify")}
    made = operation(State.RUNNING, **passed("nyc2"), **passed("sfo3"), **back, undo_apply_nyc2=RUNNING)
    assert fates(made) == [Fate.GOOD, Fate.BACK]
    some = {name: mark for name, mark in back.items() if "verify" not in name}
    assert fates(operation(State.RUNNING, **passed("nyc2"), **passed("sfo3"), **some)) == [Fate.GOOD, Fate.GOOD]


def test_a_bad_one_stays_bad_where_its_undoing_failed() -> None:
    made = operation(State.FAILED, **passed("nyc2", "apply", "sync"), undo_apply_nyc2=FAILED)
    assert fates(made.reported(StepReport("rollout nyc2", FAILED, bad=True))) == [Fate.BAD, Fate.ENDED]


def test_one_region_alone_has_plain_step_names() -> None:
    marks = dict.fromkeys(("apply", "sync", "rollout", "verify"), DONE)
    (one,) = found(operation(State.SUCCEEDED, targets=TARGETS[:1], **marks))
    assert one == Deployment(
        "api", "nyc2", "1.8.0", TARGETS[0].digest, Fate.GOOD, LATER, "op-1", "c0ffee", LATER
    )  # fmt: skip


def test_what_moves_no_version_has_no_deployments() -> None:
    made = operation(State.RUNNING)
    assert found(replace(made, plan=replace(made.plan, params={}))) == []
    assert found(replace(made, plan=replace(made.plan, targets=()))) == []
