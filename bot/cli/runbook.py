"""``pult runbook failover``: the failover by hand, from the plan that pult itself follows, for people without pult."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from shlex import quote

from bot.cli.runbook_commands import typed
from bot.cli.runbook_typed import Place, variable
from bot.cli.slo import speaking
from bot.domain.errors import NotReadyError
from bot.domain.failover import Move, Pair, Witness
from bot.domain.failover_course import Course, Kind, Lot, Machines, linked, moving
from bot.domain.failover_steps import SKIPPABLE, steps
from bot.domain.phrases import Phrase, phrase
from bot.domain.services import Catalogue
from config.department import department
from config.failover import FailoverSettings
from config.settings import Settings

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def page(settings: Settings, locale: str) -> str:
    """Markdown in the language *locale*. NotReadyError: no failover is configured."""
    found = department(settings)
    if settings.failover is None or found.failover is None:
        raise NotReadyError("no failover is configured, so there is none to write down: add a section [failover]")
    lines = _Page(settings, settings.failover, found.failover, found.services, locale).lines()
    return "\n".join(lines).rstrip() + "\n"


class _Page:
    def __init__(
        self, settings: Settings, failover: FailoverSettings, pair: Pair, services: Catalogue, locale: str
    ) -> None:
        self._settings, self._pair, self._services, self._say = settings, pair, services, speaking(locale)
        contexts = {each.name: each.context or each.name for each in settings.clusters}
        prometheus = settings.prometheus.url.rstrip("/") if settings.prometheus else ""
        self._place = Place(failover, contexts, settings.regions, prometheus)

    def lines(self) -> Iterator[str]:
        pair = self._pair
        yield from self._said(
            "# ", phrase("Failover {source} → {target} by hand", source=pair.source, target=pair.target)
        )
        yield from self._said("", phrase(
            "Written by {command} from pult.toml, from the plan that pult itself follows: change it there, then write "
                "this page anew. It is for people without pult; where pult answers, type {typed}.",
            command="`pult runbook failover`", typed=f"`failover {pair.source} to {pair.target}`",
        ))  # fmt: skip
        yield from self._before()
        yield from self._steps(_course(Kind.FAILOVER, pair, pair.move, self._services))
        yield from self._said("# ", phrase("The way back: {source} → {target}", source=pair.target, target=pair.source))
        yield from self._said("", phrase(
            "Planned, in daylight, and never in the hour of the failover. Nothing is lost: it waits until the other "
            "database has everything."
        ))  # fmt: skip
        back = Move(pair.move.way.back, pair.move.environment, pair.move.places, pair.move.rooms, pair.move.probes)
        yield from self._steps(_course(Kind.FAILBACK, pair, back, self._services))

    def _before(self) -> Iterator[str]:
        """Whether it is called for at all, by whoever sees the region."""
        yield from self._said("## ", phrase("Before you begin"))
        yield from self._said("", phrase(
            "Two people: one types, the other reads each step aloud first and agrees. Go on only where most of these "
            "say that {region} is lost, for {hold}, and what does not answer for another reason counts as no word:",
            region=self._pair.source, hold=self._pair.hold,
        ))  # fmt: skip
        for witness in self._pair.witnesses:
            yield f"- {witness.name}: {self._looked(witness)}"
        yield ""
        yield from self._said("", phrase(
            "You need kubectl with the contexts {contexts}, doctl logged in ({doctl}), jq, psql, dig. Where a name "
            "stands in capitals, put yours. Database addresses with passwords are in your password store, as {dsn}.",
            contexts=", ".join(f"`{each}`" for each in self._contexts()), doctl="`doctl auth init`",
            dsn=", ".join(f"`{variable(each)}`" for each in (self._pair.source, self._pair.target)),
        ))  # fmt: skip

    def _contexts(self) -> tuple[str, ...]:
        return tuple(self._place.contexts[each] for each in (self._pair.source, self._pair.target))

    def _looked(self, witness: Witness) -> str:
        if witness.query:
            asked = quote(f"query={witness.query}")
            return f"`curl -sG {self._place.prometheus}/api/v1/query --data-urlencode {asked}`"
        if witness.url:
            return f"`curl -fsS -o /dev/null -w '%{{http_code}}\\n' {witness.url}`"
        if witness.cluster:
            return f"`kubectl --context {self._place.contexts[witness.cluster]} get --raw /readyz`"
        if witness.uptime:
            return f"`doctl monitoring uptime get {witness.uptime}`"
        asked = f'`pg_isready -d "{variable(self._pair.source)}"`'
        return self._say(phrase("whether the database's server answers: {command}", command=asked))

    def _steps(self, course: Course) -> Iterator[str]:
        for number, step in enumerate(steps(course), 1):
            yield f"## {number}. {self._say(step.title)}"
            yield ""
            for each in typed(step.name, course, self._place):
                yield from self._said("", each.said)
                if each.lines:
                    yield from ("```sh", *each.lines, "```", "")
            if step.undo is not None:
                yield from self._said("", phrase("Undone by: {how}.", how=step.undo))
            if step.name == "fence":
                yield from self._said("", phrase("**Never skip this one.**"))
            elif step.name in SKIPPABLE:
                yield from self._said("", phrase("Where it cannot be done now, go on and do it afterwards."))

    def _said(self, mark: str, text: Phrase) -> Iterator[str]:
        yield mark + self._say(text)
        yield ""


def _course(kind: Kind, pair: Pair, move: Move, services: Catalogue) -> Course:
    """As pult would plan it, as far as the configuration tells; what the clusters tell is looked up by hand."""
    moved = moving(services, move)
    asked = {room.service: room for room in move.rooms}
    chosen = [each for each in moved if each[2].kind != "daemonset" and (not asked or each[0].name in asked)]
    lots = tuple(
        Lot(service.name, target, room.replicas if room else 0, -1, known=bool(room and room.replicas))
        for service, _, target in chosen
        for room in (asked.get(service.name),)
    )
    given = [(service, source) for service, source, _ in chosen] if kind is Kind.FAILBACK else []
    machines = {room.pool: Machines(room.pool, room.nodes) for room in move.rooms if room.pool and room.nodes}
    places = [place for place in move.places if place.region == move.way.target]
    found = [(service, target) for service, _, target in moved]
    return Course(
        kind, move.way.source, move.way.target, pair.rpo, NEVER, rto=pair.rto, lots=lots,
        machines=tuple(machines.values()), links=tuple(linked(place, "", found) for place in places),
        probes=move.probes, services=tuple(service.name for service, _, _ in moved),
        spare=tuple(Lot(service.name, source, 0, 0) for service, source in given),
    )  # fmt: skip
