"""One world behind one port: every surface mounted under its prefix, and the clockwork that keeps it alive."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientSession, web

from bot.simulator import (
    alertmanager,
    digitalocean,
    github,
    kubernetes,
    loki,
    opencost,
    outside,
    prometheus,
    registry,
    slack,
    telegram,
    trouble,
)
from bot.simulator.alertmanager import Manager
from bot.simulator.control import Control
from bot.simulator.deploying import deploy_from_github
from bot.simulator.faults import REGIONS
from bot.simulator.prometheus import Metrics
from bot.simulator.settings import SimulatorSettings
from bot.simulator.webhooks import Outbound
from bot.simulator.world import World

EVALUATION: Final = 1.0
"""Simulated seconds between two looks at the alert rules."""
_FASTEST, _SLOWEST = 0.1, 1.0
"""Wall seconds the same may take at most speeds."""
_SHUTDOWN: Final = 1.0
"""Seconds that open requests (long polls, watches) get at the end."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Simulation:
    """A running simulator. *surfaces*: prefix → application, for tests that look inside."""

    url: str
    world: World
    metrics: Metrics
    alerts: Manager
    outbound: Outbound
    surfaces: Mapping[str, web.Application]


def mounts(world: World, metrics: Metrics, alerts: Manager) -> dict[str, web.Application]:
    """Prefix → surface. GitHub comes before the clusters, whose GitOps controllers read it."""
    return {
        "/prometheus": prometheus.application(metrics),
        "/alertmanager": alertmanager.application(alerts),
        "/github": github.application(world),
        "/registry": registry.application(world),
        "/digitalocean": digitalocean.application(world),
        "/opencost": opencost.application(metrics),
        **{f"/k8s/{region}": kubernetes.application(world, region) for region in REGIONS},
        "/loki": loki.application(world),
        "/outside": outside.application(world),
        "/slack": slack.application(world),
        "/telegram": telegram.application(world),
    }


@asynccontextmanager
async def simulator(settings: SimulatorSettings) -> AsyncGenerator[Simulation]:
    """Run a department until the block ends. OSError when the port is taken."""
    world = World(settings.seed, settings.speed)
    async with ClientSession() as session:
        outbound = Outbound(world, session, settings.target)
        metrics, alerts = Metrics(world), Manager(world, outbound)
        surfaces = mounts(world, metrics, alerts)
        deploy_from_github(world)
        app = _application(world, surfaces, Control(world, metrics, alerts, outbound))
        async with _listening(app, settings) as url, _ticking(world, metrics, alerts):
            yield Simulation(url, world, metrics, alerts, outbound, surfaces)


def _application(world: World, surfaces: Mapping[str, web.Application], control: Control) -> web.Application:
    app = web.Application(middlewares=[trouble.middleware(world.faults)])
    app.add_routes(control.routes())
    for prefix, surface in surfaces.items():
        app.add_subapp(prefix, surface)
    return app


@asynccontextmanager
async def _listening(app: web.Application, settings: SimulatorSettings) -> AsyncGenerator[str]:
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield f"http://{settings.host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _ticking(world: World, metrics: Metrics, alerts: Manager) -> AsyncGenerator[None]:
    """Keep time passing. What goes wrong in the clockwork is raised at the end of the block.

    The task group lives in a task of its own, because a fixture may leave this block in another task.
    """
    clockwork = asyncio.create_task(_run(world, metrics, alerts), name="simulator clockwork")
    try:
        yield
    finally:
        clockwork.cancel()
        await asyncio.wait({clockwork})
        if not clockwork.cancelled():
            clockwork.result()


async def _run(world: World, metrics: Metrics, alerts: Manager) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_evaluate(world, metrics, alerts), name="alert rules")
            tasks.create_task(alerts.dispatcher.run(), name="alert notifications")
    except Exception:
        # Said at once: the block that would raise it may last for hours.
        log.exception("the simulator's clockwork stopped")
        raise


async def _evaluate(world: World, metrics: Metrics, alerts: Manager) -> None:
    pause = min(max(world.seconds(EVALUATION), _FASTEST), _SLOWEST)
    while True:
        metrics.look()
        alerts.receive(metrics.rules.evaluate())
        await asyncio.sleep(pause)
