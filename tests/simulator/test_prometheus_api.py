"""The HTTP API of the simulated Prometheus, through prometheus-api-client and plain requests."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException

from bot.simulator.server import Simulation
from tests.simulator.world_parts import Receiver


@pytest.fixture
def client(simulation: Simulation) -> Any:
    return PrometheusConnect(url=f"{simulation.url}/prometheus")


async def test_the_client_queries_as_pult_does(client: Any) -> None:
    assert await asyncio.to_thread(client.check_prometheus_connection)
    up = await asyncio.to_thread(client.custom_query, 'up{job="api",region="nyc2"}')
    assert [row["value"][1] for row in up] == ["1"]
    assert "http_requests_total" in await asyncio.to_thread(client.all_metrics)
    now = datetime.now(UTC)
    rows = await asyncio.to_thread(
        client.custom_query_range,
        'sum by (code) (rate(http_requests_total{job="api"}[5m]))',
        start_time=now - timedelta(hours=1),
        end_time=now,
        step="60",
    )
    assert sorted(row["metric"]["code"] for row in rows) == ["200", "404", "500"]
    assert [len(row["values"]) for row in rows] == [61, 61, 61]


async def test_the_client_sees_refusals(client: Any) -> None:
    with pytest.raises(PrometheusApiClientException, match="unclosed left parenthesis"):
        await asyncio.to_thread(client.custom_query, "sum(up")


async def test_long_queries_come_as_forms(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    form = {"query": "vector(3)", "time": "2026-11-20T00:00:00Z"}
    async with http.post(f"{simulation.url}/prometheus/api/v1/query", data=form) as answer:
        assert await answer.json() == {
            "status": "success",
            "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1795132800, "3"]}]},
        }


@pytest.mark.parametrize(
    ("path", "status", "kind", "words"),
    [
        ("query?query=sum(up", 400, "bad_data", 'invalid parameter "query"'),
        ("query?query=up&time=soon", 400, "bad_data", 'cannot parse "soon" to a valid timestamp'),
        ("query?query=up[5m:1m]", 422, "execution", "not supported by the simulator"),
        ("query_range?query=up&start=0&end=86400&step=1", 400, "bad_data", "exceeded maximum resolution of 11,000"),
        ("query_range?query=up&start=10&end=5&step=1", 400, "bad_data", "end timestamp must not be before start time"),
        ("query_range?query=up&start=0&end=5&step=0", 400, "bad_data", "zero or negative query resolution"),
        ("query_range?query=up[5m]&start=0&end=5&step=1", 400, "bad_data", 'invalid expression type "range vector"'),
        ("series", 400, "bad_data", "no match[] parameter provided"),
        ("label/a-b/values", 400, "bad_data", "invalid label name"),
    ],
)
async def test_errors_have_prometheus_envelope(
    simulation: Simulation, http: aiohttp.ClientSession, path: str, status: int, kind: str, words: str
) -> None:
    async with http.get(f"{simulation.url}/prometheus/api/v1/{path}") as answer:
        body = await answer.json()
        assert (answer.status, body["status"], body["errorType"]) == (status, "error", kind)
        assert words in body["error"]


async def test_metadata(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    async def data(path: str) -> Any:
        async with http.get(f"{simulation.url}/prometheus/api/v1/{path}") as answer:
            return (await answer.json())["data"]

    assert {"code", "job", "le", "region", "service"} <= set(await data("labels"))
    assert await data("label/region/values") == ["nyc2", "sfo3"]
    assert await data('label/le/values?match[]=up{job="api"}') == []
    assert len(await data('series?match[]=up{job="api"}')) == 2
    assert (await data("status/buildinfo"))["version"] == "2.42.0"
    async with http.get(f"{simulation.url}/prometheus/-/ready") as answer:
        assert (answer.status, await answer.text()) == (200, "Prometheus Server is Ready.\n")
    async with http.get(f"{simulation.url}/prometheus/api/v1/nothing") as answer:
        assert (answer.status, answer.content_type) == (404, "text/plain")


async def test_rules_and_alerts_show_what_fires(
    simulation: Simulation, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    simulation.world.faults.start("errors", "api", value=0.2)
    async with asyncio.timeout(20):
        await receiver.until(lambda one: b"ApiErrorRateHigh" in one.body)
    async with http.get(f"{simulation.url}/prometheus/api/v1/alerts") as answer:
        alerts = {one["labels"]["alertname"]: one for one in (await answer.json())["data"]["alerts"]}
    found = alerts["ApiErrorRateHigh"]
    assert found["state"] == "firing"
    assert float(found["value"]) > 0.05
    assert "e-" in found["value"]
    assert set(found["labels"]) == {"alertname", "severity", "service", "region", "job", "namespace"}
    async with http.get(f"{simulation.url}/prometheus/api/v1/rules") as answer:
        group = (await answer.json())["data"]["groups"][0]
    states = {rule["name"]: rule["state"] for rule in group["rules"]}
    assert (states["ApiErrorRateHigh"], states["Watchdog"], states["WebErrorRateHigh"]) == (
        "firing",
        "firing",
        "inactive",
    )
