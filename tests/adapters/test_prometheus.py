"""The Metrics port: one suite for a real Prometheus and the simulator, then recorded answers, then trouble."""

import asyncio
import json
import math
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.prometheus.metrics import PrometheusMetrics, open_metrics
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError
from bot.ports.metrics import Sample
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import Program, free_port, prometheus

CASES = Path(__file__).parents[1] / "fixtures" / "prometheus"
CONFIG = """
scrape_configs: []
remote_read:
- url: http://127.0.0.1:9/read
  read_recent: true
"""
"""Nothing is scraped; whoever selects a series is warned that the remote part is missing."""
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def settings(url: str, **more: Any) -> PrometheusSettings:
    return PrometheusSettings(url=url, **more)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG) as program:
        yield program


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with simulator(SimulatorSettings(port=0)) as running:
        yield running


@asynccontextmanager
async def somewhere(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "real":
        program: Program = request.getfixturevalue("real")
        yield program.url
        return
    async with simulator(SimulatorSettings(port=0)) as running:
        yield f"{running.url}/prometheus/"


@pytest.fixture(params=["real", "simulator"])
async def metrics(request: pytest.FixtureRequest) -> AsyncIterator[PrometheusMetrics]:
    async with somewhere(request) as url, open_metrics(settings(url, timeout=timedelta(seconds=2.5))) as opened:
        yield opened


async def test_a_vector_is_samples(metrics: PrometheusMetrics) -> None:
    assert (await metrics.query("vector(1.5)")).samples == (Sample({}, 1.5),)


async def test_a_scalar_is_one_sample(metrics: PrometheusMetrics) -> None:
    assert (await metrics.query("scalar(vector(3))")).samples == (Sample({}, 3.0),)


async def test_what_is_no_number_is_kept(metrics: PrometheusMetrics) -> None:
    found = {name: (await metrics.query(f"vector({name})")).samples[0].value for name in ("NaN", "Inf", "-Inf")}
    assert math.isnan(found["NaN"])
    assert (found["Inf"], found["-Inf"]) == (math.inf, -math.inf)


async def test_no_series_is_no_sample(metrics: PrometheusMetrics) -> None:
    assert (await metrics.query("no_such_metric")).samples == ()


async def test_the_moment_is_asked_for(metrics: PrometheusMetrics) -> None:
    assert (await metrics.query("time()", START)).samples == (Sample({}, START.timestamp()),)


async def test_a_span_has_its_points(metrics: PrometheusMetrics) -> None:
    found = await metrics.span("vector(time())", START, START + timedelta(seconds=15), timedelta(seconds=7.5))
    moments = [START + timedelta(seconds=seconds) for seconds in (0, 7.5, 15)]
    assert [series.points for series in found] == [tuple((moment, moment.timestamp()) for moment in moments)]


async def test_a_long_step_is_asked_for_in_full(metrics: PrometheusMetrics) -> None:
    step = timedelta(seconds=1_234_567)
    found = await metrics.span("vector(1)", START, START + step, step)
    assert [moment for moment, _ in found[0].points] == [START, START + step]


async def test_missing_steps_stay_missing(metrics: PrometheusMetrics) -> None:
    start, step = START.timestamp(), timedelta(seconds=10)
    found = await metrics.span(f"vector(time()) != {start + 10:.0f}", START, START + 2 * step, step)
    assert [moment for moment, _ in found[0].points] == [START, START + 2 * step]
    assert await metrics.span("no_such_metric", START, START + step, step) == ()


@pytest.mark.parametrize("promql", ["sum(", "", "rate(up)"])
async def test_a_bad_query_is_refused_for_good(metrics: PrometheusMetrics, promql: str) -> None:
    with pytest.raises(PermanentError, match=r"refuses the query \(400\): .*parse"):
        await metrics.query(promql)


async def test_too_many_points_are_refused_for_good(metrics: PrometheusMetrics) -> None:
    with pytest.raises(PermanentError, match="11,000"):
        await metrics.span("vector(1)", START, START + timedelta(days=1), timedelta(seconds=1))


async def test_text_and_ranges_are_no_numbers(metrics: PrometheusMetrics) -> None:
    with pytest.raises(PermanentError, match="gives a string"):
        await metrics.query('"hello"')
    with pytest.raises(PermanentError, match="gives a matrix"):
        await metrics.query("up[5m]")


async def test_it_says_who_answers(metrics: PrometheusMetrics) -> None:
    assert (await metrics.check()).endswith("answers")


async def test_a_real_warning_beside_nothing_is_kept(real: Program) -> None:
    async with open_metrics(settings(real.url)) as metrics:
        reading = await metrics.query("up")
        assert reading.samples == ()
        assert "remote_read" in reading.warnings[0]
        assert (await metrics.query("vector(1)")).warnings == ()


async def test_series_keep_their_labels(simulation: Simulation) -> None:
    async with open_metrics(settings(f"{simulation.url}/prometheus")) as metrics:
        reading = await metrics.query('sum by (service, region) (increase(http_requests_total{service="api"}[5m]))')
        regions = {sample.labels["region"] for sample in reading.samples if sample.labels["service"] == "api"}
        assert "nyc2" in regions
        now = datetime.now(UTC)
        rows = await metrics.span('up{service="api"}', now - timedelta(minutes=2), now, timedelta(seconds=30))
        assert rows
        assert all(len(row.points) >= 4 and row.labels["service"] == "api" for row in rows)


# Recorded answers of Prometheus 2.42, each behind a path of its own.


def answer_of(case: str) -> tuple[int, bytes, str]:
    told = json.loads((CASES / case / "headers.json").read_bytes())
    body = next((CASES / case).glob("body.*")).read_bytes()
    return told["status"], body, told["headers"]["Content-Type"]


@asynccontextmanager
async def answering(*args: Any) -> AsyncIterator[tuple[PrometheusMetrics, list[web.Request]]]:
    """Metrics against a server that always gives one answer: status, body, content type, headers."""
    status, body, content_type, *rest = args
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        headers = {"Content-Type": content_type} | (rest[0] if rest else {})
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        told = settings(str(server.make_url("/base/")), token="prom-token", timeout=timedelta(seconds=1))
        async with open_metrics(told) as metrics:
            yield metrics, asked


async def test_warnings_beside_samples_are_kept() -> None:
    async with answering(*answer_of("warnings")) as (metrics, _):
        reading = await metrics.query("shop_up")
        assert [sample.value for sample in reading.samples] == [1, 1, 0]
        assert [text.partition(":")[0] for text in reading.warnings] == ["remote_read"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("instant-empty", lambda values: values == []),
        ("instant-nan", lambda values: values and all(math.isnan(value) for value in values)),
        ("instant-inf", lambda values: set(values) <= {math.inf, -math.inf} and values),
        ("instant-scalar", lambda values: len(values) == 1),
        ("instant-vector", lambda values: len(values) > 1),
    ],
)
async def test_answers_as_recorded(case: str, expected: Callable[[list[float]], bool]) -> None:
    async with answering(*answer_of(case)) as (metrics, _):
        assert expected([sample.value for sample in (await metrics.query("x")).samples])


