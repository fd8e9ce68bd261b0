"""The query language over the department's series, with a clock that stands still."""

from typing import Any

import pytest

from bot.simulator.prometheus import Metrics, query
from bot.simulator.prometheus.values import QueryError, exponent, number
from bot.simulator.world import World


@pytest.fixture
def metrics(world: World) -> Metrics:
    return Metrics(world)


async def ask(metrics: Metrics, text: str) -> Any:
    metrics.look()
    return (await query.instant(metrics.catalogue, text, metrics.now().timestamp()))["result"]


async def value(metrics: Metrics, text: str) -> float:
    """Of the only element, or of a scalar."""
    result = await ask(metrics, text)
    if isinstance(result[0], dict):
        assert len(result) == 1
        return float(result[0]["value"][1])
    return float(result[1])


async def test_series_carry_the_departments_labels(metrics: Metrics) -> None:
    result = await ask(metrics, 'http_requests_total{service="api",region="nyc2",code="500"}')
    assert [row["metric"] for row in result] == [
        {"__name__": "http_requests_total", "code": "500", "job": "api", "region": "nyc2", "service": "api"}
    ]
    assert result[0]["value"][1].isdecimal()


async def test_a_rate_is_the_increase_by_second(metrics: Metrics) -> None:
    inside = 'http_requests_total{job="api",region="nyc2",code="200"}'
    rate, increase = await value(metrics, f"rate({inside}[5m])"), await value(metrics, f"increase({inside}[5m])")
    assert increase == pytest.approx(rate * 300)
    assert rate > 50
    raw = await value(metrics, f"{inside} - {inside} offset 5m")
    assert raw == pytest.approx(increase, abs=1)


async def test_the_api_has_spent_a_part_of_its_thirty_day_budget(metrics: Metrics) -> None:
    bad = 'sum(increase(http_requests_total{job="api",code=~"5.."}[30d]))'
    total = 'sum(increase(http_requests_total{job="api"}[30d]))'
    left = await value(metrics, f"1 - ({bad} / {total}) / 0.001")
    assert 0.60 < left < 0.85


async def test_the_past_incident_shows_where_it_was(metrics: Metrics) -> None:
    errors = 'sum(rate(http_requests_total{{job="api",code=~"5.."}}[10m] {0}))'
    text = errors + ' / sum(rate(http_requests_total{{job="api"}}[10m] {0}))'
    assert await value(metrics, text.format("offset 3720m")) == pytest.approx(0.02, rel=0.1)
    assert await value(metrics, text.format("offset 3660m")) < 0.001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 ^ 2 % 5", 4.0),
        ("-(2 - 5)", 3.0),
        ("1 > bool 2", 0.0),
        ("vector(7) == 7", 7.0),
        ("vector(7) == bool 8", 0.0),
        ("10 > vector(7)", 7.0),
        ("vector(1) or vector(2)", 1.0),
        ("vector(1) and vector(2)", 1.0),
        ("vector(1) unless (vector(2) > 3)", 1.0),
        ('count(up{region="nyc2"})', 4.0),
        ("sum(up) - avg(up) * count(up)", 0.0),
        ("max(up) - min(up)", 0.0),
        ("clamp_max(vector(9), 4)", 4.0),
        ("clamp_min(vector(1), 4)", 4.0),
        ("clamp(vector(9), 1, 5)", 5.0),
        ('absent(up{job="nobody"})', 1.0),
        ("scalar(vector(3))", 3.0),
        ('max(timestamp(up{job="api"})) - max(timestamp(up{job="api"} offset 1m))', 60.0),
        ("timestamp(vector(1)) == bool time()", 1.0),
        ('max(time() - timestamp(up{job="api"})) < bool 1', 1.0),
        ("round(vector(2.6))", 3.0),
        ("abs(vector(-2))", 2.0),
        ("quantile(0.5, up)", 1.0),
        ("count(topk(3, up))", 3.0),
        ("count(sum by (region) (up))", 2.0),
        ("count(sum without (region) (up))", 4.0),
        ('max_over_time(up{job="api",region="nyc2"}[5m])', 1.0),
        ('count_over_time(up{job="api",region="nyc2"}[5m])', 300.0),
        ('count(label_replace(up, "place", "$1-x", "region", "(.*)") == 1)', 8.0),
        ('sum(up{job=~"api|web"} * on (job, region) group_left () up{service!~"bots"})', 4.0),
    ],
)
async def test_expressions(metrics: Metrics, text: str, expected: float) -> None:
    assert await value(metrics, text) == pytest.approx(expected)


@pytest.mark.parametrize(("text", "expected"), [("1 / 0", "+Inf"), ("-1 / 0", "-Inf"), ("0 / 0", "NaN")])
async def test_special_values_are_strings(metrics: Metrics, text: str, expected: str) -> None:
    assert (await ask(metrics, text))[1] == expected


async def test_an_absent_series_keeps_the_labels_asked_for(metrics: Metrics) -> None:
    assert (await ask(metrics, 'absent(up{job="nobody"})'))[0]["metric"] == {"job": "nobody"}
    assert await ask(metrics, 'absent(up{job="api"})') == []


