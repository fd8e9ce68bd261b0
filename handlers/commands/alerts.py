"""``alerts [filter]``, ``alert <id>`` and ``ack <id>``: what fires now, one group in full, who holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.alerts import SEVERITIES, Ack, Alert, Group, Status
from bot.domain.audit import Deed
from bot.domain.cards import subject
from bot.domain.errors import UserError
from bot.domain.ids import ALERT, full
from bot.domain.messages import Button, Collapsed, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Strong, counted, phrase, verbatim
from bot.domain.redact import MASK, secret_name
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store, Tx
from handlers.cards import alert as card
from handlers.commands.replies import argument, done, said

SHOWN = 20
BUTTONS = 3


def listing(store: Store) -> Command:
    """Open groups, the worst first; a filter matches any part of id, name, severity or label."""

    async def run(call: Call) -> Reply:
        groups = await store.read(lambda tx: tx.open_groups())
        found = sorted((group for group in groups if _matches(group, call.args)), key=_urgency)
        if not found:
            return said(phrase("Nothing is firing"), tone=Tone.OK)
        more = len(found) - SHOWN
        rest = (Paragraph(counted("{n} more is not shown.", "{n} more are not shown.", more)),) if more > 0 else ()
        header = (phrase("Id"), phrase("Severity"), phrase("What"), phrase("Since"), phrase("Held by"))
        return said(
            counted("{n} alert group is firing", "{n} alert groups are firing", len(found)),
            Table(header, tuple(_row(group) for group in found[:SHOWN])),
            *rest,
            tone=card.TONES[found[0].severity],
            buttons=tuple(Button(phrase("{id}", id=group.id), f"alert {group.id}") for group in found[:BUTTONS]),
        )

    return Command(
        ("alerts", "алерты"),
        "alerts [filter]",
        phrase("what is firing now"),
        run,
        examples=("alerts", "alerts critical"),
    )


def one(store: Store) -> Command:
    """One group: its card, and every alert with its labels."""

    async def run(call: Call) -> Reply:
        group = await store.read(lambda tx: _known(tx, argument(call, 0, "alert <id>")))
        message = card.draw(group)
        every = tuple(_labels(alert) for alert in group.alerts.values())
        labels = Collapsed(counted("{n} alert with its labels", "{n} alerts with their labels", len(every)), every)
        return Reply(replace(message, blocks=(*message.blocks, labels)))

    return Command(("alert", "алерт"), "alert <id>", phrase("one alert with its labels"), run)


def ack(store: Store, lasts: timedelta) -> Command:
    """Take a group on oneself; the hold lapses after *lasts* while it still fires (ruling 33)."""

    async def run(call: Call) -> Reply:
        def hold(tx: Tx) -> Group:
            group = _known(tx, argument(call, 0, "ack <id>"))
            if group.status is Status.RESOLVED:
                raise UserError("{id} is resolved already.", id=Code(group.id))
            if group.ack and group.ack.person != call.who.name:
                raise UserError("{person} already holds {id}.", person=group.ack.person, id=Code(group.id))
            if group.ack is None:
                group = replace(group, ack=Ack(call.who.name, call.now, call.now + lasts))
                tx.save_group(group)
                tx.bump(subject("alert", group.id), call.now)
                tx.append(Deed(call.now, call.who.name, call.request.platform, "ack", group.id, "held"))
            return group

        group = await store.write(hold)
        return done(phrase("You hold {id}: {name}", id=Code(group.id), name=group.name))

    return Command(("ack", "беру"), "ack <id>", phrase("take an alert on yourself"), run, "ack")


def _known(tx: Tx, typed: str) -> Group:
    ident = full(ALERT, typed)
    group = tx.group(ident)
    if group is None:
        raise UserError(
            "There is no alert {id}. {list} shows what is firing.", id=Code(ident[:40]), list=Code("alerts")
        )
    return group


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
        verbatim(f"{group.name} · {group.service}" if group.service else group.name),
        phrase("{at}", at=group.since),
        verbatim(group.ack.person if group.ack else "–"),
    )


def _labels(alert: Alert) -> Phrase:
    shown = ", ".join(f"{k}={MASK if secret_name(k) else v}" for k, v in sorted(alert.labels.items()))
    state = phrase("firing since {at}", at=alert.starts_at) if alert.firing else phrase("resolved")
    return phrase("{labels}: {state}", labels=shown, state=state)
