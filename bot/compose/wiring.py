"""Intake first: the store and the webhook port open, then everything else is imported and connected behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.adapters.sql import SqlStore, open_store
from bot.compose.core import Core
from bot.domain.errors import TemporaryError
from bot.domain.leases import share
from bot.domain.routes import private_chats
from bot.edge.server import Health, application, serve
from bot.edge.webhooks import Webhooks
from config.server import replica_name
from config.settings import Settings

if TYPE_CHECKING:
    from bot.compose.parts import Parts
    from bot.compose.wired import Wired
    from bot.engine.delivery import Delivery
    from bot.engine.desk import Desk
    from bot.engine.mirror import Mirror
    from bot.engine.ownership import Ownership
    from bot.platforms.canary.chat import CanaryChat
    from bot.ports.chat import Chat
    from bot.ports.flows import Turned
    from bot.ports.presenters import Presenters

log = logging.getLogger(__name__)
LISTEN_AGAIN = 1.0
"""Seconds until other replicas are listened to again, after the store was away."""
DEPENDENCIES_EVERY, REACH_EVERY = 60.0, 5.0
MEGABYTE = 1 << 20
HEAVY = (
    "handlers", "bot.compose.parts", "bot.compose.wired", "bot.engine.delivery", "bot.engine.desk",
    "bot.engine.operations", "bot.engine.ownership", "bot.engine.router", "bot.adapters.kubernetes.cluster",
    "bot.adapters.pictures.painter", "bot.adapters.words", "bot.platforms.slack", "bot.platforms.telegram",
    "slack_bolt.async_app", "telegram", "requests",
)  # fmt: skip
"""``requests`` because two libraries import it later, each in a thread: at the same moment both would fail."""


@dataclass
class Pult:
    """A running pult: where it listens; ``ready`` once chats and commands are connected; set ``stop`` to end it."""

    url: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def pult(settings: Settings) -> AsyncGenerator[Pult, None]:
    """Accepts webhooks as soon as it is entered."""
    url, patient = settings.store.url.get_secret_value(), bool(settings.store.spool)
    async with open_store(url, patient=patient) as store, _open_spool(settings) as local:
        core = Core(settings, store, local)
        if core.spool:
            await core.spool.find()
        webhooks = Webhooks(core.sources, core.intake, core.clock, core.meters, core.spool)
        health = Health(store.ping, core.meters, core.trouble, core.replicas)
        app = application(webhooks, health, core.inlets, core.console.routes() if core.console else ())
        if core.console:
            app.on_shutdown.append(core.console.close)
        server = settings.server
        async with serve(app, server.host, server.port, server.drain_seconds) as url, asyncio.TaskGroup() as group:
            running = Pult(url)
            work = group.create_task(_work(core, running))
            try:
                yield running
            finally:
                running.stop.set()
                await asyncio.wait({work}, timeout=server.drain_seconds + 1)
                work.cancel()


@asynccontextmanager
async def _open_spool(settings: Settings) -> AsyncGenerator[SqlStore | None, None]:
    if not settings.store.spool:
        yield None
        return
    folder = Path(settings.store.spool)
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with open_store(f"sqlite:///{folder}/spool.db", cap=settings.store.spool_megabytes * MEGABYTE) as local:
        yield local


async def _work(core: Core, running: Pult) -> None:
    """Connect everything behind the webhook port, and keep it going until told to stop."""
    await asyncio.to_thread(_load)
    from bot.compose.parts import open_parts  # noqa: PLC0415 - after intake
    from bot.platforms.canary.chat import open_canary  # noqa: PLC0415

    async with (
        open_parts(core.settings, core.store, core.hub, core.reader) as parts,
        open_canary(core.clock, running.url, core.canary_token) as canary,
    ):
        wired = wire(core, parts, canary)
        try:
            await _serve(core, running, wired)
        finally:
            wired.operations.close()
            await wired.ownership.resign()


def _load() -> None:
    """Import what is heavy in a thread: on the event loop it would hold up the first webhooks for half a second."""
    for name in HEAVY:
        import_module(name)


async def _serve(core: Core, running: Pult, wired: Wired) -> None:
    from bot.engine.supervise import every, forever  # noqa: PLC0415 - after intake

    async with asyncio.TaskGroup() as group:
        background = [group.create_task(wired.ownership.run()), group.create_task(wired.lanes.run())]
        talking = [group.create_task(wired.router.run())]
        talking.append(group.create_task(_staff(core, wired.parts)))
        talking.append(group.create_task(wired.parts.watching.run()))
        for name, beat in wired.parts.moving.beating:
            talking.append(group.create_task(forever(name, beat, core.clock, core.meters)))
        if wired.mirror:
            talking.append(group.create_task(every(1.0, "mirror", wired.mirror.run, core.clock)))
        if core.spool and wired.aside:
            talking.append(group.create_task(core.spool.run(wired.aside)))
        talking += [group.create_task(wired.hear(name)) for name in wired.parts.chats.keys() - wired.alone]
        for seconds, name, work in (
            (LISTEN_AGAIN, "notices", core.store.listen),
            (1.0, "backlog", wired.count),
            (DEPENDENCIES_EVERY, "dependencies", wired.examine),
            (REACH_EVERY, "reach", wired.reach),
            *((each.every, each.name, each.run) for each in wired.periodic if each.everywhere),
        ):
            talking.append(group.create_task(every(seconds, name, work, core.clock)))
        running.ready.set()
        await running.stop.wait()
        for task in talking:
            task.cancel()
        await wired.ownership.hand_over()
        for task in background:
            task.cancel()


async def _staff(core: Core, parts: Parts) -> None:
    """Who is on call counts once the roster was read, or could not be: till then pages wait and nothing is said."""
    if parts.roster is None:
        return
    try:
        await parts.roster.refresh()
    except TemporaryError as error:
        log.warning("who is on call is not known", extra={"error": str(error)})
    core.roster = parts.roster


def wire(core: Core, parts: Parts, canary: CanaryChat) -> Wired:
    """Connect *parts* to the engine and the handlers."""
    import handlers  # noqa: PLC0415 - after intake
    from bot.compose.wired import Wired  # noqa: PLC0415
    from bot.engine.delivery import Delivery  # noqa: PLC0415
    from bot.engine.operations import Operations  # noqa: PLC0415
    from bot.engine.ownership import Ownership  # noqa: PLC0415
    from bot.engine.router import Router  # noqa: PLC0415
    from bot.engine.scheduler import Scheduler  # noqa: PLC0415

    settings, people, policy = core.settings, core.department.people, core.department.policy
    ports = _ports(core, parts, canary)
    turned = handlers.turning(core.department.services, ports.words)
    desk = _desk(core, parts, ports, turned)
    presenters, chats = handlers.presenters(ports), {**parts.chats, canary.platform: canary}
    lanes = Delivery(
        core.store, core.clock, chats, presenters, core.reader, core.meters, drain=settings.server.drain_seconds,
        shared=core.store.shared,
    )  # fmt: skip
    ownership = Ownership(
        core.store, core.clock, core.meters, name=replica_name(settings.server), shared=core.store.shared,
        trouble=lanes.trouble,
    )  # fmt: skip
    core.commands += handlers.commands(ports, desk)
    parts.menu.extend((command.name, core.in_every_language(command.about)) for command in core.commands)
    router = Router(
        core.store, core.clock, directory=people, policy=policy, commands=core.commands, desk=desk, meters=core.meters,
        boot=ownership.me.boot,
    )  # fmt: skip
    operations = Operations(
        core.store, core.clock, handlers.flows(ports), core.meters, settings.store.url.get_secret_value(),
        turned=turned, engine=core.store.engine, boot=ownership.me.boot,
    )  # fmt: skip
    desk.on_approved, desk.on_choice = operations.start, operations.choose
    core.inlets.open.update(parts.inlets)
    scheduler, periodic = Scheduler(core.store, core.clock, handlers.timed(ports)), handlers.periodic(ports, desk)
    wired = Wired(
        core, parts, lanes, router, desk, operations, presenters, scheduler, periodic, ownership,
        _aside(core, chats, presenters, ownership), _mirror(core, lanes, presenters),
    )  # fmt: skip
    wired.own()
    core.behind = wired
    return wired


def _aside(
    core: Core, chats: Mapping[str, Chat], presenters: Presenters, ownership: Ownership
) -> Delivery | None:  # fmt: skip
    """What shows the spool while the store is away. Who would own a destination goes first there."""
    from bot.engine.delivery import Delivery  # noqa: PLC0415 - after intake
    from bot.engine.spool import COURTESY, spooled  # noqa: PLC0415

    if core.local is None:
        return None
    return Delivery(
        core.local, core.clock, chats, spooled(presenters), core.reader, core.meters,
        drain=core.settings.server.drain_seconds, wary=lambda to: 0.0 if ownership.rightful(share(to)) else COURTESY,
    )  # fmt: skip


def _mirror(core: Core, lanes: Delivery, presenters: Presenters) -> Mirror | None:
    """What shows this replica's pages what another delivers; None where there is no other."""
    from bot.engine.mirror import Mirror  # noqa: PLC0415 - after intake

    if not core.store.shared or core.console is None:
        return None
    return Mirror(core.store, core.clock, presenters, core.hub, owns=lanes.owns, shown=core.console_destinations)


