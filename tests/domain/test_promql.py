"""What an alert rule watches, read out of its expression."""

import pytest

from bot.domain.promql import watched

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
