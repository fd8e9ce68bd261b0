"""What an alert rule watches, read out of its expression."""

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.promql import selectors, watched

RATIO = 'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))'
P99 = 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{job="a and b > 3"}[5m])))'
BURN = 'slo:sli_error:ratio_rate5m{service="api",slo="availability"}'


@pytest.mark.parametrize(
    ("expression", "measured", "limit", "unit"),
    [
        ("rate(x[5m]) > 5", "rate(x[5m])", 5.0, ""),
        (f"({RATIO}) > 0.05 and sum(rate(http_requests_total[5m])) > 1", RATIO, 0.05, "%"),
        ("((a / b) > bool 0.05)", "a / b", 0.05, "%"),
        ("a / b > 5", "a / b", 5.0, ""),
        (f"{BURN} > 0.0144\nand ignoring (window)\na > 0.0144\nor ignoring (window)\nb > 1", BURN, 0.0144, "%"),
        ("job:up:avg > 0.5", "job:up:avg", 0.5, ""),
        ("vector(1)", "vector(1)", None, ""),
        ("up == 0", "up", 0.0, ""),
        ("0.3 < x", "0.3 < x", None, ""),
        ("a > b", "a > b", None, ""),
        (f"{P99} > 5", P99, 5.0, "s"),
        (r'x{a="b\"c > 1"} >= 1e-3', r'x{a="b\"c > 1"}', 0.001, ""),
        ("a > 1 or b > 2", "a", 1.0, ""),
        ("(a) > 1 unless (b)", "a", 1.0, ""),
        ("(a) + (b) > 1", "(a) + (b)", 1.0, ""),
        ("x > -2.5", "x", -2.5, ""),
        ("", "", None, ""),
        ("((", "((", None, ""),
    ],
)
def test_an_expression_is_what_it_measures_and_its_limit(expression, measured, limit, unit) -> None:
    found = watched(expression)
    assert (found.measured, found.limit, found.unit) == (measured, limit, unit)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("max(up{job='api',region='nyc2'})", ("up{job='api',region='nyc2'}",)),
        ('sum by (x) (rate(a{b="}"}[5m])) / sum(b:c offset 5m)', ('a{b="}"}', "b:c")),
        ("{__name__='x'} or vector(0)", ("{__name__='x'}",)),
        ("up == bool 1 and up", ("up",)),
        ("count(up) by (job)", ("up",)),
        ("absent(a {b='c'}) unless on (x) group_left (y) d", ("a {b='c'}", "d")),
        ("max_over_time(up[5m:1m])", ("up",)),
        ("1 + 2e3 * Inf", ()),
    ],
)
def test_selectors(expression: str, found: tuple[str, ...]) -> None:
    assert selectors(expression) == found


NAMES = st.sampled_from(["up", "a:b", "http_requests_total", 'x{y="sum(z)"}', "x{y='}', z!='('}", '{job="up"}'])
WRAPPED = st.sampled_from(
    ["{}", "sum({})", "sum by (up) ({})", "rate({}[5m])", "max_over_time({}[5m:30s])", "({} offset 5m) > bool 2"]
)


@given(st.lists(st.tuples(NAMES, WRAPPED), min_size=1, max_size=4), st.sampled_from([" + ", " / "]))
def test_selectors_as_prometheus_reads_them(parts: list[tuple[str, str]], joined: str) -> None:
    """Whatever they stand in: each is what Prometheus's own grammar takes for a selector, and nothing else is one."""
    expression = joined.join(wrap.replace("{}", name, 1) for name, wrap in parts)
    promql_parser.parse(expression)
    assert set(selectors(expression)) == {name for name, _ in parts}
    for each in selectors(expression):
        assert isinstance(promql_parser.parse(each), promql_parser.VectorSelector)
