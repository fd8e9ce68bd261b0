"""What stands before the first webhook: the store, the intake, the sources, the console's door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from ipaddress import ip_network
from math import nan
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from bot import VERSION
from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore
from bot.domain.cards import Place
from bot.domain.errors import ForgedError, UnavailableError
from bot.domain.phrases import Phrase, Words, pieces
from bot.domain.requests import Request
from bot.domain.routes import expanded
from bot.domain.signatures import Proxied, check_token
from bot.edge.console import Console
from bot.edge.console_parts import ConsoleParts
from bot.edge.server import Inlets
from bot.engine.intake import Intake
from bot.engine.meters import Meters
from bot.platforms.console.hub import Broadcast
from bot.platforms.console.transport import PAGE, Drawings
from bot.ports.canary import Flight
from bot.ports.commands import Command
from bot.ports.console import Answer, Standing
from bot.ports.roster import Roster
from bot.ports.webhooks import Delivery, Source
from config.department import Department, department
from config.server import AlertmanagerHook, GrafanaHook
from config.settings import Settings
from handlers import hearing, on_call
from handlers.alerting.rules import Rules
from handlers.webhooks import alertmanager, argocd, flux, github, grafana, release

if TYPE_CHECKING:
    from bot.adapters.words import Languages
    from bot.engine.spool import Spool

LANGUAGES = ("en", "ru")
LOCALES = Path(__file__).parents[2] / "handlers" / "locales"


class Behind(Protocol):
    """What works behind the webhook port, once it is connected."""

    def trouble(self) -> Mapping[str, Phrase]: ...
    def replicas(self) -> Sequence[str]: ...
    async def ask(self, request: Request) -> Answer: ...
    async def standing(self, destinations: Sequence[str]) -> Sequence[Standing]: ...


class Core:
    """Open from the first webhook on; the rest is plugged into ``behind`` later."""

    def __init__(self, settings: Settings, store: SqlStore, local: SqlStore | None = None) -> None:
        self.settings, self.store = settings, store
        self.department: Department = department(settings)
        self.clock, self.meters, self.hub = SystemClock(), Meters(VERSION), Broadcast()
        self.roster: Roster | None = None
        self.rules = self._rules()
        self.intake = Intake(store, self.clock, hearing(self.rules, self.department.services), settings.server.backlog)
        self.canary_token = token_urlsafe()
        self.inlets = Inlets(_http_platforms(settings))
        self.commands: list[Command] = []
        self.behind: Behind | None = None
        self.local = local
        self.spool = self._spool(local) if local else None

    def _spool(self, local: SqlStore) -> Spool:
        """One message for each group, since a storm's could not be taken over by the store."""
        from bot.engine.spool import Spool  # noqa: PLC0415 - only where there is one

        apart = hearing(replace(self.rules, storm=0), self.department.services)
        return Spool(
            self.store, local, self.clock, self.meters, probe=self.store.ping, intake=self.intake,
            apart=Intake(local, self.clock, apart), sources=self.sources,
        )  # fmt: skip

    def _rules(self) -> Rules:
        department, settings = self.department, self.settings
        chats = {name for name in ("slack", "telegram") if getattr(settings, name)}
        oncall = settings.oncall
        return Rules(
            routes=expanded(department.routes, department.people), people=department.people, ladder=department.ladder,
            storm=settings.chat.storm, watchdog=oncall.watchdog, patience=oncall.reroute_after,
            staffed=bool(oncall.rotation or oncall.ical), roster=lambda: self.roster, platforms=frozenset(chats),
            runbooks=settings.chat.runbooks.rstrip("/"),
        )  # fmt: skip

    def measure(self, flight: Flight) -> None:
        """How the last canary fared, as a metric."""
        self.meters.canary.set(nan if flight.why else flight.seconds)

    def trouble(self) -> Mapping[str, Phrase]:
        """Destinations that can't be delivered to; nothing is known before delivery runs."""
        return self.behind.trouble() if self.behind else {}

    def replicas(self) -> Sequence[str]:
        """Names of the replicas alive; none is known before this one has said that it is."""
        return self.behind.replicas() if self.behind else ()

    def words(self, locale: str, zone: str) -> Words:
        """A reader's words; an empty locale or zone means the department's own."""
        chat = self.settings.chat
        return self.languages.words(locale or chat.locale, zone or chat.timezone)

    def reader(self, place: Place) -> Words:
        """The words of whoever reads *place*: one person's own where nobody else reads it (ruling 17)."""
        person = self.department.people.find(place.platform, place.private_to or place.chat)
        own = (person.locale, person.zone) if person else ("", "")
        return self.words(place.locale or own[0], place.zone or own[1])

    def in_every_language(self, text: Phrase) -> dict[str, str]:
        """*text* by locale, English first."""
        return {locale: "".join(piece.text for piece in pieces(text, self.words(locale, ""))) for locale in LANGUAGES}

    @cached_property
    def languages(self) -> Languages:
        """Every catalogue, read at the first word that is needed."""
        from bot.adapters.words import Languages  # noqa: PLC0415 - Babel takes 50 ms, which intake does not wait for

        return Languages(LOCALES, self.clock)

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Webhook sources, the same for the store and for the spool; one without settings refuses everything."""
        hooks = self.settings.webhooks
        services = self.department.services
        found = {name: _closed(name) for name in ("alertmanager", "grafana", "github", "argocd", "flux", "release")}
        if hooks.alertmanager:
            found["alertmanager"] = _alertmanager(hooks.alertmanager)
        if hooks.grafana:
            found["grafana"] = _grafana(hooks.grafana)
        if hooks.github:
            found["github"] = github.source(hooks.github.secret.get_secret_value(), services)
        if hooks.argocd:
            found["argocd"] = argocd.source(hooks.argocd.token.get_secret_value(), services)
        if hooks.flux:
            found["flux"] = flux.source(hooks.flux.secret.get_secret_value(), services)
        if hooks.release:
            found["release"] = release.source(hooks.release.secret.get_secret_value(), services)
        found["canary"] = _canary(self.canary_token)
        return found

    @cached_property
    def console(self) -> Console | None:
        """The console's HTTP side, None when it is switched off."""
        if not self.settings.console.enabled:
            return None
        parts = ConsoleParts(
            asker=self._ask, snapshot=self._snapshot, hub=self.hub, drawing=Drawings(), words=self.words,
            directory=self.department.people, clock=self.clock, page=PAGE, opened=self.settings.console.open,
            public_url=self.settings.server.public_url, version=VERSION, commands=self.commands,
            on_call=self._on_call,
        )  # fmt: skip
        return Console(parts)

    async def _on_call(self) -> Sequence[str] | None:
        if self.roster is None:
            return None
        return await self.store.read(lambda tx: sorted(on_call(self.rules)(tx, self.clock.now())))

    async def _ask(self, request: Request) -> Answer:
        if self.behind is None:
            raise UnavailableError("pult is still starting")
        return await self.behind.ask(request)

    async def _snapshot(self) -> Sequence[Standing]:
        if self.behind is None:  # never an empty page that looks healthy (promise 14)
            raise UnavailableError("pult is still starting")
        return await self.behind.standing(self.console_destinations)

    @cached_property
    def console_destinations(self) -> Sequence[str]:
        """What pages show: where routes and approvals lead to, and each person's own."""
        own = (f"console:{person.name}" for person in self.department.people)
        every = (*self.settings.destinations, *own)
        return tuple(dict.fromkeys(each for each in every if each.startswith("console:")))


