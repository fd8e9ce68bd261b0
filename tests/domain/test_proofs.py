"""What a pipeline's words come to, and which rows hold a promotion."""

from __future__ import annotations

import pytest

from bot.domain.phrases import verbatim
from bot.domain.proofs import Mark, Proof, holds, judged


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("passed", Mark.GOOD), ("PASSED", Mark.GOOD), ("412 passed", Mark.GOOD), ("412 passed, 0 failed", Mark.GOOD),
        ("0 failures", Mark.GOOD), ("no failures", Mark.GOOD), ("ok", Mark.GOOD), ("success", Mark.GOOD),
        ("true", Mark.GOOD), ("12 tests passed, 3 skipped", Mark.GOOD), ("green", Mark.GOOD),
        ("3 failed", Mark.BAD), ("409 passed, 3 failed", Mark.BAD), ("failed", Mark.BAD), ("1 error", Mark.BAD),
        ("3 tests failed", Mark.BAD), ("false", Mark.BAD), ("timed out", Mark.BAD), ("passed, then failed", Mark.BAD),
        ("3 of 40 failed", Mark.BAD), ("failure", Mark.BAD),
        ("", Mark.UNKNOWN), ("0 passed", Mark.UNKNOWN), ("skipped", Mark.UNKNOWN),
        ("https://ci.example/1", Mark.UNKNOWN), ("running", Mark.UNKNOWN), ("0 passed, 0 failed", Mark.UNKNOWN),
        ("credible", Mark.UNKNOWN),
        ("passed: 412, failed: 0", Mark.GOOD), ("passed=412 failed=0", Mark.GOOD), ("412/412 passed", Mark.GOOD),
        ("412 of 412 passed", Mark.GOOD), ("passed: 9, failed: 3", Mark.BAD), ("failed=2", Mark.BAD),
        ("not ok", Mark.UNKNOWN), ("no tests passed", Mark.UNKNOWN), ("none passed", Mark.UNKNOWN),
        ("did not pass", Mark.UNKNOWN), ("isn't ok", Mark.UNKNOWN), ("never green", Mark.UNKNOWN),
        ("0/412 passed", Mark.UNKNOWN), ("400/412 passed", Mark.UNKNOWN), ("400 of 412 passed", Mark.UNKNOWN),
        ("passed: 0", Mark.UNKNOWN), ("passed: 400/412", Mark.UNKNOWN), ("pass rate 20%", Mark.UNKNOWN),
        ("0 ok", Mark.UNKNOWN), ("unstable, but ok", Mark.UNKNOWN), ("almost passed", Mark.UNKNOWN),
    ],
)  # fmt: skip
def test_words_are_judged(said: str, mark: Mark) -> None:
    assert judged(said) is mark


def proof(name: str, mark: Mark) -> Proof:
    return Proof(name, verbatim(name.upper()), mark, verbatim("as found"))


@pytest.mark.parametrize(
    ("found", "required", "held"),
    [
        ({"ci": Mark.GOOD, "trivy": Mark.GOOD}, {"ci", "trivy"}, {}),
        ({"ci": Mark.UNKNOWN}, set(), {}),
        ({"ci": Mark.UNKNOWN}, {"ci"}, {"ci": "CI is required: as found."}),
        ({}, {"soak"}, {"soak": "soak is required, and nobody told it."}),
        ({"ci": Mark.BAD, "e2e": Mark.BAD}, set(), {"ci": "as found.", "e2e": "as found."}),
        ({"ci": Mark.BAD}, {"ci"}, {"ci": "as found."}),
        ({"ci": Mark.UNKNOWN, "tests": Mark.GOOD}, {"ci"}, {}),
        ({"ci": Mark.BAD, "tests": Mark.GOOD}, {"ci"}, {"ci": "as found."}),
        ({"tests": Mark.GOOD}, {"ci"}, {}),
        ({"tests": Mark.BAD}, set(), {"tests": "as found."}),
        ({"budget availability": Mark.BAD, "changes": Mark.NOTE}, set(), {}),
        ({"trivy": Mark.NOTE}, {"trivy"}, {"trivy": "TRIVY is required: as found."}),
    ],
)
def test_what_holds(found: dict[str, Mark], required: set[str], held: dict[str, str]) -> None:
    made = holds([proof(name, mark) for name, mark in found.items()], required)
    assert {hold.name: hold.why.plain() for hold in made} == held


def test_a_row_tells_its_mark_without_colour() -> None:
    rows = {mark: proof("ci", mark).row[1].plain() for mark in Mark}
    assert rows == {
        Mark.GOOD: "✓ as found", Mark.BAD: "✗ as found", Mark.UNKNOWN: "? as found", Mark.NOTE: "· as found",
    }  # fmt: skip
