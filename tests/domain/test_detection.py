"""Detection: a table of stories, and what holds for any story."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.codec import decode, encode
from bot.domain.detection import (
    FLAPS,
    LONGER,
    WINDOW,
    Last,
    Look,
    Past,
    Report,
    Stage,
    Stands,
    View,
    Vigil,
    back,
    cools,
    flapping,
    followed,
    hold,
    nearby,
    stage,
)
from bot.domain.failover import Move, Pair, Sight, Way, Witness, lost
from bot.domain.phrases import phrase

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIR = Pair(
    Move(Way("nyc2", "sfo3")), timedelta(seconds=60),
    (Witness("metrics", query="up"), Witness("kubernetes", cluster="nyc2"), Witness("uptime", uptime="c-1")),
    hold=timedelta(minutes=3), fresh=timedelta(minutes=2), cooldown=timedelta(minutes=30),
)  # fmt: skip
NAMES = ("metrics", "kubernetes", "uptime")
LETTERS = {"U": Sight.UP, "L": Sight.LOST, "?": Sight.UNKNOWN}
NOTHING = Past()
SERVES = Past(serves="sfo3")
BACK = Past(Last("op-2", "failback", "succeeded", NOON, NOON - timedelta(hours=1)), serves="nyc2")


def look(letters: str, at: datetime) -> Look:
    """One letter for each witness."""
    sights = (LETTERS[letter] for letter in letters)
    views = {name: View(sight, phrase("answers"), at) for name, sight in zip(NAMES, sights, strict=True)}
    return Look(at, views)


def watch(story: Iterable[tuple[float, str]], pair: Pair = PAIR) -> Vigil:
    """After looks at so many seconds past noon."""
    vigil = None
    for seconds, letters in story:
        vigil = followed(vigil, look(letters, NOON + timedelta(seconds=seconds)), pair)
    assert vigil is not None
    return vigil


def every(seconds: int, until: int, letters: str, since: int = 0) -> list[tuple[float, str]]:
    return [(at, letters) for at in range(since, until + 1, seconds)]


@pytest.mark.parametrize(
    ("story", "past", "expected"),
    [
        (every(10, 600, "UUU"), NOTHING, Stage.UP),
        (every(10, 600, "UU?"), NOTHING, Stage.UP),
        (every(10, 600, "U??"), NOTHING, Stage.UNSURE),
        (every(10, 600, "L??"), NOTHING, Stage.UNSURE),  # one witness, and missing data
        (every(10, 600, "???"), NOTHING, Stage.UNSURE),
        (every(10, 600, "LUU"), NOTHING, Stage.UP),  # one witness lies
        (every(10, 600, "LU?"), NOTHING, Stage.UNSURE),
        (every(10, 170, "LLU"), NOTHING, Stage.DOUBTED),
        (every(10, 180, "LLU"), NOTHING, Stage.CALLED),
        (every(10, 180, "LL?"), NOTHING, Stage.CALLED),  # silence of one ends no majority of the others
        (every(10, 180, "LLL"), NOTHING, Stage.CALLED),
        ([*every(10, 170, "LLL"), (180, "UUU"), (190, "LLL")], NOTHING, Stage.DOUBTED),  # back in between
        ([*every(10, 170, "LLL"), (180, "L??"), (190, "LLL")], NOTHING, Stage.DOUBTED),  # not seen in between
        ([(0, "LLL"), (110, "LLL"), (180, "LLL")], NOTHING, Stage.CALLED),  # a restart of less than fresh
        ([(0, "LLL"), (130, "LLL"), (240, "LLL")], NOTHING, Stage.DOUBTED),  # nobody looked for longer
        ([(0, "LLL"), (130, "LLL"), (240, "LLL"), (310, "LLL")], NOTHING, Stage.CALLED),
        ([*every(10, 90, "LL?"), *every(10, 180, "?LL", 100)], NOTHING, Stage.CALLED),  # other voices, one majority
        (every(10, 600, "LLL"), SERVES, Stage.MOVED),
        (every(10, 600, "UUU"), SERVES, Stage.MOVED),
        (every(10, 600, "LLL"), BACK, Stage.CALLED),
    ],
)
def test_stories(story: list[tuple[float, str]], past: Past, expected: Stage) -> None:
    assert stage(watch(story), PAIR, past) is expected


def test_a_move_that_ended_lately_cools() -> None:
    past = Past(Last("op-1", "failover", "failed", NOON, NOON - timedelta(minutes=20)))
    assert cools(past, PAIR) == NOON + timedelta(minutes=10)
    assert stage(watch(every(10, 590, "LLL")), PAIR, past) is Stage.COOLING
    assert stage(watch(every(10, 600, "LLL")), PAIR, past) is Stage.CALLED
    assert cools(NOTHING, PAIR) is None


def test_two_witnesses_are_never_a_majority() -> None:
    pair = replace(PAIR, witnesses=PAIR.witnesses[:2])
    views = {name: View(Sight.LOST, phrase("answers"), NOON) for name in NAMES[:2]}
    vigil = followed(followed(None, Look(NOON, views), pair), Look(NOON + timedelta(seconds=90), views), pair)
    assert vigil.since is None


def test_flapping_holds_longer_until_it_is_forgotten() -> None:
    story = [(at, "LLL" if at // 60 % 2 else "UUU") for at in range(0, 241, 60)]  # four turns
    vigil = watch(story)
    assert len(vigil.turns) == FLAPS
    assert flapping(vigil)
    assert hold(vigil, PAIR) == PAIR.hold * LONGER
    again = watch([*story, *every(10, 300 + 350, "LLL", 300)])
    assert stage(again, PAIR, NOTHING) is Stage.DOUBTED
    assert stage(watch([*story, *every(10, 300 + 360, "LLL", 300)]), PAIR, NOTHING) is Stage.CALLED
    late = int(WINDOW.total_seconds()) + 300
    assert hold(watch([*story, *every(10, late, "UUU", 300)]), PAIR) == PAIR.hold


def test_one_loss_ends_only_when_a_majority_sees_it_up() -> None:
    """What was proposed for it is not forgotten by missing data."""
    vigil = replace(watch(every(10, 180, "LLL")), called=NOON, operation="op-1")
    unknown = followed(vigil, look("???", NOON + timedelta(seconds=190)), PAIR)
    assert (unknown.called, unknown.operation, unknown.since) == (NOON, "op-1", None)
    ended = followed(unknown, look("UU?", NOON + timedelta(seconds=200)), PAIR)
    assert (ended.called, ended.operation) == (None, "")
    assert back(ended)


def test_who_says_what_since_when() -> None:
    vigil = watch([(0, "UUU"), (10, "LUU"), (20, "LUU"), (30, "LU?")])
    said = {voice.name: (voice.sight, (voice.since - NOON).seconds) for voice in vigil.voices}
    assert said == {"metrics": (Sight.LOST, 10), "kubernetes": (Sight.UP, 0), "uptime": (Sight.UNKNOWN, 30)}


def test_a_majority_from_where_pult_stands_is_marked() -> None:
    own = (Witness("a", url="http://a/"), Witness("b", cluster="nyc2"), Witness("c", uptime="c-1"))
    pair = replace(PAIR, witnesses=own)

    def seen(*sights: Sight) -> Vigil:
        named = zip("abc", sights, strict=True)
        return followed(None, Look(NOON, {name: View(sight, phrase("answers"), NOON) for name, sight in named}), pair)

    assert nearby(seen(Sight.LOST, Sight.LOST, Sight.UNKNOWN), pair)
    assert not nearby(seen(Sight.LOST, Sight.LOST, Sight.LOST), pair)
    assert not nearby(seen(Sight.UP, Sight.UP, Sight.UP), pair)


def test_a_growing_lag_is_news_once() -> None:
    def said(lag: float | None) -> Report:
        stands = Stands("db", lag, fenced=False, promoted=False)
        return Report("nyc2", "sfo3", Stage.CALLED, (), NOON, PAIR.hold, PAIR.rpo, stands=stands)

    assert said(2.0).repeats(said(1.0))
    assert said(90.0).repeats(said(61.0))
    assert not said(61.0).repeats(said(60.0))
    assert not said(None).repeats(said(1.0))


LETTER = st.sampled_from("UL?")
STORIES = st.lists(
    st.tuples(st.floats(0.1, 400), st.tuples(LETTER, LETTER, LETTER).map("".join)), min_size=1, max_size=40
)


def told(steps: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Pauses to times."""
    at, story = 0.0, []
    for pause, letters in steps:
        at += pause
        story.append((at, letters))
    return story


