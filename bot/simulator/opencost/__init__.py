"""A simulated OpenCost of both clusters: the allocations of what its Prometheus measured, at its own prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from bot.simulator.faults import REGIONS
from bot.simulator.kubernetes.objects import NODES, REPLICAS
from bot.simulator.prometheus.containers import ASKED, Counted, Told, containers
from bot.simulator.prometheus.metrics import Metrics

__all__ = ["application"]

Json = dict[str, Any]
DAY: Final = timedelta(days=1)
CPU, RAM = 0.01304, 0.001748
"""Its prices of a core-hour and a GiB-hour: a machine of the department's size for 48 dollars a month."""
GIB: Final = 2**30
MACHINE: Final = (4.0, 8_152_400 * 1024 / GIB)
"""Cores and GiB of one node."""
PROBES: Final = 24
"""Moments of a day at which memory is looked at."""
AGGREGATE: Final = "cluster,namespace,controller"


def application(metrics: Metrics) -> web.Application:
    """The API, to be mounted at ``/opencost``. Other aggregations than pult's are refused, as unknown ones are."""

    async def allocation(request: web.Request) -> web.Response:
        try:
            start, end = _window(request.query.get("window", ""), metrics.now())
        except ValueError as error:
            return _refused(f"Invalid 'window' parameter: {error}")
        if request.query.get("aggregate") not in {AGGREGATE, "cluster"}:
            return _refused(f"Invalid 'aggregate' parameter: {request.query.get('aggregate')}")
        metrics.look()
        idle = request.query.get("includeIdle") == "true"
        days = [_day(metrics, at, min(at + DAY, end), idle=idle) for at in _steps(start, end)]
        if request.query["aggregate"] == "cluster":
            days = [{region: {"name": region} for region in REGIONS}]
        return web.json_response({"code": 200, "data": days})

    app = web.Application()
    app.router.add_get("/allocation", allocation)
    return app


def _refused(message: str) -> web.Response:
    return web.json_response({"code": 400, "data": None, "message": message}, status=400)


def _window(text: str, now: datetime) -> tuple[datetime, datetime]:
    if text.endswith("d") and text[:-1].isdecimal():
        return now - DAY * int(text[:-1]), now
    start, _, end = text.partition(",")
    return tuple(datetime.strptime(at, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC) for at in (start, end))  # type: ignore[return-value]


def _steps(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += DAY


def _day(metrics: Metrics, start: datetime, end: datetime, *, idle: bool) -> Json:
    hours = (end - start).total_seconds() / 3600
    window = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    used = _used(metrics, start.timestamp(), end.timestamp())
    found: Json = {}
    for (region, space, service), (cores, gib, pods) in used.items():
        asked = pods * ASKED["cpu"], pods * ASKED["memory"] / GIB
        name = f"{region}/{space}/{service}"
        place = {"cluster": region, "namespace": space, "controller": service, "controllerKind": "deployment"}
        found[name] = _item(name, place, window, asked, (cores, gib), hours)
    if idle:
        for region in REGIONS:
            mine = [item for item in found.values() if item["properties"]["cluster"] == region]
            cpu = NODES * MACHINE[0] * hours * CPU - sum(item["cpuCost"] for item in mine)
            ram = NODES * MACHINE[1] * hours * RAM - sum(item["ramCost"] for item in mine)
            name = f"{region}/__idle__"
            costs = {"cpuCost": cpu, "ramCost": ram, "totalCost": cpu + ram}
            found[name] = {"name": name, "properties": {"cluster": region}, "window": window} | costs
    return found


def _item(
    name: str, place: Json, window: Json, asked: tuple[float, float], used: tuple[float, float], hours: float
) -> Json:  # fmt: skip
    cpu, ram = max(asked[0], used[0]) * hours * CPU, max(asked[1], used[1]) * hours * RAM
    return {
        "name": name, "properties": place, "window": window, "minutes": hours * 60,
        "cpuCoreRequestAverage": asked[0], "cpuCoreUsageAverage": used[0], "cpuCost": cpu, "cpuCostAdjustment": 0,
        "ramByteRequestAverage": asked[1] * GIB, "ramByteUsageAverage": used[1] * GIB, "ramCost": ram,
        "ramCostAdjustment": 0, "gpuCost": 0, "networkCost": 0, "loadBalancerCost": 0, "pvCost": 0, "sharedCost": 0,
        "externalCost": 0, "totalCost": cpu + ram,
    }  # fmt: skip


def _used(metrics: Metrics, start: float, end: float) -> dict[tuple[str, str, str], tuple[float, float, int]]:
    """Mean cores, mean GiB and pods of each workload between two moments."""
    found: dict[tuple[str, str, str], tuple[float, float, int]] = {}
    for told in containers(metrics.history):
        place = told.place
        key = place["region"], place.get("namespace", ""), place.get("container", "")
        cores, gib, pods = found.get(key, (0.0, 0.0, 0))
        match told:
            case Counted(count=count):
                found[key] = cores + (count(end) - count(start)) / (end - start), gib, pods + 1
            case Told(name="container_memory_working_set_bytes", read=read):
                moments = (start + (end - start) * at / PROBES for at in range(PROBES))
                found[key] = cores, gib + sum(read(at) or 0.0 for at in moments) / PROBES / GIB, pods
            case _:
                continue
    return {key: amounts for key, amounts in found.items() if key[1] and key[2] in REPLICAS[key[0]]}