async def test_a_recorded_matrix_is_read() -> None:
    recorded = json.loads((CASES / "range-matrix" / "body.json").read_bytes())["data"]["result"]
    async with answering(*answer_of("range-matrix")) as (metrics, _):
        found = await metrics.span("x", START, START, timedelta(seconds=15))
    assert [series.labels for series in found] == [row["metric"] for row in recorded]
    assert [len(series.points) for series in found] == [len(row["values"]) for row in recorded]


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("error-bad-query", PermanentError),
        ("error-execution", PermanentError),
        ("range-too-many-points", PermanentError),
        ("instant-string", PermanentError),
        ("error-timeout", TemporaryError),
        ("starting-503", TemporaryError),
    ],
)
async def test_refusals_as_recorded(case: str, error: type[Exception]) -> None:
    async with answering(*answer_of(case)) as (metrics, _):
        with pytest.raises(error) as caught:
            await metrics.query("x")
    assert "prom-token" not in str(caught.value)


HTML = (b"<html>please log in</html>", "text/html")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, *HTML), TemporaryError),
        ((200, b"[]", "application/json"), TemporaryError),
        ((200, b'{"status":"success","data":{"resultType":"vector","result":[', "application/json"), TemporaryError),
        ((500, b"Code 400", "text/plain"), TemporaryError),
        ((502, *HTML), TemporaryError),
        ((408, *HTML), TemporaryError),
        ((401, *HTML), PermanentError),
        ((404, b"404 page not found", "text/plain"), PermanentError),
    ],
)
async def test_whatever_stands_in_between_may_answer(answer: tuple[Any, ...], error: type[Exception]) -> None:
    async with answering(*answer) as (metrics, _):
        with pytest.raises(error):
            await metrics.query("x")
        with pytest.raises(error):
            await metrics.span("x", START, START, timedelta(seconds=15))


