"""``pult slo policy``: the error-budget policy as a page for people, from the configuration that pult itself obeys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from bot.cli.slo import speaking
from bot.domain.burnrates import Arm, arms
from bot.domain.errors import NotReadyError
from bot.domain.phrases import Phrase, Quantity, counted, in_line, phrase
from bot.domain.policy import DEFAULTS, Condition, More, Rule
from bot.domain.services import Verification
from bot.domain.slo import FRESHNESS, Slo
from bot.domain.slorules import SPENT_FOR, UNKNOWN_FOR, countable
from config.department import Department, department
from config.settings import Settings

NOTHING = "–"
DAYS = (
    phrase("Mondays"), phrase("Tuesdays"), phrase("Wednesdays"), phrase("Thursdays"), phrase("Fridays"),
    phrase("Saturdays"), phrase("Sundays"),
)  # fmt: skip


def page(settings: Settings, scrape: timedelta, locale: str) -> str:
    """Markdown in the language *locale*. *scrape*: as for the rules. NotReadyError: no SLO is configured."""
    found = department(settings)
    if not found.slos:
        raise NotReadyError("no SLO is configured, so there is no budget to have a policy for: add a table [[slos]]")
    return "\n".join(_Page(settings, found, scrape, speaking(locale)).lines()).rstrip() + "\n"


class _Page:
    def __init__(
        self, settings: Settings, department: Department, scrape: timedelta, say: Callable[[Phrase], str]
    ) -> None:
        self._settings, self._department, self._scrape, self._say = settings, department, scrape, say

    def lines(self) -> Iterator[str]:
        yield from self._said("# ", phrase("Error-budget policy"))
        yield from self._said("", phrase(
            "Written by {command} from pult.toml, which pult obeys: change it there, then write this page anew.",
            command="`pult slo policy`",
        ))  # fmt: skip
        yield from self._said("## ", phrase("What is promised"))
        yield from self._promises()
        yield from self._said("## ", phrase("Who is told, and when"))
        yield from self._alerts()
        yield from self._said("## ", phrase("What follows from a budget"))
        yield from self._consequences()
        yield from self._said("## ", phrase("When a new version burns it"))
        yield from self._verification()

    # --- promises ---

    def _promises(self) -> Iterator[str]:
        heads = (phrase("Service"), phrase("SLO"), phrase("Objective"), phrase("Window"), phrase("Budget"))
        yield from self._table(heads, [
            (slo.service, slo.name, self._objective(slo), phrase("{length}", length=slo.window), self._budget(slo))
            for slo in self._department.slos
        ])  # fmt: skip
        yield from self._said("", phrase(
            "The budget is what may fail: minutes of total outage at the window's average traffic, or the same number "
            "of requests spread over more time. A promise without a budget allows no exception."
        ))  # fmt: skip
        yield from self._said("", phrase(
            "What nobody measured never counts as good: a budget that is not known is said to be unknown, and every "
            "rule below takes it for a spent one."
        ))  # fmt: skip

    def _objective(self, slo: Slo) -> Phrase:
        if slo.kind == FRESHNESS:
            return phrase("nothing waits longer than {limit}, ever", limit=timedelta(seconds=slo.threshold or 0))
        share = Quantity(round(slo.objective * 100, 8), "%", _digits(slo.objective * 100))
        if slo.kind == "latency" and slo.threshold:
            return phrase("{share} within {limit}", share=share, limit=timedelta(seconds=slo.threshold))
        return phrase("{share}", share=share)

    def _budget(self, slo: Slo) -> Phrase:
        if _strict(slo):
            return phrase("none")
        return phrase("{length}", length=slo.window * round(slo.allowed, 12))

    # --- alerts ---

    def _alerts(self) -> Iterator[str]:
        heads = (phrase("Service"), phrase("SLO"), phrase("Somebody gets up"), phrase("Somebody looks today"))
        yield from self._table(
            heads, [(slo.service, slo.name, *self._levels(slo)) for slo in self._department.slos]
        )  # fmt: skip
        yield from self._said("", phrase(
            "A burn counts only while a second, shorter window burns as well, so an alert ends soon after the errors "
            "do. Below the least number of requests nobody is told."
        ))  # fmt: skip
        chat = self._settings.chat
        if chat.slo_digest:
            yield from self._said("", phrase(
                "Every budget is read each day at {time} ({zone}), in the digest.",
                time=chat.slo_digest, zone=chat.timezone,
            ))  # fmt: skip

    def _levels(self, slo: Slo) -> tuple[Phrase, Phrase]:
        if not countable(slo):
            elsewhere = phrase("by the rules that record it")
            return elsewhere, elsewhere
        unknown = phrase("unknown for {length}", length=UNKNOWN_FOR)
        if _strict(slo):
            return _breach(slo), unknown
        found = arms(slo.window, self._scrape)
        page, ticket = (self._burns(slo, [arm for arm in found if arm.severity == s]) for s in ("critical", "warning"))
        spent = phrase("spent for {length}", length=SPENT_FOR)
        return self._least(slo, page), phrase("{burns}; {spent}; {unknown}", burns=ticket, spent=spent, unknown=unknown)

    def _burns(self, slo: Slo, found: Sequence[Arm]) -> Phrase:
        told = None
        for arm in dict.fromkeys(found):
            share = Quantity(arm.share(slo.window) * 100, "%", 0)
            one = phrase(
                "{share} of it gone in {time} (burn {burn})",
                share=share, time=arm.long, burn=Quantity(arm.burn, "x", _digits(arm.burn)),
            )  # fmt: skip
            told = phrase("{one}, or {other}", one=told, other=one) if told else one
        return told or phrase("none")

    def _least(self, slo: Slo, told: Phrase) -> Phrase:
        if not slo.min_requests:
            return told
        return phrase("{what}; from {least} requests on", what=told, least=slo.min_requests)

    # --- consequences ---

    def _consequences(self) -> Iterator[str]:
        policy = self._department.policy
        heeding = [(action, rule) for action in DEFAULTS if _heeds(rule := policy.rule(action))]
        if not heeding:
            yield from self._said("", phrase(
                "No rule of {section} heeds a budget: nothing changes as it falls. {more} and {floor} would.",
                section="`[policy.promote]`", more="`more`", floor="`floor`",
            ))  # fmt: skip
        for action, rule in heeding:
            yield from self._said("### ", phrase("{action}", action=f"`{action}`"))
            heads = (phrase("When"), phrase("Then"))
            yield from self._table(heads, list(self._rows(rule)))
        yield from self._said("", phrase(
            "Any SLO of the service counts, and the lowest decides. Bounds are per cent of the budget left. "
            "A rollback is never held, neither by a budget nor by a freeze."
        ))  # fmt: skip

    def _rows(self, rule: Rule) -> Iterator[tuple[Phrase, Phrase]]:
        """As they are met while a budget falls; then what has nothing to do with it."""
        eyes = phrase("the proposer's own does not count") if rule.four_eyes else phrase("the proposer's own counts")
        usual = self._people(rule.approvals)
        yield phrase("always"), phrase("{people} of {roles}; {eyes}", people=usual, roles=_roles(rule.roles), eyes=eyes)
        falling = sorted((more for more in rule.more if _heeding(more)), key=_bound, reverse=True)
        yield from (self._more(rule, more) for more in falling)
        if rule.floor is not None:
            bound = phrase("{bound} of the budget left, or less", bound=Quantity(rule.floor, "%", _digits(rule.floor)))
            yield bound, phrase(
                "held, until {roles} overrides it with a reason, which the audit trail keeps",
                roles=_roles(rule.overriders),
            )  # fmt: skip
        yield from (self._more(rule, more) for more in rule.more if not _heeding(more))

    def _more(self, rule: Rule, more: More) -> tuple[Phrase, Phrase]:
        people = self._people(max(more.approvals, rule.approvals))
        return self._condition(more.when), phrase("{people}: {why}", people=people, why=more.why)

    def _people(self, count: int) -> Phrase:
        return counted("{n} approval", "{n} approvals", count) if count else phrase("at once")

    def _condition(self, when: Condition) -> Phrase:
        parts: list[Phrase] = []
        if when.budget_below is not None:
            bound = Quantity(when.budget_below, "%", _digits(when.budget_below))
            parts.append(phrase("less than {bound} of the budget left", bound=bound))
        if when.migrations:
            parts.append(phrase("the release changes data, or nobody knows whether it does"))
        if when.weekdays:
            parts.append(phrase("on {days}", days=in_line([DAYS[day] for day in sorted(when.weekdays)])))
        if when.begins or when.ends:
            parts.append(phrase(
                "from {begins} to {ends} ({zone})",
                begins=f"{when.begins:%H:%M}" if when.begins else "00:00",
                ends=f"{when.ends:%H:%M}" if when.ends else "24:00", zone=self._department.policy.zone,
            ))  # fmt: skip
        if when.environments:
            parts.append(phrase("to {environments}", environments=", ".join(sorted(when.environments))))
        return in_line(parts)

    # --- verification ---

    def _verification(self) -> Iterator[str]:
        promised = {slo.service for slo in self._department.slos}
        rows = [
            (service.name, environment.name, *_judged(environment.verification))
            for service in self._department.services
            for environment in service.production
            if service.name in promised
        ]
        if rows:
            heads = (phrase("Service"), phrase("Environment"), phrase("Watched for"), phrase("Bad from burn"))
            yield from self._table((*heads, phrase("Then")), rows)
        yield from self._said("", phrase(
            "Bad is what burns so many times faster than it may, and faster than before. A page within the time in "
            "which a version is watched, at least half an hour, names it and offers its rollback, whoever brought it."
        ))  # fmt: skip

    # --- Markdown ---

    def _said(self, mark: str, text: Phrase) -> Iterator[str]:
        yield f"{mark}{self._say(text)}"
        yield ""

    def _table(self, heads: Sequence[Phrase], rows: Sequence[Sequence[Phrase | str]]) -> Iterator[str]:
        yield self._row(heads)
        yield "|" + "---|" * len(heads)
        yield from map(self._row, rows)
        yield ""

    def _row(self, cells: Sequence[Phrase | str]) -> str:
        told = (cell if isinstance(cell, str) else self._say(cell) for cell in cells)
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") or NOTHING for cell in told) + " |"


def _strict(slo: Slo) -> bool:
    """Whether it allows no exception."""
    return slo.kind == FRESHNESS or slo.objective >= 1


def _breach(slo: Slo) -> Phrase:
    """What breaks a promise that allows no exception."""
    if slo.kind != FRESHNESS:
        return phrase("any failure")
    late = phrase("anything that waits too long")
    return phrase("{late}, or was done too late", late=late) if slo.missed else late


def _heeds(rule: Rule) -> bool:
    return rule.floor is not None or any(map(_heeding, rule.more))


def _heeding(more: More) -> bool:
    return more.when.budget_below is not None


def _bound(more: More) -> float:
    return more.when.budget_below or 0.0


def _judged(verification: Verification) -> tuple[Phrase, Phrase, Phrase]:
    """How long a version is watched, what is bad, and what is done then."""
    bake, burn = verification.bake, Quantity(verification.burn, "x", _digits(verification.burn))
    return (
        phrase("{length}", length=bake) if bake else phrase("judged once"),
        phrase("{burn}", burn=burn),
        phrase("rolled back at once") if verification.on_bad == "rollback" else phrase("a rollback is proposed"),
    )


def _roles(names: frozenset[str]) -> Phrase:
    return _either([phrase("{role}", role=name) for name in sorted(names)])


def _either(parts: Sequence[Phrase]) -> Phrase:
    *most, last = parts
    return phrase("{these} or {that}", these=in_line(most), that=last) if most else last


def _digits(value: float) -> int:
    """As many as say it, at most four."""
    written = f"{round(value, 4):g}"
    return len(written.partition(".")[2])
