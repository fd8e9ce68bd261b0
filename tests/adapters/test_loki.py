"""Loki's odd answers, and the LogQL that pult writes, read by a parser of its own."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.adapters.loki import logql
from bot.adapters.loki.logs import LokiLogs, open_logs
from bot.adapters.loki.settings import LokiSettings
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.services import Environment
from bot.ports.logs import Wanted
from bot.simulator.loki.logql import parse

API = Environment("production", "nyc2", "production", "deployment", "api")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WANTED = Wanted(NOON - timedelta(minutes=10), NOON)
LABELS = {"app": "api", "namespace": "production", "pod": "api-1", "container": "api"}


def nanoseconds(seconds_ago: float) -> str:
    return str(int((NOON - timedelta(seconds=seconds_ago)).timestamp()) * 10**9 + 123_456_789)


def streams(*found: tuple[dict[str, str], list[list[str]]], **more: object) -> dict[str, Any]:
    result = [{"stream": labels, "values": values} for labels, values in found]
    return {"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}, **more}


def vector(*values: str, **more: object) -> dict[str, Any]:
    result = [{"metric": {}, "value": [NOON.timestamp(), value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result, "stats": {}}, **more}


@dataclass
class Script:
    """Answers each path alike and keeps what was asked."""

    answer: web.Response | dict[str, Any] = field(default_factory=streams)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query), dict(request.headers)))
        if isinstance(self.answer, dict):
            return web.json_response(self.answer)
        said = self.answer
        return web.Response(status=said.status, body=said.body, headers=said.headers)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def url(script: Script) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", script.take)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def logs(url: str) -> AsyncIterator[LokiLogs]:
    async with open_logs(LokiSettings(url=url, timeout=timedelta(seconds=3)), {"nyc2": "nyc"}) as opened:
        yield opened


async def test_what_is_asked(script: Script, url: str) -> None:
    settings = LokiSettings(
        url=f"{url}/", token=SecretStr("t0ken"), tenant="team-a|team-b", pod="k8s_pod_name",
        selector='{region="$region", cluster="$cluster", namespace="$namespace", kind="$kind", app="$name"}',
    )  # fmt: skip
    async with open_logs(settings, {"nyc2": "nyc"}) as logs:
        await logs.lines(API, Wanted(WANTED.since, NOON, grep='a.b"c', pod="7xk2p", limit=50))
    ((path, query, headers),) = script.asked
    assert path == "/loki/api/v1/query_range"
    assert query == {
        "query": '{region="nyc", cluster="nyc2", namespace="production", kind="deployment", app="api"}'
        ' | k8s_pod_name=~".*7xk2p.*" |~ "(?i)a\\\\.b\\"c"',
        "start": "1772365800000000000",
        "end": "1772366397000000000",
        "limit": "51",
        "direction": "backward",
    }
    assert (headers["Authorization"], headers["X-Scope-OrgID"]) == ("Bearer t0ken", "team-a|team-b")


async def test_what_errors_are_is_configured(script: Script, url: str) -> None:
    script.answer = vector("7")
    settings = LokiSettings(url=url, errors='| detected_level=~"error|fatal"')
    async with open_logs(settings, {}) as logs:
        assert await logs.errors(API, WANTED.since, NOON) == 7
    queries = {query["query"] for _, query, _ in script.asked}
    streams = '{namespace="production", app="api"}'
    assert queries == {
        f"sum(count_over_time({streams} [600s]))",
        f'sum(count_over_time({streams} | detected_level=~"error|fatal" [600s]))',
    }
    assert {query["time"] for _, query, _ in script.asked} == {"1772366400000000000"}


async def test_two_collectors_tell_one_line_once(script: Script, logs: LokiLogs) -> None:
    values = [[nanoseconds(5), "b"], [nanoseconds(9), "a"]]
    script.answer = streams((LABELS | {"node": "1"}, values), (LABELS | {"node": "2"}, values))
    found = await logs.lines(API, WANTED)
    assert [line.text for line in found.lines] == ["a", "b"]
    assert found.lines[1].at == NOON - timedelta(seconds=5) + timedelta(microseconds=123_456)


async def test_containers_are_named_where_there_are_several(script: Script, logs: LokiLogs) -> None:
    script.answer = streams(
        (LABELS, [[nanoseconds(5), "x"]]),
        (LABELS | {"container": "proxy"}, [[nanoseconds(4), "y"]]),
        (LABELS | {"pod": "api-2"}, [[nanoseconds(3), "z"]]),
        ({"app": "api"}, [[nanoseconds(2), "w", {"structured": "metadata"}]]),  # type: ignore[list-item]
    )
    assert [line.source for line in (await logs.lines(API, WANTED)).lines] == ["api-1/api", "api-1/proxy", "api-2", "?"]


async def test_a_warning_beside_the_answer_is_a_cut(script: Script, logs: LokiLogs) -> None:
    script.answer = streams((LABELS, [[nanoseconds(5), "x"]]), warnings=["one ingester is away"])
    assert (await logs.lines(API, WANTED)).cut
    script.answer = vector("3", warnings=["one ingester is away"])
    with pytest.raises(TemporaryError, match="a part only"):
        await logs.errors(API, WANTED.since, NOON)


@pytest.mark.parametrize(("answer", "count"), [(vector("12"), 12), (vector("0"), None), (vector(), None)])
async def test_nothing_logged_is_not_known(
    script: Script, logs: LokiLogs, answer: dict[str, Any], count: int | None
) -> None:
    script.answer = answer
    assert await logs.errors(API, WANTED.since, NOON) == count


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (
            400,
            "parse error at line 1, col 5: syntax error: unexpected IDENTIFIER\n",
            UserError,
            "parse error at line 1",
        ),
        (400, "max entries limit per query exceeded, limit > max_entries_limit_per_query (9 > 5)", UserError, "9 > 5"),
        (400, '{"status":"error","error":"too long a range"}', UserError, "refuses the query: too long a range"),
        (422, "context canceled", UserError, "context canceled"),
        (401, "no org id", PermanentError, "does not let pult in .401.: no org id"),
        (403, "forbidden", PermanentError, "403"),
        (404, "404 page not found", PermanentError, "404"),
        (429, "too many outstanding requests", RateLimitedError, "too many outstanding"),
        (500, "internal error", TemporaryError, "500"),
        (503, "", TemporaryError, "503"),
        (504, "context deadline exceeded", TemporaryError, "context deadline exceeded"),
        (200, "<html>", TemporaryError, "no JSON"),
        (200, "[]", TemporaryError, "words of its own"),
        (200, '{"status":"success"}', TemporaryError, "words of its own"),
        (200, '{"status":"success","data":{"resultType":"matrix","result":[]}}', PermanentError, "gives matrix"),
    ],
)
async def test_what_refusals_mean(
    script: Script, logs: LokiLogs, status: int, body: str, error: type[Exception], words: str
) -> None:
    script.answer = web.Response(status=status, text=body, headers={"Retry-After": "7"})
    with pytest.raises(error, match=words) as caught:
        await logs.lines(API, WANTED)
    assert type(caught.value) is error
    assert getattr(caught.value, "delay", None) == (7 if status == 429 else None)


async def test_an_endless_answer_is_not_read(script: Script, logs: LokiLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.loki.logs.MOST", 1_000)
    script.answer = streams((LABELS, [[nanoseconds(5), "x" * 2_000]]))
    with pytest.raises(UserError, match="more than can be read"):
        await logs.lines(API, WANTED)


async def test_nobody_is_there() -> None:
    async with open_logs(LokiSettings(url="http://127.0.0.1:9"), {}) as logs:
        with pytest.raises(TemporaryError, match="does not answer"):
            await logs.check()


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_a_filter_finds_what_holds_the_text_in_any_case(needle: str, around: str) -> None:
    """Written by pult, read by the simulator's parser, matched by a regular expression."""
    query = parse('{app="api"}' + logql.containing(needle))
    assert query.takes({}, around + needle + around)
    assert query.takes({}, around) is (re.search(re.escape(needle), around, re.IGNORECASE) is not None)


@pytest.mark.parametrize(
    "bad",
    [
        {"selector": "{app=\"api\"}"}, {"selector": "app=\"$name\""}, {"errors": "error"}, {"pod": "no label"},
        {"tenant": "a\r\nX-Evil: 1"}, {"url": "loki:3100"}, {"timeout": timedelta()},
    ],
)  # fmt: skip
def test_settings_that_can_not_be(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LokiSettings(**{"url": "http://loki", **bad})


def test_the_default_errors_are_logql() -> None:
    query = parse('{app="api"} ' + LokiSettings(url="http://loki").errors)
    assert query.takes({}, json.dumps({"level": "ERROR"}))
    assert not query.takes({}, "level=info terrors=none")
