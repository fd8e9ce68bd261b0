"""Intake first: the store and the webhook port open, then everything else is imported and connected behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.adapters.sql import open_store
from bot.compose.core import Core
from bot.domain.cards import Card
from bot.domain.errors import PultError, TemporaryError
from bot.domain.messages import Message
from bot.domain.requests import Request
from bot.domain.routes import private_chats
from bot.edge.server import Health, application, serve
from bot.edge.webhooks import Webhooks
from bot.ports.console import Answer, Standing
from bot.ports.store import Tx
from config.settings import Settings

if TYPE_CHECKING:
    from bot.compose.parts import Parts
    from bot.engine.delivery import Delivery
    from bot.engine.desk import Desk
    from bot.engine.operations import Operations
    from bot.engine.router import Router
    from bot.engine.scheduler import Scheduler
    from bot.platforms.canary.chat import CanaryChat
    from bot.ports.presenters import Presenters
    from bot.ports.schedules import Periodic

log = logging.getLogger(__name__)
SWEEP_EVERY, HEARTBEAT_EVERY, DEPENDENCIES_EVERY = 5.0, 60.0, 60.0
EXAMINE_DEADLINE = 15.0
HEAVY = (
    "handlers", "bot.compose.parts", "bot.engine.delivery", "bot.engine.desk", "bot.engine.operations",
    "bot.engine.router", "bot.adapters.kubernetes.cluster", "bot.adapters.pictures.painter", "bot.adapters.words",
    "bot.platforms.slack", "bot.platforms.telegram", "slack_bolt.async_app", "telegram", "requests",
)  # fmt: skip
"""``requests`` because two libraries import it later, each in a thread: at the same moment both would fail."""
SNAPSHOT, TRENDS = 50, 16
"""Cards of one destination that a page shows when it opens, and those with a trend: each is a query to Prometheus."""


@dataclass
class Pult:
    """A running pult: where it listens; ``ready`` once chats and commands are connected; set ``stop`` to end it."""

    url: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def pult(settings: Settings) -> AsyncGenerator[Pult, None]:
    """Accepts webhooks as soon as it is entered."""
    async with open_store(settings.store.url.get_secret_value()) as store:
        core = Core(settings, store)
        webhooks = Webhooks(core.sources(), core.intake, core.clock, core.meters)
        health = Health(store.ping, core.meters, core.trouble)
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


def _load() -> None:
    """Import what is heavy in a thread: on the event loop it would hold up the first webhooks for half a second."""
    for name in HEAVY:
        import_module(name)


async def _serve(core: Core, running: Pult, wired: Wired) -> None:
    from bot.engine.supervise import every, forever  # noqa: PLC0415 - after intake

    async with asyncio.TaskGroup() as group:
        lanes = group.create_task(wired.lanes.run())
        talking = [group.create_task(wired.router.run()), group.create_task(wired.scheduler.run())]
        talking.append(group.create_task(_staff(core, wired.parts)))
        talking.append(group.create_task(wired.parts.watching.run()))
        for name, chat in wired.parts.chats.items():
            listening = forever(name, lambda chat=chat: chat.listen(wired.router.ask), core.clock, core.meters)  # type: ignore[misc]
            talking.append(group.create_task(listening))
        for name, beat in wired.parts.moving.beating:
            talking.append(group.create_task(forever(name, beat, core.clock, core.meters)))
        for seconds, name, work in (
            (SWEEP_EVERY, "expiry", wired.desk.expire),
            (SWEEP_EVERY, "sweep", wired.operations.sweep),
            (HEARTBEAT_EVERY, "heartbeat", lambda: _heartbeat(core.settings)),
            (1.0, "backlog", wired.count),
            (DEPENDENCIES_EVERY, "dependencies", wired.examine),
            *((each.every, each.name, each.run) for each in wired.periodic),
        ):
            talking.append(group.create_task(every(seconds, name, work, core.clock)))
        running.ready.set()
        await running.stop.wait()
        for task in talking:
            task.cancel()
        await _drain(core, wired)
        lanes.cancel()


async def _staff(core: Core, parts: Parts) -> None:
    """Who is on call counts once the roster was read, or could not be: till then pages wait and nothing is said."""
    if parts.roster is None:
        return
    try:
        await parts.roster.refresh()
    except TemporaryError as error:
        log.warning("who is on call is not known", extra={"error": str(error)})
    core.roster = parts.roster


async def _drain(core: Core, wired: Wired) -> None:
    """Start nothing more, finish what is being sent; what is left stays due in the store."""
    wired.lanes.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(core.settings.server.drain_seconds):
            await wired.lanes.drained()


async def _heartbeat(settings: Settings) -> None:
    """Tell whoever watches pult that it lives."""
    if settings.server.heartbeat_url is None:
        return
    timeout, url = aiohttp.ClientTimeout(total=10), settings.server.heartbeat_url.get_secret_value()
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        answer.raise_for_status()


@dataclass(frozen=True)
class Wired:
    """What works behind the webhook port."""

    core: Core
    parts: Parts
    lanes: Delivery
    router: Router
    desk: Desk
    operations: Operations
    presenters: Presenters
    scheduler: Scheduler
    periodic: tuple[Periodic, ...]

    def trouble(self) -> Mapping[str, str]:
        """Destinations that can't be delivered to now."""
        return self.lanes.trouble()

    async def ask(self, request: Request) -> Answer:
        """One console command."""
        reply = await self.router.answer(request)
        return Answer(reply.ok, reply.message, reply.operation)

    async def standing(self, destinations: Sequence[str]) -> Sequence[Standing]:
        """The latest cards of *destinations*, as they are drawn now; the first ones with their trends."""

        def read(tx: Tx) -> list[tuple[Card, Any]]:
            cards = [card for name in destinations for card in tx.latest_cards(name, SNAPSHOT)]
            return [(card, self._presenter(card).load(tx, card.subject.partition(":")[2])) for card in cards]

        found = await self.core.store.read(read)
        async with asyncio.TaskGroup() as group:
            shown = [
                (card, group.create_task(self._drawn(card, state, rich=at < TRENDS)))
                for at, (card, state) in enumerate(each for each in found if each[1] is not None)
            ]
        return tuple(Standing(card.subject, card.wanted, card.changed_at, task.result()) for card, task in shown)

    async def _drawn(self, card: Card, state: object, *, rich: bool) -> Message:
        from bot.engine.enrichment import drawn  # noqa: PLC0415 - after intake

        presenter = self._presenter(card)
        message: Message = await drawn(presenter, state, card.subject) if rich else presenter.draw(state)
        return message

    async def count(self) -> None:
        """Let the intake know how far delivery is behind."""
        self.core.intake.overdue = self.lanes.overdue

    async def examine(self) -> None:
        """Ask everything pult depends on whether it answers, for the metric."""
        chats = ((name, chat.check) for name, chat in self.parts.chats.items())
        for name, check in (*chats, *self.parts.checks()):
            try:
                async with asyncio.timeout(EXAMINE_DEADLINE):
                    await check()
                up = True
            except (PultError, TimeoutError):
                up = False
            self.core.meters.up.labels(name).set(up)

    def _presenter(self, card: Card) -> Any:  # noqa: ANN401 - Presenter, of each kind's own state
        return self.presenters[card.subject.partition(":")[0]]