async def test_latency_quantiles_follow_the_distribution(metrics: Metrics) -> None:
    buckets = 'sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m]))'
    assert await value(metrics, f"histogram_quantile(0.5, {buckets})") == pytest.approx(0.05, rel=0.05)
    assert 0.1 < await value(metrics, f"histogram_quantile(0.99, {buckets})") < 0.3


async def test_a_range_selector_answers_a_matrix(metrics: Metrics) -> None:
    metrics.look()
    data = await query.instant(metrics.catalogue, 'up{job="api",region="nyc2"}[5s]', metrics.now().timestamp())
    assert data["resultType"] == "matrix"
    rows: Any = data["result"]
    assert [point[1] for point in rows[0]["values"]] == ["1"] * 5


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("sum(up", "bad_data", "unclosed left parenthesis"),
        ("rate(up)", "bad_data", "expected type matrix"),
        ("", "bad_data", "no expression found"),
        ("absent_over_time(up[1h:1m])", "execution", "subquery is not supported by the simulator"),
        ("deriv(up[5m])", "execution", 'function "deriv" is not supported by the simulator'),
        ("stddev(up)", "execution", 'aggregation "stddev" is not supported by the simulator'),
        ("up / ignoring (job, service) up", "execution", "many-to-many matching not allowed"),
    ],
)
async def test_refusals(metrics: Metrics, text: str, kind: str, words: str) -> None:
    with pytest.raises(QueryError, match=words.replace("(", r"\(")) as refused:
        await ask(metrics, text)
    assert (refused.value.kind, refused.value.status) == (kind, {"bad_data": 400, "execution": 422}[kind])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('count_over_time(up{job="api",region="nyc2"}[1h:1m])', 60.0),
        ('count_over_time((up{job="api",region="nyc2"} > 1)[1h:1m])', None),
        ('count_over_time(up{job="api",region="nyc2"}[14d:75s])', 948.0),
    ],
)
async def test_subqueries(metrics: Metrics, text: str, expected: float | None) -> None:
    """On whole multiples of the step; a longer range is thinned out as every other."""
    if expected is None:
        assert await ask(metrics, text) == []
    else:
        assert await value(metrics, text) == pytest.approx(expected, abs=1)


async def test_a_subquery_tells_apart_what_changed(metrics: Metrics) -> None:
    text = 'rate(http_requests_total{job="api",region="nyc2",code="200"}[5m])[1d:10m]'
    low, high = [await value(metrics, f"{fold}_over_time({text})") for fold in ("min", "max")]
    assert 0 < low < high


async def test_a_query_over_too_many_samples_is_refused(metrics: Metrics) -> None:
    now = metrics.now().timestamp()
    with pytest.raises(QueryError, match="too many samples"):
        await query.span(metrics.catalogue, "max_over_time(up[30d])", now - 5000, now, 1)


@pytest.mark.parametrize(
    ("given", "plain", "powered"),
    [
        (0.1734, "0.1734", "1.734e-01"),
        (5.0, "5", "5e+00"),
        (1.2e-08, "1.2e-08", "1.2e-08"),
        (0.00002, "0.00002", "2e-05"),
        (123456789.0, "123456789", "1.23456789e+08"),
        (1e21, "1e+21", "1e+21"),
        (-0.5, "-0.5", "-5e-01"),
        (0.0, "0", "0e+00"),
    ],
)
def test_numbers_are_written_as_go_writes_them(given: float, plain: str, powered: str) -> None:
    assert (number(given), exponent(given)) == (plain, powered)


async def test_containers_and_machines(metrics: Metrics) -> None:
    """What every pod asks for and uses, and what the machines have, as kube-state-metrics and cAdvisor name it."""
    asked = "kube_pod_container_resource_requests"
    assert await value(metrics, f'count({asked}{{namespace="production",region="nyc2",resource="cpu"}})') == 10
    assert await value(metrics, f'sum({asked}{{namespace="staging",resource="memory"}})') == 4 * 128 * 2**20
    assert await value(metrics, 'sum(kube_node_status_capacity{region="nyc2",resource="cpu"})') == 12
    used = 'container_cpu_usage_seconds_total{namespace="production",pod=~"api-.*",region="%s"}'
    primary, standby = [await value(metrics, f"sum(rate({used % region}[1h]))") for region in ("nyc2", "sfo3")]
    assert 0.01 < standby < primary < 1
    assert await value(metrics, 'max(container_memory_working_set_bytes{pod=~"api-.*"})') > 128 * 2**20


async def test_a_region_that_is_down_tells_nothing_of_its_containers(metrics: Metrics, world: World) -> None:
    world.faults.start("region_down", "nyc2")
    for name in ("kube_pod_container_resource_requests", "container_memory_working_set_bytes"):
        assert await ask(metrics, f'{name}{{region="nyc2"}}') == [], name
        assert await ask(metrics, f'{name}{{region="sfo3"}}'), name
