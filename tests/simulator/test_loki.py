"""The simulated Loki over HTTP: what it answers, and what it refuses in Loki's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.simulator.loki.logql import QueryError, parse
from bot.simulator.server import Simulation

API = '{namespace="production", app="api", cluster="nyc2"}'


async def ask(http: aiohttp.ClientSession, simulation: Simulation, path: str, **params: str) -> tuple[int, Any]:
    async with http.get(f"{simulation.url}/loki/loki/api/v1/{path}", params=params) as answer:
        return answer.status, await (answer.json() if answer.content_type == "application/json" else answer.text())


def around(minutes: float = 5) -> dict[str, str]:
    end = datetime.now(UTC) - timedelta(seconds=5)
    start = end - timedelta(minutes=minutes)
    return {"start": str(int(start.timestamp() * 1e9)), "end": str(int(end.timestamp() * 1e9))}


async def test_it_is_ready(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{simulation.url}/loki/ready") as answer:
        assert (answer.status, await answer.text()) == (200, "ready\n")
    assert (await ask(http, simulation, "status/buildinfo"))[1]["version"].startswith("3.")


async def test_labels_and_their_values(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    _, names = await ask(http, simulation, "labels")
    assert {"app", "namespace", "pod", "container", "cluster"} <= set(names["data"])
    assert (await ask(http, simulation, "label/app/values"))[1]["data"] == ["api", "bots", "web", "worker"]


async def test_the_newest_or_the_oldest_first(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    span = around()
    _, new = await ask(http, simulation, "query_range", query=API, limit="10", direction="backward", **span)
    _, old = await ask(http, simulation, "query_range", query=API, limit="10", direction="forward", **span)

    def times(body: Any) -> list[int]:
        return [int(value[0]) for stream in body["data"]["result"] for value in stream["values"]]

    assert len(times(new)) == len(times(old)) == 10
    assert min(times(new)) > max(times(old))
    assert all(int(span["start"]) <= at < int(span["end"]) for at in (*times(new), *times(old)))
    for stream in new["data"]["result"]:
        own = [int(value[0]) for value in stream["values"]]
        assert own == sorted(own, reverse=True)


async def test_a_count_is_the_number_of_lines(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    span = around(2)
    _, lines = await ask(http, simulation, "query_range", query=f'{API} |= "request"', limit="5000", **span)
    _, count = await ask(
        http, simulation, "query", query=f'sum(count_over_time({API} |= "request" [120s]))', time=span["end"]
    )
    found = sum(len(stream["values"]) for stream in lines["data"]["result"])
    assert found > 100
    assert count["data"]["result"][0]["value"][1] == str(found)
    _, none = await ask(http, simulation, "query", query=f'sum(count_over_time({API} |= "nothing like it" [2m]))')
    assert none["data"] == {"resultType": "vector", "result": [], "stats": {}}


async def test_counts_by_label_over_time(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    query = 'sum by (app) (count_over_time({namespace="production"} | detected_level="info" [1m]))'
    _, body = await ask(http, simulation, "query_range", query=query, step="60", **around(3))
    assert body["data"]["resultType"] == "matrix"
    assert {row["metric"]["app"] for row in body["data"]["result"]} == {"api", "bots", "web", "worker"}
    assert {len(row["values"]) for row in body["data"]["result"]} == {4}


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("query_range", {"query": "{app='api'}"}, "parse error at line 1, col 6: invalid char literal"),
        ("query_range", {"query": '{app="api"'}, "parse error at line 1, col 11: syntax error: unexpected $end"),
        ("query_range", {"query": '{app="api" ns="x"}'}, "unexpected IDENTIFIER, expecting }"),
        ("query_range", {"query": '{app="api}'}, "literal not terminated"),
        ("query_range", {"query": r'{app="\d"}'}, "invalid char escape"),
        ("query_range", {"query": '{app=~".*"}'}, "queries require at least one regexp or equality matcher"),
        ("query_range", {"query": '{app!="x"}'}, "queries require at least one regexp or equality matcher"),
        ("query_range", {"query": '{app="api"} |~ "("'}, "error parsing regexp"),
        ("query_range", {"query": "{}"}, "unexpected }"),
        ("query_range", {"query": ""}, "unexpected $end"),
        ("query_range", {"query": '{app="api"} error'}, "unexpected IDENTIFIER"),
        ("query_range", {"query": API, "limit": "5001"}, "max_entries_limit_per_query (5001 > 5000)"),
        ("query_range", {"query": API, "limit": "-1"}, "limit must be a positive value"),
        ("query_range", {"query": API, "start": "soon"}, "could not parse 'start' parameter"),
        ("query_range", {"query": API, "start": "1700000000", "end": "1700000000000000001"}, ""),
        ("query_range", {"query": API, "start": "1700000001", "end": "1700000000"}, "must not be before"),
        ("query_range", {"query": API, "start": "1600000000", "end": "1700000000"}, "limit: 30d1h"),
        ("query_range", {"query": API, "direction": "sideways"}, "invalid direction"),
        ("query", {"query": API}, "log queries are not supported as an instant query type"),
        ("query", {"query": f"sum({API})"}, "syntax error"),
        ("query", {"query": f"count_over_time({API})"}, "expecting RANGE"),
    ],
)
async def test_what_it_refuses(
    simulation: Simulation, http: aiohttp.ClientSession, path: str, params: dict[str, str], words: str
) -> None:
    status, said = await ask(http, simulation, path, **params)
    if not words:
        assert status == 200
        return
    assert status == 400
    assert words in said


async def test_a_bad_release_shows_in_the_lines(simulation: Simulation, http: aiohttp.ClientSession) -> None:
    simulation.world.faults.start("errors", "api", value=1.0)
    simulation.world.faults.history[-1] = _earlier(simulation.world.faults.history[-1])
    query = f'sum(count_over_time({API} | detected_level="error" [1m]))'
    _, body = await ask(http, simulation, "query", query=query)
    assert int(body["data"]["result"][0]["value"][1]) > 50
    others = query.replace('app="api"', 'app="web"')
    _, body = await ask(http, simulation, "query", query=others)
    assert not body["data"]["result"] or int(body["data"]["result"][0]["value"][1]) < 5


def _earlier(fault: Any) -> Any:
    return type(fault)(
        fault.fault, fault.target, fault.since - timedelta(minutes=2), fault.until, fault.value, fault.delay
    )


def test_filters_read_as_loki_reads_them() -> None:
    query = parse('{app="api"} |= "a" != "b" |~ `c\\d` !~ "(?i)e" | json | level=~"x|y" | pod!="z"')
    assert query.takes({"level": "x", "pod": "p"}, "a c1")
    assert not query.takes({"level": "x", "pod": "z"}, "a c1")
    assert not query.takes({"level": "xx", "pod": "p"}, "a c1")
    for line in ("c1", "a b c1", "a c", "a c1 E"):
        assert not query.takes({"level": "x", "pod": "p"}, line)
    with pytest.raises(QueryError):
        parse('{app="api"} |')