async def test_a_proxys_limit_names_its_delay() -> None:
    async with answering(429, b"slow down", "text/plain", {"Retry-After": "7"}) as (metrics, _):
        with pytest.raises(RateLimitedError) as caught:
            await metrics.query("x")
    assert caught.value.delay == 7


async def test_native_histograms_are_not_taken_for_nothing() -> None:
    row = {"metric": {}, "histogram": [1795479221.2, {"count": "1", "sum": "1", "buckets": []}]}
    body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [row]}}).encode()
    async with answering(200, body, "application/json") as (metrics, _):
        with pytest.raises(PermanentError, match="native histograms"):
            await metrics.query("x")


async def test_what_is_sent() -> None:
    async with answering(*answer_of("instant-vector")) as (metrics, asked):
        await metrics.query("up", START)
        await metrics.span("up", START, START, timedelta(seconds=7.5))
    assert [request.path for request in asked] == ["/base/api/v1/query", "/base/api/v1/query_range"]
    assert {request.headers["Authorization"] for request in asked} == {"Bearer prom-token"}
    assert [request.query["timeout"] for request in asked] == ["1.0", "1.0"]
    assert asked[0].query["time"] == str(START.timestamp())
    assert asked[1].query["step"] == "7.5"


# Trouble on the way.


@pytest.mark.parametrize("fault", ["error", "drop"])
async def test_a_sick_server_may_recover(simulation: Simulation, fault: str) -> None:
    async with open_metrics(settings(f"{simulation.url}/prometheus")) as metrics:
        simulation.world.faults.start(fault, "prometheus")
        with pytest.raises(TemporaryError):
            await metrics.query("vector(1)")
        simulation.world.faults.clear()
        assert (await metrics.query("vector(1)")).samples


async def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with open_metrics(settings(url, timeout=timedelta(milliseconds=100))) as metrics:
            with pytest.raises(TemporaryError, match="does not answer"):
                await metrics.query("vector(1)")


async def test_a_trickling_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that keep coming reset the socket's own timeout; the deadline holds all the same."""
    monkeypatch.setattr("bot.adapters.prometheus.metrics.GRACE", 0.05)

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(8):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", trickle)
    async with TestServer(app) as server:
        told = settings(str(server.make_url("/")), timeout=timedelta(milliseconds=100))
        async with open_metrics(told) as metrics:
            with pytest.raises(TemporaryError, match="in time"):
                await metrics.query("vector(1)")


async def test_nobody_listens() -> None:
    async with open_metrics(settings(f"http://127.0.0.1:{free_port()}")) as metrics:
        with pytest.raises(TemporaryError, match="does not answer"):
            await metrics.query("vector(1)")
