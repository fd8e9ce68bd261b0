"""Scans, their difference, and what evidence reads as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import (
    KEPT,
    SEVERITIES,
    Delta,
    Finding,
    Result,
    Scan,
    delta,
    delta_words,
    read_counts,
    result_words,
    scan_words,
    scanned,
)

FINDINGS = st.lists(
    st.builds(Finding, st.sampled_from(SEVERITIES), st.sampled_from(["CVE-1", "CVE-2", "CVE-3"]),
              st.sampled_from(["musl", "openssl"]), st.booleans()), max_size=12
)  # fmt: skip


@given(FINDINGS)
def test_a_finding_counts_once_for_its_package(findings: list[Finding]) -> None:
    scan = scanned([*findings, *findings])
    assert scan.critical + scan.high == len({(each.severity, each.id, each.package) for each in findings})
    assert scan.listed


@given(FINDINGS, FINDINGS)
def test_a_difference_is_what_one_has_and_the_other_has_not(new: list[Finding], old: list[Finding]) -> None:
    change = delta(scanned(new), scanned(old))
    back = delta(scanned(old), scanned(new))
    assert change is not None
    assert back is not None
    assert (change.critical, change.high) == (-back.critical, -back.high)
    assert set(change.new) == set(back.gone)
    assert not {(each.id, each.package) for each in change.new} & {(each.id, each.package) for each in old}


def test_without_both_scans_nothing_is_known() -> None:
    assert delta(None, Scan(0, 0)) is None
    assert delta(Scan(0, 0), None) is None


def test_without_names_only_counts_differ() -> None:
    assert delta(Scan(2, 1), Scan(0, 3)) == Delta(2, -2)
    many = scanned(Finding("high", f"CVE-{n}", "p") for n in range(KEPT + 1))
    assert many.high == KEPT + 1
    assert not many.listed
    assert delta(many, Scan(0, 0, 0)) == Delta(0, KEPT + 1)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("0 critical, 2 high", Scan(0, 2)),
        ("0 CRITICAL, 1 high (1 with a fix)", Scan(0, 1)),
        ("high: none", None),
        ("2 high", None),
        ("1.0 critical, 2 high", None),
        ("clean", None),
        ("1 critical, 1 high, was 2 high", None),
        ("", None),
    ],
)
def test_numbers_in_a_sentence(text: str, scan: Scan | None) -> None:
    assert read_counts(text) == scan


def test_words() -> None:
    assert scan_words(Scan(0, 0, 0)).plain() == "none critical, none high"
    assert scan_words(Scan(0, 0, 0, unsupported=True)).plain().endswith("gets no fixes any more")
    assert scan_words(Scan(1, 2)).plain() == "1 critical, 2 high"
    assert result_words(Result()).plain() == "unknown"
    assert result_words(Result(good=False)).plain() == "failed"
    assert delta_words(Delta(1, -2)).plain() == "critical +1, high -2"
    assert delta_words(Delta(0, 0, listed=True)).plain() == "the same as what runs"
    assert delta_words(Delta(1, 0, (Finding("high", "CVE-1", "p"),), listed=True)).plain() == "1 new, 0 gone"
