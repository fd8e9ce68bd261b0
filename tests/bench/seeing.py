"""``pods`` and ``status`` over two clusters with ten thousand pods: how soon, at what memory, and the loop's stalls."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import uvloop

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.diagnoses import KubernetesDiagnoses
from bot.adapters.kubernetes.jobs import KubernetesJobs
from bot.adapters.kubernetes.logs import KubernetesLogs
from bot.domain.cards import Place
from bot.domain.phrases import English
from bot.domain.requests import Request
from bot.domain.services import Catalogue, Environment, Service
from bot.platforms.console.plain import plain
from bot.ports.commands import Call, Reply
from handlers.commands import pods
from handlers.commands.pods_deaths import Deaths
from handlers.commands.status_running import Running
from tests.bench.clusters import EVERYTHING, PODS, WORKLOADS
from tests.bench.common import BrokenError, Row, ms, quantile
from tests.bench.programs import module
from tests.bench.watching import CLUSTERS, COLLECTIONS, STALL_BUDGET, Beats, reached, resident

TIMES = 9
SPOILT = 25
"""Every so many pods is in trouble: four in a hundred."""
PATIENCE = 60.0
ANSWER_BUDGET, GROWTH_BUDGET = 2.0, 40e6
Ask = Callable[[], Awaitable[str]]


def measure(folder: Path) -> list[Row]:
    """The commands and everything behind them in this process; the clusters in another, on the same cores."""
    folder.mkdir()
    with module("clusters", cwd=folder) as servers:
        _, url = servers.line("http://", 20)
        return uvloop.run(_measured(folder, url))


async def _measured(folder: Path, url: str) -> list[Row]:
    async with open_clusters(reached(folder, url)) as cluster, aiohttp.ClientSession() as http:
        asks = _asks(cluster)
        for ask in asks.values():
            await ask()  # it imports the library and opens connections, which is not what is measured
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTIONS)
        rows = []
        for health in ("all well", f"{100 // SPOILT} % in trouble"):
            for name, ask in asks.items():
                rows += await _asked(f"{name}, {health}", ask)
            await http.post(f"{url}/spoil/{SPOILT}")
            for ask in asks.values():
                await ask()
    return rows


def _asks(cluster: KubernetesCluster) -> dict[str, Ask]:
    clock = SystemClock()
    diagnoses = KubernetesDiagnoses(cluster.apis, clock, PATIENCE)
    jobs = KubernetesJobs(cluster.apis, clock)
    services = Catalogue([_service(name) for name in (EVERYTHING, *(f"app-{n:03d}" for n in range(20)))])
    duty = pods.duty(diagnoses, jobs, Deaths(KubernetesLogs(cluster.apis, clock), None, {}), services)
    running = Running(cluster, diagnoses, jobs)

    async def ask(name: str) -> str:
        place = Place("console:bench")
        request = Request("bench:1", "console", "bench", f"pods {name}", place, place, clock.now())
        answer = await duty.run(Call(request, "pods", (name,), None, clock.now()))
        assert isinstance(answer, Reply)
        return plain(answer.message, English())

    async def status() -> str:
        runs = await running.of(services.named(EVERYTHING))
        return "\n".join(line.plain() for _, line in runs.facts)

    async def every() -> str:
        runs = await running.every(services)
        return "\n".join(line.plain() for _, line in runs.facts)

    return {
        f"pods, a service of {2 * PODS:,}": lambda: ask(EVERYTHING),
        f"pods, one of {2 * PODS // WORKLOADS} among them": lambda: ask("app-001"),
        f"status, a service of {2 * PODS:,}": status,
        "status, 21 services": every,
    }


def _service(name: str) -> Service:
    places = tuple(Environment(f"production-{each}", each, "production", "deployment", name) for each in CLUSTERS)
    return Service(name, "production", "deployment", name, CLUSTERS, places)


async def _asked(what: str, ask: Ask) -> list[Row]:
    beats = Beats()
    task = asyncio.ensure_future(beats.run())
    before, took, peak, worked = resident(), [], 0, time.process_time()
    for _ in range(TIMES):
        began = time.monotonic()
        text = await ask()
        took.append(time.monotonic() - began)
        peak = max(peak, resident())
        if "does not answer" in text or "unknown" in text:
            raise BrokenError(f"{what}: {text[:200]}")
        await asyncio.sleep(0.05)
    task.cancel()
    worked = (time.process_time() - worked) / TIMES
    late, busy = beats.worst()
    slowest, grown = max(took), peak - before
    return [
        Row(f"{what}: p50", ms(quantile(took, 0.5)), f"< {ANSWER_BUDGET:.0f} s",
            met=quantile(took, 0.5) < ANSWER_BUDGET),
        Row("…slowest", ms(slowest), f"< {ANSWER_BUDGET:.0f} s", met=slowest < ANSWER_BUDGET),
        Row("…processor time of it", ms(worked)),
        Row("…loop busy in one go, max", ms(busy), f"< {ms(STALL_BUDGET)}", met=busy < STALL_BUDGET),
        Row("…loop late, max", ms(late)),
        Row("…memory", f"{grown / 1e6:+.1f} MB", f"< {GROWTH_BUDGET / 1e6:.0f} MB", met=grown < GROWTH_BUDGET),
    ]  # fmt: skip
