"""The card of a storm: how many, of what, still firing; each by name as far as they fit, all in the list under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.messages import Aside, Block, Button, Facts, Lines, Message, Paragraph, Tone
from bot.domain.phrases import Code, Phrase, Strong, counted, phrase, verbatim
from bot.domain.storms import Gathered, Storm
from bot.ports.presenters import Presenter
from bot.ports.store import Tx
from handlers.cards.alert import by_severity

RULES_SHOWN = 12
SERVICES_SHOWN = 4


@dataclass(frozen=True)
class Gathering:
    """A storm with what it gathered."""

    storm: Storm
    groups: tuple[Gathered, ...]


def presenter() -> Presenter:
    """Storm cards."""
    return Presenter(_load, draw)


def listing() -> Presenter:
    """The list under a storm's card; the subject's id is the storm's and how many it had, so that each is a new one."""
    return Presenter(lambda tx, ident: _load(tx, ident.partition("/")[0]), draw_list)


def _load(tx: Tx, ident: str) -> Gathering | None:
    storm = tx.storm(ident)
    return Gathering(storm, tx.gathered(ident)) if storm else None


def draw(state: Gathering) -> Message:
    """The whole card."""
    storm, groups = state.storm, state.groups
    firing = [group for group in groups if group.firing]
    button = Button(phrase("Show them"), f"alerts {storm.id}")
    return Message(_title(state, len(firing)), _tone(state, firing), tuple(_blocks(state, firing)), (button,))


def draw_list(state: Gathering) -> Message:
    """Every group by name; the whole of it as a file where it does not fit."""
    lines = tuple(map(_line, state.groups))
    whole = "\n".join(_plain(group) for group in state.groups)
    title = counted("{n} alert of the storm", "All {n} alerts of the storm", len(state.groups))
    return Message(title, Tone.MUTED, (Lines(lines), Aside(phrase("{id}", id=Code(state.storm.id)))), whole=whole)


def _title(state: Gathering, firing: int) -> Phrase:
    count = len(state.groups)
    if state.storm.closed_at:
        return counted("The storm is over: it was {n} alert", "The storm is over: it was {n} alerts", count)
    return counted(
        "Alert storm: {n} alert, {firing} firing", "Alert storm: {n} alerts, {firing} firing", count, firing=firing
    )


def _tone(state: Gathering, firing: list[Gathered]) -> Tone:
    if firing:
        return Tone.WARNING
    return Tone.OK if state.storm.closed_at else Tone.MUTED


def _blocks(state: Gathering, firing: list[Gathered]) -> Iterable[Block]:
    storm, groups = state.storm, state.groups
    if storm.closed_at is None:
        yield Paragraph(phrase("Criticals still come one by one. The others are gathered here until it calms."))
    yield Facts(tuple(_facts(storm, groups, firing)))
    rules = _by_rule(firing or list(groups))
    yield Lines(tuple(rules[:RULES_SHOWN]), max(0, len(rules) - RULES_SHOWN))
    yield Aside(phrase("{id} · each by name in the list below", id=Code(storm.id)))


def _facts(storm: Storm, groups: tuple[Gathered, ...], firing: list[Gathered]) -> Iterable[tuple[Phrase, Phrase]]:
    yield phrase("Since"), phrase("{at}", at=storm.opened_at)
    if storm.closed_at:
        yield phrase("Lasted"), phrase("{length}", length=storm.gathered_at - storm.opened_at)
    done = len(groups) - len(firing)
    yield phrase("Firing"), phrase("{firing}, resolved {done}", firing=len(firing), done=done)
    counts = Counter(group.severity for group in firing)
    if counts:
        yield phrase("By severity"), by_severity(counts)
    if held := Counter(group.held_by for group in firing if group.held_by):
        yield phrase("Held by"), verbatim(", ".join(f"{person} ({n})" for person, n in held.most_common()))


def _by_rule(groups: list[Gathered]) -> list[Phrase]:
    """One line for each rule, the most frequent first: how often, and where."""
    where: dict[str, Counter[str]] = {}
    for group in groups:
        where.setdefault(group.name, Counter())[group.service] += 1
    ranked = sorted(where.items(), key=lambda item: (-item[1].total(), item[0]))
    return [_rule(name, services) for name, services in ranked]


def _rule(name: str, services: Counter[str]) -> Phrase:
    named = [service for service, _ in services.most_common(SERVICES_SHOWN) if service]
    more = len([service for service in services if service]) - len(named)
    if not named:
        return phrase("{n} × {name}", n=services.total(), name=Strong(name))
    listed = ", ".join(named)
    if more:
        return phrase(
            "{n} × {name}: {services} and {more} more",
            n=services.total(),
            name=Strong(name),
            services=listed,
            more=more,
        )
    return phrase("{n} × {name}: {services}", n=services.total(), name=Strong(name), services=listed)


def _line(group: Gathered) -> Phrase:
    name = f"{group.name} · {group.service}" if group.service else group.name
    return phrase("{id} {name}: {state}", id=Code(group.group), name=name, state=_state(group))


def _state(group: Gathered) -> Phrase:
    if not group.firing:
        return phrase("resolved")
    if group.held_by:
        return phrase("held by {person}", person=group.held_by)
    return phrase("firing since {at}", at=group.since)


def _plain(group: Gathered) -> str:
    state = "firing" if group.firing else "resolved"
    return f"{group.group}\t{state}\t{group.severity}\t{group.name}\t{group.service}\t{group.since.isoformat()}"
