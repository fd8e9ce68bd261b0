"""``silence`` and ``unsilence``: real Alertmanager silences with the person's name and comment."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.alerts import Group, Silenced
from bot.domain.audit import Deed
from bot.domain.cards import subject
from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.ids import ALERT, full
from bot.domain.phrases import Code, phrase
from bot.domain.silences import Silence, equals
from bot.ports.commands import Call, Command, Reply
from bot.ports.silencer import Silencer
from bot.ports.store import Store, Tx
from handlers.commands.replies import argument, done

USAGE = "silence <alert> 1h [comment]"


def silence(store: Store, silencer: Silencer | None) -> Command:
    """On the labels all alerts of the group share; the group's own labels at least."""

    async def run(call: Call) -> Reply:
        alertmanager = _configured(silencer)
        ident = full(ALERT, argument(call, 0, USAGE))
        try:
            length = parse_duration(argument(call, 1, USAGE))
        except ValueError as error:
            raise UserError("Write it like this: {usage}", usage=Code(USAGE)) from error
        group = await store.read(lambda tx: _known(tx, ident))
        until = call.now + length
        comment = " ".join(call.args[2:]) or f"from pult, alert {group.id}"
        matchers = equals(_matchers(group))
        created = await alertmanager.silence(matchers, until, call.who.name, comment)
        made = Silence(created, matchers, call.who.name, comment, call.now, until)
        await store.write(lambda tx: _marked(tx, call, ident, made))
        return done(phrase("{id} is silenced until {at}", id=Code(group.id), at=until))

    return Command(
        ("silence", "тишина"),
        USAGE,
        phrase("silence an alert for a while"),
        run,
        "silence",
        examples=("silence a-7k2f 1h deploying",),
    )


def unsilence(store: Store, silencer: Silencer | None) -> Command:
    """Ends the silence that pult made for this group."""

    async def run(call: Call) -> Reply:
        ident = full(ALERT, argument(call, 0, "unsilence <alert>"))
        group = await store.read(lambda tx: _known(tx, ident))
        if group.silenced is None:
            raise UserError("{id} is not silenced.", id=Code(group.id))
        await _configured(silencer).end(group.silenced.silence.id)
        await store.write(lambda tx: _marked(tx, call, ident, None))
        return done(phrase("{id} is no longer silenced", id=Code(group.id)))

    return Command(("unsilence", "снятьтишину"), "unsilence <alert>", phrase("end a silence"), run, "unsilence")


def _configured(silencer: Silencer | None) -> Silencer:
    if silencer is None:
        raise UserError("No Alertmanager is configured. Add the section {section}.", section=Code("[alertmanager]"))
    return silencer


def _matchers(group: Group) -> dict[str, str]:
    alerts = group.firing or tuple(group.alerts.values())
    shared = {name: value for name in alerts[0].labels if (value := group.common(name))}
    return {**shared, **group.labels} or dict(alerts[0].labels)


def _known(tx: Tx, ident: str) -> Group:
    group = tx.group(ident)
    if group is None:
        raise UserError(
            "There is no alert {id}. {list} shows what is firing.", id=Code(ident[:40]), list=Code("alerts")
        )
    return group


def _marked(tx: Tx, call: Call, ident: str, made: Silence | None) -> None:
    silenced = Silenced(made, call.now) if made else None
    tx.save_group(replace(_known(tx, ident), silenced=silenced))
    tx.bump(subject("alert", ident), call.now)
    action = "silence" if made else "unsilence"
    tx.append(Deed(call.now, call.who.name, call.request.platform, action, ident, made.id if made else "ended"))
