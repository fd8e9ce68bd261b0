"""PromQL asked another way, without a change in what it means."""

from __future__ import annotations

import pytest

from bot.domain.regrouping import apart, highest, resets


@pytest.mark.parametrize(
    ("promql", "split"),
    [
        ("sum(increase(a[1h]))", "sum by (region) (increase(a[1h]))"),
        ("sum (a)", "sum by (region) (a)"),
        ("sum by (code) (a)", "sum by (code, region) (a)"),
        ("sum by (region) (a)", "sum by (region) (a)"),
        ("sum without (pod) (a)", "sum without (pod) (a)"),
        ("sum by () (a)", "sum by (region) (a)"),
        ("sum(a) - sum(b)", "sum by (region) (a) - sum by (region) (b)"),
        ("sum(a{x='sum(b)'})", "sum by (region) (a{x='sum(b)'})"),
        ('sum(a{x="\\"sum("})', 'sum by (region) (a{x="\\"sum("})'),
        ("checksum(a)", "checksum(a)"),
        ("max(a)", "max(a)"),
    ],
)
def test_sums_are_told_apart(promql: str, split: str) -> None:
    assert apart(promql, "region") == split


def test_resets_are_those_of_the_same_counters() -> None:
    assert resets("sum(increase(a{x='increase('}[1h]))") == "sum(resets(a{x='increase('}[1h]))"
    assert resets("sum(rate(a[1h])) - sum(rate(b[1h]))") == "sum(resets(a[1h])) - sum(resets(b[1h]))"
    assert resets("sum(count_over_time(up[1h]))") == "", "it counts no growth"


@pytest.mark.parametrize(
    ("promql", "peak"),
    [
        ("age", "max(max_over_time(age[$window]))"),
        ("max(age{job='bots'})", "max(max_over_time(age{job='bots'}[$window]))"),
        ("time() - last_seen", "max(max_over_time((time() - last_seen)[$window:60s]))"),
        ("max by (bot) (age)", "max(max_over_time((max by (bot) (age))[$window:60s]))"),
    ],
)
def test_the_highest_of_a_window(promql: str, peak: str) -> None:
    assert highest(promql) == peak