def _desk(core: Core, parts: Parts, ports: Any, turned: Turned) -> Desk:  # noqa: ANN401 - handlers.Ports, later
    import handlers  # noqa: PLC0415 - after intake
    from bot.engine.desk import Desk  # noqa: PLC0415

    people = core.department.people
    return Desk(
        core.store, core.clock, directory=people, policy=core.department.policy, draw=handlers.draw_plan,
        meters=core.meters,
        approvals_in=tuple(c for each in core.settings.chat.approvals for c in private_chats(each, people)),
        platforms=tuple(name for name in parts.chats if name != "console"), on_call=handlers.on_call(core.rules),
        frozen=handlers.frozen(ports.freezes), turned=turned,
    )  # fmt: skip


def _ports(core: Core, parts: Parts, canary: CanaryChat) -> Any:  # noqa: ANN401 - handlers.Ports, imported after intake
    from bot.adapters.kubernetes.diagnoses import KubernetesDiagnoses  # noqa: PLC0415 - after intake
    from bot.adapters.kubernetes.jobs import KubernetesJobs  # noqa: PLC0415
    from bot.adapters.probe.http import examine  # noqa: PLC0415
    from bot.engine.guard import Guarded  # noqa: PLC0415
    from bot.engine.usage import PrometheusUsage  # noqa: PLC0415
    from handlers import Ports  # noqa: PLC0415
    from handlers.shaping.sizes import Sizer  # noqa: PLC0415

    regions = core.settings.regions
    usages, costs = PrometheusUsage(parts.metrics, core.clock, regions), parts.costing.costs
    return Ports(
        store=core.store, clock=core.clock, cluster=parts.cluster, rollouts=parts.cluster.rollouts,
        scaling=parts.cluster.scaling, gitops=parts.cluster.gitops, evictions=parts.cluster.evictions,
        nodes=parts.cluster.nodes, guard=Guarded(core.clock),
        regions=regions, policy=core.department.policy,
        services=core.department.services, slos=core.department.slos, metrics=parts.metrics,
        budgets=parts.budgets, logs=parts.logs, pod_logs=parts.pod_logs, happenings=parts.happenings,
        watching=parts.watching, watch=core.department.watch,
        diagnoses=KubernetesDiagnoses(parts.cluster.apis, core.clock),
        jobs=KubernetesJobs(parts.cluster.apis, core.clock), zone=core.settings.chat.timezone, words=core.words("", ""),
        silencer=parts.silencer, forge=parts.forge, pipeline=parts.pipeline, registry=parts.registry,
        pair=core.department.failover, estate=parts.moving.production, staged=parts.moving.staging,
        witnesses=parts.witnesses,
        costs=costs, sizer=Sizer(parts.cluster.anatomies, usages, costs), rules=core.rules,
        approvals_in=core.settings.chat.approvals,
        freezes=core.department.freezes,
        trouble=core.trouble, canary=canary, measure=core.measure, digest=core.department.digest,
        slo_digest=core.department.slo_digest,
        retention=core.settings.store.retention, examine=examine,
    )  # fmt: skip
