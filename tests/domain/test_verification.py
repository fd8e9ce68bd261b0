"""Judging a new version: each judgement, and that nothing unknown is ever good (promise 14)."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.phrases import phrase
from bot.domain.verification import (
    LEAST_ERRORS,
    WINDOW,
    Burn,
    Finding,
    Word,
    burns,
    errors,
    late,
    listed,
    pods,
    probes,
    restarted,
    verdict,
    window,
)

MINUTE = timedelta(minutes=1)
WELL = Finding(Word.GOOD, phrase("probes ok"))
paces = st.none() | st.floats(0, 1e4)


@pytest.mark.parametrize(
    ("changes", "word", "said"),
    [
        ({}, Word.GOOD, "4 of 4 pods"),
        ({"available": 3, "done": False}, Word.BAD, "3 of 4 pods"),
        ({"trouble": phrase("CrashLoopBackOff")}, Word.BAD, "4 of 4 pods: CrashLoopBackOff"),
        ({"restarted": ("api-1", "api-2")}, Word.BAD, "4 of 4 pods, restarted: api-1, api-2"),
    ],
    ids=["well", "missing", "trouble", "restarted"],
)
def test_pods(changes: dict, word: Word, said: str) -> None:
    known = {"available": 4, "desired": 4, "done": True, "trouble": None, "restarted": (), **changes}
    finding = pods(known.pop("available"), known.pop("desired"), **known)
    assert (finding.word, finding.said.plain()) == (word, said)


@pytest.mark.parametrize(
    ("now", "first", "new", "found"),
    [
        ({"a": 0, "b": 1}, {}, ["a", "b"], ()),
        ({"a": 2}, {}, ["a"], ("a",)),
        ({"a": 1}, {"a": 0}, ["a"], ("a",)),
        ({"a": 7}, {}, [], ()),
        ({"a": 8}, {"a": 7}, [], ("a",)),
        ({"a": 7, "b": 1}, {"a": 7}, ["b"], ()),
    ],
    ids=["one race at the start", "a loop", "in the bake", "old ones of long ago", "an old one now", "a late pod"],
)
def test_restarts(now: dict, first: dict, new: list, found: tuple) -> None:
    assert restarted(now, first, new) == found


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        (0.0, 0.0, Word.GOOD),
        (6.0, 0.0, Word.GOOD),
        (6.1, 0.0, Word.BAD),
        (6.1, None, Word.BAD),
        (40.0, 50.0, Word.GOOD),
        (51.0, 50.0, Word.BAD),
        (None, 0.0, Word.UNKNOWN),
        (math.inf, 0.0, Word.BAD),
    ],
)
def test_one_burn(now: float | None, before: float | None, word: Word) -> None:
    assert burns([Burn("availability", now, before)], 6.0).word is word


def test_the_words_of_burns() -> None:
    good, bad, unknown = Burn("a", 0.3, 0.2), Burn("b", 12.0, 0.5), Burn("c", None, None)
    assert burns([good, Burn("d", 1.25, 0.0)], 6).said.plain() == "burn 1.2× over 300 s"
    assert burns([good, bad], 6).said.plain() == "b burns 12.0×, 0.5× before"
    assert burns([good, Burn("b", 12.0, None)], 6).said.plain() == "b burns 12.0×, before unknown"
    assert burns([good, unknown, Burn("d", None, 1.0)], 6).said.plain() == "burn of c, d unknown"
    assert burns([good, bad, unknown], 6).word is Word.BAD, "what is known to be bad is bad, whatever else is unknown"


@given(st.lists(st.tuples(paces, paces), min_size=1, max_size=5), st.floats(0.1, 50))
def test_an_unknown_burn_is_never_good(pairs: list, limit: float) -> None:
    found = burns([Burn(str(at), *pair) for at, pair in enumerate(pairs)], limit)
    if any(now is None for now, _ in pairs):
        assert found.word is not Word.GOOD


@given(paces, paces, st.floats(0.1, 50))
def test_what_burned_as_fast_before_is_not_blamed(now: float | None, before: float | None, limit: float) -> None:
    found = burns([Burn("a", now, before)], limit)
    if now is not None and before is not None and now <= before:
        assert found.word is Word.GOOD


@pytest.mark.parametrize(
    ("age", "bake", "over"),
    [
        (0 * MINUTE, 0 * MINUTE, WINDOW),
        (0 * MINUTE, 10 * MINUTE, None),
        (0.9 * MINUTE, MINUTE, None),
        (MINUTE, MINUTE, MINUTE),
        (3 * MINUTE, 10 * MINUTE, 3 * MINUTE),
        (30 * MINUTE, 60 * MINUTE, WINDOW),
    ],
)
def test_the_window_is_of_the_version_itself(age: timedelta, bake: timedelta, over: timedelta | None) -> None:
    assert window(age, bake) == over


@given(st.floats(0, 600), st.floats(0, 600))
def test_at_the_end_of_a_bake_there_is_always_a_window(seconds: float, more: float) -> None:
    bake = timedelta(seconds=seconds)
    assert window(bake + timedelta(seconds=more), bake) is not None


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        (0, 0, Word.GOOD),
        (LEAST_ERRORS - 1, 0, Word.GOOD),
        (LEAST_ERRORS, 0, Word.BAD),
        (29, 10, Word.GOOD),
        (30, 10, Word.BAD),
        (None, 3, Word.UNKNOWN),
        (3, None, Word.UNKNOWN),
    ],
)
def test_error_lines(now: int | None, before: int | None, word: Word) -> None:
    assert errors(now, before, 3.0).word is word


@pytest.mark.parametrize(
    ("age", "before", "word"),
    [(5.0, False, Word.GOOD), (301.0, False, Word.BAD), (301.0, True, Word.GOOD), (None, False, Word.UNKNOWN)],
)
def test_the_oldest_waiting_item(age: float | None, *, before: bool, word: Word) -> None:
    assert late("queue", age, 300.0, before=before).word is word
    assert late("queue", math.nan, 300.0, before=before).word is Word.UNKNOWN


def test_probes() -> None:
    assert probes([]).word is Word.GOOD
    failed = probes([("https://api.example/healthz", phrase("no answer in time"))])
    assert (failed.word, failed.said.plain()) == (Word.BAD, "https://api.example/healthz: no answer in time")


@given(st.lists(st.builds(Finding, st.sampled_from(Word), st.just(phrase("x")), st.booleans())))
def test_the_verdict_is_the_worst_that_counts(findings: list[Finding]) -> None:
    word = verdict(findings)
    assert (word is Word.BAD) == any(each.word is Word.BAD for each in findings)
    if word is Word.GOOD:
        assert all(each.word is Word.GOOD or not each.needed for each in findings)


def test_error_lines_that_nobody_counts_are_said_and_stop_nothing() -> None:
    findings = (WELL, errors(None, None, 3.0))
    assert verdict(findings) is Word.GOOD
    assert listed(findings).plain() == "probes ok, error lines unknown"
    assert listed(findings, Word.UNKNOWN).plain() == "error lines unknown"
