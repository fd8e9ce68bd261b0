"""``alerts [filter]``, ``alert <id>`` and ``ack <id>``: what fires now or did, one group in full, who holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts import SEVERITIES, Ack, Alert, Group, Status
from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.ids import STORM, full
from bot.domain.messages import Button, Collapsed, Message, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Strong, counted, phrase
from bot.domain.redact import MASK, secret_name
from bot.domain.services import Catalogue
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store, Tx
from handlers.alerting import holding
from handlers.alerting.news import refresh
from handlers.alerting.rules import Rules
from handlers.cards import alert as card
from handlers.cards.history import lines
from handlers.cards.surroundings import Surroundings
from handlers.commands.replies import alert_named, argument, said

SHOWN = 20
BUTTONS = 3
TAKE = {"take", "беру"}
"""Words that take a group over from whoever holds it."""
FOUND = 200
"""Groups of the past that are listed at most; the first SHOWN of them in the answer, all in the file."""
Report = Callable[[Tx, datetime, datetime], Message]


def listing(store: Store, reports: Callable[[str], Report | None]) -> Command:
    """Open groups, the worst first; with a duration those of the past too; with a report's name, that report."""

    async def run(call: Call) -> Reply:
        length, words = _asked(call.args)
        if words and (report := reports(words[0])):
            since = call.now - (length or timedelta(days=7))
            return Reply(await store.read(lambda tx: report(tx, since, call.now)))
        return await store.read(lambda tx: _listed(tx, call, length, words))

    return Command(
        ("alerts", "алерты"),
        "alerts [filter] [7d]",
        phrase("what is firing now; with a duration what fired then; noisy and stats report on a week"),
        run,
        examples=("alerts", "alerts critical", "alerts api 24h", "alerts noisy", "alerts stats 30d"),
    )


def _asked(args: Iterable[str]) -> tuple[timedelta | None, tuple[str, ...]]:
    """A duration among the words, and the other words."""
    length, words = None, []
    for word in args:
        try:
            length = parse_duration(word)
        except ValueError:
            words.append(word)
    return length, tuple(words)


def _listed(tx: Tx, call: Call, length: timedelta | None, words: tuple[str, ...]) -> Reply:
    if words and (storm := tx.storm(full(STORM, words[0]))):
        return _answer([group for row in tx.gathered(storm.id) if (group := tx.group(row.group))], past=True)
    if length:
        return _answer(list(tx.past_groups(words, call.now - length, FOUND)), past=True)
    groups = tx.open_groups()
    found = sorted((group for group in groups if _matches(group, words)), key=_urgency)
    return _answer(found, past=False) if found or not groups else _none_of(words, len(groups))


def _none_of(words: tuple[str, ...], firing: int) -> Reply:
    """A slip of the finger must not read as peace."""
    title = phrase("Nothing that fires matches {words}", words=Code(" ".join(words)[:80]))
    text = counted(
        "{n} other alert group fires; {alerts} shows it.",
        "{n} other alert groups fire; {alerts} shows them.",
        firing,
        alerts=Code("alerts"),
    )
    return said(title, Paragraph(text))


def _answer(found: list[Group], *, past: bool) -> Reply:
    if not found:
        return said(phrase("No alert was found") if past else phrase("Nothing is firing"), tone=Tone.OK)
    more = len(found) - SHOWN
    rest = (Paragraph(counted("{n} more is not shown.", "{n} more are not shown.", more)),) if more > 0 else ()
    header = (phrase("Id"), phrase("Severity"), phrase("What"), phrase("Since"), phrase("State"))
    firing = [group for group in found if group.firing]
    title = (
        counted("{n} alert group was found", "{n} alert groups were found", len(found))
        if past
        else counted("{n} alert group is firing", "{n} alert groups are firing", len(found))
    )
    return said(
        title,
        Table(header, tuple(_row(group) for group in found[:SHOWN])),
        *rest,
        tone=card.TONES[firing[0].severity] if firing else Tone.INFO,
        buttons=tuple(Button(phrase("{id}", id=group.id), f"alert {group.id}") for group in found[:BUTTONS]),
        whole="\n".join(map(_plain, found)) if more > 0 else "",
    )


