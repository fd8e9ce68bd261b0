"""Everything pult talks to, opened from the settings. Nothing connects here: what is down at start stops nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.cards import Card, Place, Priority
from bot.domain.messages import Aside, Message, Tone
from bot.domain.phrases import English, phrase
from bot.domain.routes import private_chats
from bot.platforms.console.hub import Broadcast
from bot.platforms.console.transport import ConsoleChat
from bot.ports.chat import WordsFor
from config.department import Department, department
from config.settings import Settings

if TYPE_CHECKING:
    from bot.adapters.digitalocean.client import Api
    from bot.adapters.github.forge import GithubForge
    from bot.adapters.kubernetes.cluster import KubernetesCluster
    from bot.compose.costing import Costing
    from bot.compose.moving import Moving
    from bot.engine.watching import Watches
    from bot.engine.witnesses import Panel
    from bot.ports.budgets import Budgets
    from bot.ports.chat import Chat, Inlet
    from bot.ports.forge import Forge
    from bot.ports.happenings import Happenings
    from bot.ports.logs import Logs
    from bot.ports.metrics import Metrics
    from bot.ports.painter import Painter
    from bot.ports.pipeline import Pipeline
    from bot.ports.registry import Registry
    from bot.ports.roster import Roster
    from bot.ports.silencer import Silencer

Examination = Callable[[], Awaitable[str]]
Menu = list[tuple[str, Mapping[str, str]]]
"""Command names with their descriptions by locale; filled once the commands are known, before anybody listens."""


@dataclass(frozen=True)
class Parts:
    """One of each; None where the settings have no section for it."""

    settings: Settings
    department: Department
    store: SqlStore
    clock: SystemClock
    painter: Painter
    cluster: KubernetesCluster
    chats: Mapping[str, Chat]
    inlets: Mapping[str, Inlet]
    metrics: Metrics | None
    budgets: Budgets | None
    logs: Logs
    pod_logs: Logs
    happenings: Happenings
    watching: Watches
    silencer: Silencer | None
    roster: Roster | None
    forge: Forge | None
    pipeline: Pipeline | None
    registry: Registry
    moving: Moving
    witnesses: Panel | None
    costing: Costing
    menu: Menu

    async def store_takes_commits(self) -> str:
        """What schema it does so on, where a newer pult has migrated it. UnavailableError: it does not."""
        await self.store.ping()
        found = await self.store.schema()
        return "it takes commits" + (f"; a newer pult migrated it: it has {found}" if found.newer else "")

    def checks(self) -> Iterator[tuple[str, Examination]]:
        """Each optional part with its own examination, by its section's name; all may be asked every minute.

        Those of a failover are ``moving.checks``: pydo would take 29 MB for answers that nothing else needs.
        """
        if self.metrics:
            yield "prometheus", self.metrics.check
        if self.silencer:
            yield "alertmanager", self.silencer.check
        if self.roster:
            yield "oncall", self.roster.check
        if self.forge:
            yield "github", self.forge.check
        if self.settings.registries:
            yield "registries", self.registry.check
        if self.settings.loki:
            yield "loki", self.logs.check
        if self.costing.allocations:
            yield "opencost", self.costing.allocations.check

    def samples(self) -> Iterator[tuple[str, Examination, str]]:
        """One sample message for each configured destination."""
        named = (*self.settings.destinations, *(each for level in self.department.ladder.levels for each in level))
        chats = (chat for each in named for chat in private_chats(each, self.department.people))
        for destination in dict.fromkeys(chats):
            if chat := self.chats.get(Place(destination).platform):
                mend = "see [[pagers]]" if chat.platform == "webhook" else "invite the bot there"
                yield destination, lambda chat=chat, to=destination: self._sample(chat, to), mend  # type: ignore[misc]

    async def _sample(self, chat: Chat, destination: str) -> str:
        now = self.clock.now()
        text = Aside(phrase("Sent by pult check. Nothing to do."))
        card = Card("notice:check", Place(destination), Priority.NORMAL, 1, 0, None, 0, now, now)
        await chat.post(card, Message(phrase("pult reaches this chat"), Tone.OK, (text,)), English())
        return "a sample was posted"


@asynccontextmanager
async def open_parts(
    settings: Settings, store: SqlStore | None = None, hub: Broadcast | None = None, words: WordsFor | None = None
) -> AsyncGenerator[Parts, None]:
    """Open what *settings* name; *store* and *hub* where they are open already."""
    async with AsyncExitStack() as stack:
        if store is None:
            store = await stack.enter_async_context(open_store(settings.store.url.get_secret_value()))
        yield await _Opening(settings, stack).parts(store, hub or Broadcast(), words or (lambda _: English()))


class _Opening:
    """Imports each SDK only where its section is there."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings, self._stack = settings, stack
        self._department = department(settings)

    async def parts(self, store: SqlStore, hub: Broadcast, words: WordsFor) -> Parts:
        from bot.adapters.kubernetes.cluster import open_clusters  # noqa: PLC0415 - after intake
        from bot.adapters.kubernetes.happenings import KubernetesHappenings  # noqa: PLC0415
        from bot.adapters.kubernetes.logs import KubernetesLogs  # noqa: PLC0415
        from bot.adapters.pictures.painter import open_painter  # noqa: PLC0415
        from bot.compose.costing import open_costing  # noqa: PLC0415
        from bot.compose.moving import open_moving  # noqa: PLC0415

        painter = await self._stack.enter_async_context(open_painter(SystemClock(), self._settings.chat.pictures))
        cluster = await self._stack.enter_async_context(open_clusters(self._settings.clusters))
        metrics = await self._metrics()
        forge = await self._forge()
        pod_logs = KubernetesLogs(cluster.apis, SystemClock())
        api = await self._api()
        costing = await open_costing(self._settings, self._department, self._stack, metrics, api)
        menu: Menu = []
        moving = open_moving(self._settings, metrics, cluster, forge, api, store)
        witnesses = self._witnesses(metrics, cluster, moving, api)
        chats, inlets = await self._chats(hub, words, menu, painter)
        return Parts(
            settings=self._settings, department=self._department, store=store, clock=SystemClock(), painter=painter,
            cluster=cluster, chats=chats, inlets=inlets, metrics=metrics, budgets=self._budgets(metrics),
            logs=await self._loki() or pod_logs, pod_logs=pod_logs, happenings=KubernetesHappenings(cluster.apis),
            watching=self._watching(cluster),
            silencer=await self._silencer(),
            roster=await self._roster(), forge=forge, pipeline=forge, registry=await self._registry(),
            moving=moving,
            witnesses=witnesses, costing=costing, menu=menu,
        )  # fmt: skip

    async def _chats(
        self, hub: Broadcast, words: WordsFor, menu: Menu, painter: Painter
    ) -> tuple[Mapping[str, Chat], Mapping[str, Inlet]]:
        chats: dict[str, Chat] = {"console": ConsoleChat(hub)}
        inlets: dict[str, Inlet] = {}
        if self._settings.slack:
            from bot.platforms.slack import open_slack  # noqa: PLC0415

            slack = await self._stack.enter_async_context(open_slack(self._settings.slack, SystemClock(), painter))
            chats["slack"] = inlets["slack"] = slack
        if self._settings.telegram:
            from bot.platforms.telegram import open_telegram  # noqa: PLC0415

            telegram = await self._stack.enter_async_context(
                open_telegram(
                    self._settings.telegram,
                    SystemClock(),
                    words=words,
                    commands=menu,
                    public_url=self._settings.server.public_url,
                    painter=painter,
                )
            )
            chats["telegram"] = inlets["telegram"] = telegram
        if self._settings.pagers:
            from bot.platforms.webhook import open_pagers  # noqa: PLC0415

            pagers = open_pagers(self._settings.pagers, SystemClock(), self._settings.server.public_url)
            chats["webhook"] = await self._stack.enter_async_context(pagers)
        return chats, inlets

    def _watching(self, cluster: KubernetesCluster) -> Watches:
        from bot.adapters.kubernetes.watch import feeds  # noqa: PLC0415 - after intake
        from bot.engine.watching import Watches  # noqa: PLC0415

        watch = self._department.watch
        return Watches(feeds(cluster.apis, sorted(watch.places)), watch.limits, SystemClock())

    async def _metrics(self) -> Metrics | None:
        if not self._settings.prometheus:
            return None
        from bot.adapters.prometheus.metrics import open_metrics  # noqa: PLC0415

        return await self._stack.enter_async_context(open_metrics(self._settings.prometheus))

    def _budgets(self, metrics: Metrics | None) -> Budgets | None:
        if metrics is None:
            return None
        from bot.engine.budgets import PrometheusBudgets  # noqa: PLC0415 - after intake

        budgets = PrometheusBudgets(metrics, SystemClock())
        self._stack.push_async_callback(budgets.close)
        return budgets

    async def _silencer(self) -> Silencer | None:
        if not self._settings.alertmanager:
            return None
        from bot.adapters.alertmanager.silencer import open_silencer  # noqa: PLC0415

        return await self._stack.enter_async_context(open_silencer(self._settings.alertmanager))

    async def _loki(self) -> Logs | None:
        if not self._settings.loki:
            return None
        from bot.adapters.loki.logs import open_logs  # noqa: PLC0415 - after intake

        return await self._stack.enter_async_context(open_logs(self._settings.loki, self._settings.regions))

    async def _roster(self) -> Roster | None:
        ical = self._settings.oncall.ical
        turns = ical.get_secret_value() if ical else self._department.rotation
        if turns is None:
            return None
        from bot.adapters.calendar.roster import open_roster  # noqa: PLC0415

        names = [person.name for person in self._department.people]
        zone = self._settings.chat.timezone
        return await self._stack.enter_async_context(open_roster(turns, zone, names, SystemClock()))

    async def _forge(self) -> GithubForge | None:
        if not self._settings.github:
            return None
        from bot.adapters.github.forge import open_forge  # noqa: PLC0415

        return await self._stack.enter_async_context(open_forge(self._settings.github, SystemClock()))

    async def _registry(self) -> Registry:
        from bot.adapters.registry.client import open_registry  # noqa: PLC0415 - after intake

        return await self._stack.enter_async_context(open_registry(self._settings.registries))

    async def _api(self) -> Api | None:
        if not self._settings.digitalocean:
            return None
        from bot.adapters.digitalocean.client import open_api  # noqa: PLC0415

        return await self._stack.enter_async_context(open_api(self._settings.digitalocean))

    def _witnesses(
        self, metrics: Metrics | None, cluster: KubernetesCluster, moving: Moving, api: Api | None
    ) -> Panel | None:
        pair = self._department.failover
        if pair is None:
            return None
        from bot.adapters.digitalocean.uptime import UptimeChecks  # noqa: PLC0415 - after intake
        from bot.adapters.probe.http import examine  # noqa: PLC0415
        from bot.engine.witnesses import Panel, Senses  # noqa: PLC0415

        database = moving.production.database if moving.production else None
        senses = Senses(examine, cluster.version, metrics, UptimeChecks(api) if api else None, database)
        return Panel(pair, SystemClock(), senses)
