"""``make rehearse``: the ten steps against the simulated department, and each gate where it stops them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = ("build", "scan", "test", "push", "release", "staging", "E2E", "promote", "verify", "notify")
pytestmark = pytest.mark.timeout(240)


def rehearse(play: str) -> tuple[int, str, dict[str, str]]:
    """Exit status, all that it says, and the result of each step, in the order in which they stand."""
    command = [sys.executable, "deploy/pipeline/rehearse.py", play]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    results = dict(re.findall(r"^ +\d+ (\w+) +(success|failure|skipped)", done.stdout, re.MULTILINE))
    return done.returncode, done.stdout + done.stderr, results


def ends(*done: str, at: str = "") -> dict[str, str]:
    """What each step must have come to: *done* well, a failure *at* one, the rest left out, and people told of it."""
    wanted = dict.fromkeys(STEPS, "skipped") | dict.fromkeys(done, "success") | {"notify": "success"}
    return wanted | ({at: "failure"} if at else {})


def test_a_good_release_takes_all_steps_in_order_and_is_verified_in_production() -> None:
    status, said, results = rehearse("good")
    assert list(results) == list(STEPS), said
    assert results == ends(*STEPS), said
    assert "staging runs 1.8.0, production 1.8.0; pult says released" in said
    assert status == 0


def test_a_finding_that_has_a_fix_stops_it_before_anything_is_tested_or_pushed() -> None:
    status, said, results = rehearse("scan")
    assert results == ends("build", at="scan"), said
    assert "CRITICAL CVE-2026-0001 in libssl3: fixed in 3.0.18" in said
    assert "CVE-2026-0002" not in said, "what has no fix stops nothing"
    assert "staging runs 1.7.2, production 1.7.2; pult says failed" in said
    assert status == 0


def test_a_failing_e2e_stops_it_before_anybody_is_asked() -> None:
    status, said, results = rehearse("e2e")
    assert results == ends(*STEPS[:6], at="E2E"), said
    assert "staging runs 1.8.0, production 1.7.2; pult says failed" in said
    assert status == 0


def test_a_no_of_people_ends_it_at_once_and_leaves_the_version_as_it_was() -> None:
    status, said, results = rehearse("refused")
    assert results == ends(*STEPS[:8], at="verify"), said
    assert re.search(r"unpromoted: pult op-\w+: rejected", said), said
    assert "staging runs 1.8.0, production 1.7.2; pult says ready" in said
    assert status == 0


def test_a_version_that_is_bad_in_production_is_taken_back_and_the_pipeline_says_so() -> None:
    status, said, results = rehearse("verification")
    assert results == ends(*STEPS[:8], at="verify"), said
    assert re.search(r"bad: production: pult op-\w+: api 1\.8\.1 is bad in production: availability burns", said), said
    assert "staging runs 1.8.1, production 1.7.2; pult says failed" in said
    assert status == 0


def test_what_does_not_end_as_it_must_is_told(tmp_path: Path) -> None:
    """An unknown play is no play that went well."""
    status, said, _ = rehearse("nothing")
    assert status == 1
    assert "as it must be" not in said