def one(store: Store, surroundings: Surroundings, services: Catalogue) -> Command:
    """One group: its card with the trend and the changes, what happened to it, and every alert with its labels."""

    async def run(call: Call) -> Reply:
        seen = await store.read(lambda tx: card.seen(tx, services, alert_named(tx, argument(call, 0, "alert <id>")).id))
        assert seen is not None
        told = await surroundings.told(seen.group)
        message = surroundings.drawn(seen, card.draw(seen.group, seen.changes, seen.suspect), told)
        silent = tuple(map(Paragraph, told.silent))
        every = tuple(_labels(alert) for alert in seen.group.alerts.values())
        labels = Collapsed(counted("{n} alert with its labels", "{n} alerts with their labels", len(every)), every)
        past = (Collapsed(phrase("What happened"), tuple(lines(seen.group))),) if seen.group.history else ()
        buttons = tuple(each for each in message.buttons if each.command != f"alert {seen.group.id}")  # it is this
        return Reply(replace(message, blocks=(*message.blocks, *silent, *past, labels), buttons=buttons))

    return Command(("alert", "алерт"), "alert <id>", phrase("one alert with its trend, history and labels"), run)


def ack(store: Store, rules: Rules) -> Command:
    """Take a group on oneself; the hold lapses after a while if it still fires (ruling 33), and is renewed by this."""

    async def run(call: Call) -> Reply:
        group = await store.write(lambda tx: _taken(tx, rules, call))
        title = phrase("You hold {id}: {name}", id=Code(group.id), name=group.name)
        if group.status is Status.RESOLVED or not (group.ack and group.ack.until):
            return said(title, tone=Tone.OK)
        note = Paragraph(phrase("Until {at}. If it still fires then, others are woken.", at=group.ack.until))
        return said(title, note, tone=Tone.OK)

    usage, about = "ack <id> [take]", phrase("take an alert on yourself; with take from whoever holds it")
    return Command(("ack", "беру"), usage, about, run, "ack", examples=("ack a-7k2f", "ack a-7k2f take"))


def _taken(tx: Tx, rules: Rules, call: Call) -> Group:
    group = alert_named(tx, argument(call, 0, "ack <id>"))
    if group.status is Status.RESOLVED:
        raise UserError("{id} is resolved already.", id=Code(group.id))
    theirs = group.ack is not None and group.ack.person != call.who.name
    if group.ack and theirs and not set(call.args[1:2]) & TAKE:
        over = Code(f"ack {group.id} take")
        raise UserError(
            "{person} already holds {id}. {over} takes it over.", person=group.ack.person, id=Code(group.id), over=over
        )
    if group.ack and not theirs:
        until = call.now + rules.ladder.ack_lasts
        tx.set_timer(holding.ACK, group.id, until)
        return refresh(tx, replace(group, ack=Ack(group.ack.person, group.ack.at, until)), call.now)
    tx.append(call.deed("ack", group.id, "took over" if theirs else "held"))
    return holding.take(tx, rules, group, call.who.name, call.now)


def _urgency(group: Group) -> tuple[int, float]:
    return SEVERITIES.index(group.severity), group.since.timestamp()


def _matches(group: Group, words: tuple[str, ...]) -> bool:
    values = [value for alert in group.alerts.values() for value in alert.labels.values()]
    text = " ".join([group.id, group.name, group.severity, *values]).lower()
    return all(word.lower() in text for word in words)


def _row(group: Group) -> tuple[Phrase, ...]:
    return (
        phrase("{id}", id=Code(group.id)),
        phrase("{level}", level=Strong(card.SEVERITY_WORDS[group.severity])),
        card.named(group),
        phrase("{at}", at=group.since),
        _state(group),
    )


def _state(group: Group) -> Phrase:
    if group.status is Status.RESOLVED:
        return phrase("resolved")
    if group.silenced:
        return phrase("silenced until {at}", at=group.silenced.silence.ends_at)
    return phrase("held by {person}", person=group.ack.person) if group.ack else phrase("firing")


def _plain(group: Group) -> str:
    return "\t".join((group.id, group.severity, group.name, group.service, group.since.isoformat(), str(group.status)))


def _labels(alert: Alert) -> Phrase:
    shown = ", ".join(f"{k}={MASK if secret_name(k) else v}" for k, v in sorted(alert.labels.items()))
    state = phrase("firing since {at}", at=alert.starts_at) if alert.firing else phrase("resolved")
    return phrase("{labels}: {state}", labels=shown, state=state)