@given(STORIES)
def test_called_only_after_a_whole_hold_of_looks_that_all_saw_it_lost(steps: list[tuple[float, str]]) -> None:
    """Promise 20, of any story: the looks of the last hold, the gaps between them, and the majority in each."""
    story = told(steps)
    if stage(watch(story), PAIR, NOTHING) is not Stage.CALLED:
        return
    last = story[-1][0]
    tail = [(at, letters) for at, letters in story if last - at <= PAIR.hold.total_seconds() + 1e-6]
    before = [at for at, letters in story if letters.count("L") >= 2 and last - at >= PAIR.hold.total_seconds() - 1e-6]
    assert before, "nobody saw it lost a whole hold ago"
    assert all(letters.count("L") >= 2 for _, letters in tail)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(tail)]
    assert all(gap <= PAIR.fresh.total_seconds() + 1e-6 for gap in gaps)


@given(STORIES)
def test_a_witness_that_falls_silent_never_brings_a_failover_nearer(steps: list[tuple[float, str]]) -> None:
    """Missing data is no vote: with any one witness unknown throughout, what is not called for stays so."""
    story = told(steps)
    order = [Stage.UP, Stage.UNSURE, Stage.DOUBTED, Stage.CALLED]
    known = stage(watch(story), PAIR, NOTHING)
    mute = stage(watch([(at, f"?{letters[1:]}") for at, letters in story]), PAIR, NOTHING)
    assert order.index(mute) <= max(order.index(known), order.index(Stage.UNSURE))


@given(STORIES, st.data())
def test_a_restart_changes_nothing(steps: list[tuple[float, str]], data: st.DataObject) -> None:
    """What the store gives back is what was put there, at whatever moment the process dies."""
    story = told(steps)
    cut = data.draw(st.integers(1, len(story)))
    vigil = decode(encode(watch(story[:cut])))
    for seconds, letters in story[cut:]:
        vigil = followed(vigil, look(letters, NOON + timedelta(seconds=seconds)), PAIR)
    assert vigil == watch(story)


@given(STORIES)
def test_since_stands_exactly_while_a_majority_is_seen(steps: list[tuple[float, str]]) -> None:
    story = told(steps)
    vigil = watch(story)
    assert (vigil.since is not None) == lost(LETTERS[letter] for letter in story[-1][1])
    assert vigil.since is None or vigil.since <= vigil.at