def _http_platforms(settings: Settings) -> tuple[str, ...]:
    slack = ("slack",) if settings.slack and settings.slack.signing_secret else ()
    telegram = ("telegram",) if settings.telegram and settings.telegram.mode == "webhook" else ()
    return (*slack, *telegram)


def _alertmanager(hook: AlertmanagerHook) -> Source:
    wanted = hook.client_certificate
    networks = tuple(map(ip_network, wanted.proxies)) if wanted else ()
    certificate = Proxied(wanted.header.lower(), wanted.value, networks) if wanted else None
    return alertmanager.source(_open(hook.token), hook.username, _open(hook.password), certificate)


def _grafana(hook: GrafanaHook) -> Source:
    proofs = grafana.Proofs(
        secret=_open(hook.secret), token=_open(hook.token), username=hook.username, password=_open(hook.password),
        signature=(hook.signature_header or "").lower(), timestamp=(hook.timestamp_header or "").lower(),
    )  # fmt: skip
    return grafana.source(proofs)


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _canary(token: str) -> Source:
    """Pult's own canary: its token is of this process, and known to nobody else."""
    return Source("canary", lambda delivery: check_token(delivery.headers, token), alertmanager.parse, lambda _: "")


def _closed(name: str) -> Source:
    def refuse(_: Delivery) -> None:
        raise ForgedError("this webhook has no settings")

    return Source(name, refuse, alertmanager.parse, lambda _: "")