def wire(core: Core, parts: Parts, canary: CanaryChat) -> Wired:
    """Connect *parts* to the engine and the handlers."""
    import handlers  # noqa: PLC0415 - after intake
    from bot.engine.delivery import Delivery  # noqa: PLC0415
    from bot.engine.desk import Desk  # noqa: PLC0415
    from bot.engine.operations import Operations  # noqa: PLC0415
    from bot.engine.router import Router  # noqa: PLC0415
    from bot.engine.scheduler import Scheduler  # noqa: PLC0415

    settings, people, policy = core.settings, core.department.people, core.department.policy
    ports = _ports(core, parts, canary)
    chats = {**parts.chats, canary.platform: canary}
    private = tuple(name for name in parts.chats if name != "console")
    turned = handlers.turning(core.department.services)
    desk = Desk(
        core.store, core.clock, directory=people, policy=policy, draw=handlers.draw_plan, meters=core.meters,
        approvals_in=tuple(chat for each in settings.chat.approvals for chat in private_chats(each, people)),
        platforms=private, on_call=handlers.on_call(core.rules), frozen=handlers.frozen(ports.freezes),
        turned=turned,
    )  # fmt: skip
    presenters = handlers.presenters(ports)
    lanes = Delivery(core.store, core.clock, chats, presenters, core.reader, core.meters)
    core.commands += handlers.commands(ports, desk)
    parts.menu.extend((command.name, core.in_every_language(command.about)) for command in core.commands)
    router = Router(
        core.store, core.clock, directory=people, policy=policy, commands=core.commands, desk=desk, meters=core.meters
    )
    url = settings.store.url.get_secret_value()
    operations = Operations(
        core.store, core.clock, handlers.flows(ports), core.meters, url, turned=turned
    )  # fmt: skip
    desk.on_approved, desk.on_choice = operations.start, operations.choose
    core.inlets.open.update(parts.inlets)
    scheduler = Scheduler(core.store, core.clock, handlers.timed(ports))
    wired = Wired(core, parts, lanes, router, desk, operations, presenters, scheduler, handlers.periodic(ports))
    core.behind = wired
    return wired


def _ports(core: Core, parts: Parts, canary: CanaryChat) -> Any:  # noqa: ANN401 - handlers.Ports, imported after intake
    from bot.adapters.kubernetes.diagnoses import KubernetesDiagnoses  # noqa: PLC0415 - after intake
    from bot.adapters.kubernetes.jobs import KubernetesJobs  # noqa: PLC0415
    from bot.adapters.probe.http import examine  # noqa: PLC0415
    from bot.engine.guard import Guarded  # noqa: PLC0415
    from bot.engine.usage import PrometheusUsage  # noqa: PLC0415
    from handlers import Ports  # noqa: PLC0415
    from handlers.shaping.sizes import Sizer  # noqa: PLC0415

    regions = {each.name: each.region for each in core.settings.clusters}
    estate = parts.moving.production
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
        jobs=KubernetesJobs(parts.cluster.apis, core.clock), zone=core.settings.chat.timezone,
        silencer=parts.silencer, forge=parts.forge, pipeline=parts.pipeline, registry=parts.registry,
        pair=core.department.failover, database=estate.database if estate else None,
        traffic=estate.traffic if estate else None, connections=estate.connections if estate else None,
        pools=estate.pools if estate else None, staged=parts.moving.staging, witnesses=parts.witnesses,
        costs=costs, sizer=Sizer(parts.cluster.anatomies, usages, costs), rules=core.rules,
        approvals_in=core.settings.chat.approvals,
        freezes=core.department.freezes,
        trouble=core.trouble, canary=canary, measure=core.measure, digest=core.department.digest,
        slo_digest=core.department.slo_digest,
        retention=core.settings.store.retention, examine=examine,
    )  # fmt: skip
