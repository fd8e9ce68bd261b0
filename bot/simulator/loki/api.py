"""Loki's HTTP API: answers as of 3.x, errors in plain text."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from bot.simulator.kubernetes.chatter import Said
from bot.simulator.loki.logql import Query, QueryError, parse
from bot.simulator.loki.streams import Stream, every, select
from bot.simulator.world import World

LIMIT: Final = 5_000
"""max_entries_limit_per_query."""
LONGEST: Final = timedelta(hours=721)
"""max_query_length."""
POINTS: Final = 11_000
DEFAULT: Final = timedelta(hours=1)
INSTANT: Final = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)
VERSION: Final = "3.5.0"
Answer = Callable[[web.Request], Awaitable[object]]


class Api:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.get("/ready", self._ready)
        yield web.get("/loki/api/v1/status/buildinfo", self._build)
        table: tuple[tuple[str, Answer], ...] = (
            ("query_range", self._range),
            ("query", self._instant),
            ("labels", self._labels),
            ("label/{name}/values", self._values),
        )
        for path, answer in table:
            yield web.get(f"/loki/api/v1/{path}", _explained(answer))

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _build(self, _: web.Request) -> web.Response:
        return web.json_response({"version": VERSION, "revision": "simulated", "branch": "HEAD", "goVersion": "go1.24"})

    async def _labels(self, _: web.Request) -> object:
        return sorted({name for stream in every(self._world) for name in stream})

    async def _values(self, request: web.Request) -> object:
        name = request.match_info["name"]
        return sorted({stream[name] for stream in every(self._world) if name in stream})

    async def _range(self, request: web.Request) -> object:
        query, params = parse(request.query.get("query", "")), request.query
        now = self._world.clock.now()
        end = _moment(params, "end", now)
        start = _moment(params, "start", end - DEFAULT)
        _check_range(start, end)
        if query.seconds is not None:
            return self._matrix(query, start, end, _step(params))
        limit = _limit(params)
        backward = _direction(params) == "backward"
        found = [
            (stream, line)
            for stream, line in select(self._world, query.selects, start, end)
            if query.takes(_detected(stream, line), line.text)
        ]
        found.sort(key=lambda item: item[1].at, reverse=backward)
        return _streams(found[:limit])

    async def _instant(self, request: web.Request) -> object:
        query = parse(request.query.get("query", ""))
        if query.seconds is None:
            raise QueryError(INSTANT)
        at = _moment(request.query, "time", self._world.clock.now())
        counts = self._counted(query, at)
        result = [{"metric": dict(key), "value": [at.timestamp(), str(count)]} for key, count in counts.items()]
        return {"resultType": "vector", "result": result, "stats": {}}

    def _matrix(self, query: Query, start: datetime, end: datetime, step: timedelta) -> object:
        if (end - start) / step > POINTS:
            raise QueryError(
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step"
                " parameter"
            )
        series: dict[tuple[tuple[str, str], ...], list[list[object]]] = {}
        at = start
        while at <= end:
            for key, count in self._counted(query, at).items():
                series.setdefault(key, []).append([at.timestamp(), str(count)])
            at += step
        result = [{"metric": dict(key), "values": values} for key, values in series.items()]
        return {"resultType": "matrix", "result": result, "stats": {}}

    def _counted(self, query: Query, at: datetime) -> dict[tuple[tuple[str, str], ...], int]:
        """Lines of the range that ends at *at*; a group without any is not there, as in Loki."""
        assert query.seconds is not None
        edge = timedelta(microseconds=1)
        counts: dict[tuple[tuple[str, str], ...], int] = {}
        begin = at - timedelta(seconds=query.seconds) + edge
        for stream, line in select(self._world, query.selects, begin, at + edge):
            labels = _detected(stream, line)
            if query.takes(labels, line.text):
                kept = labels if query.by is None else {name: labels[name] for name in query.by if name in labels}
                key = tuple(sorted(kept.items()))
                counts[key] = counts.get(key, 0) + 1
        return counts


def _detected(stream: Stream, line: Said) -> dict[str, str]:
    """With the level that Loki finds in each line (discover_log_levels)."""
    return {**stream, "detected_level": line.level}


def _streams(found: list[tuple[Stream, Said]]) -> object:
    listed: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
    for stream, line in found:
        key = tuple(sorted(_detected(stream, line).items()))
        listed.setdefault(key, []).append([str(_nanoseconds(line.at)), line.text])
    result = [{"stream": dict(key), "values": values} for key, values in listed.items()]
    return {"resultType": "streams", "result": result, "stats": {}}


def _nanoseconds(at: datetime) -> int:
    whole = at - datetime.fromtimestamp(0, UTC)
    return (whole // timedelta(microseconds=1)) * 1_000


def _explained(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def run(request: web.Request) -> web.Response:
        try:
            body: dict[str, Any] = {"status": "success", "data": await answer(request)}
        except QueryError as refused:
            return web.Response(text=str(refused), status=400)
        return web.json_response(body)

    return run


def _moment(params: Mapping[str, str], name: str, default: datetime) -> datetime:
    """Unix nanoseconds, seconds with a fraction, or RFC 3339."""
    text = params.get(name, "")
    if not text:
        return default
    try:
        if text.isdecimal():
            number = int(text)
            seconds, rest = divmod(number, 1_000_000_000) if len(text) > 10 else (number, 0)
            return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1_000)
        moment = datetime.fromtimestamp(float(text), UTC) if "-" not in text else datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"could not parse '{name}' parameter: cannot parse \"{text}\" to a valid timestamp") from error
    return moment


def _check_range(start: datetime, end: datetime) -> None:
    if end < start:
        raise QueryError("end timestamp must not be before or equal to start time")
    if end - start > LONGEST:
        hours = (end - start) // timedelta(hours=1)
        raise QueryError(f"the query time range exceeds the limit (query length: {hours}h0m0s, limit: 30d1h)")


def _limit(params: Mapping[str, str]) -> int:
    text = params.get("limit", "100")
    if not text.isdecimal() or int(text) == 0:
        raise QueryError("limit must be a positive value")
    if int(text) > LIMIT:
        raise QueryError(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({text} > {LIMIT})"
        )
    return int(text)


def _direction(params: Mapping[str, str]) -> str:
    text = params.get("direction", "backward").lower()
    if text not in ("backward", "forward"):
        raise QueryError(f"invalid direction '{text}'")
    return text


def _step(params: Mapping[str, str]) -> timedelta:
    text = params.get("step", "60").removesuffix("s")
    try:
        return timedelta(seconds=max(float(text), 0.001))
    except ValueError as error:
        raise QueryError(f'cannot parse "{text}" to a valid duration') from error
