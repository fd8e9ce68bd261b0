"""``silence`` and ``unsilence``: real Alertmanager silences with the person's name and comment."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts import GRAFANA, OWN, Group
from bot.domain.commandline import split
from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.ids import ALERT, full
from bot.domain.messages import Button, Facts, Tone
from bot.domain.phrases import Code, Link, Phrase, counted, phrase, verbatim
from bot.domain.silences import Matching, Silence, conditions, equals, written
from bot.ports.commands import Call, Command, Reply
from bot.ports.silencer import Silencer
from bot.ports.store import Store, Tx
from handlers.alerting import holding
from handlers.alerting.rules import Rules
from handlers.commands.replies import alert_named, argument, done, no_alert, said

USAGE = "silence <alert> 1h [comment]"
HERE = f"{OWN} "
"""How the id of a silence begins that no Alertmanager holds."""
ALSO = "silence service=api severity=warning 1h [comment]"


def silence(store: Store, silencer: Silencer | None) -> Command:
    """On the labels that all firing alerts of a group share, or on conditions as Alertmanager writes them."""

    async def run(call: Call) -> Reply:
        matchers, length, comment = _read(call)
        group = None if matchers else await store.read(lambda tx: alert_named(tx, argument(call, 0, USAGE)))
        if group:
            _refuse_foreign(group)
            matchers, comment = equals(_labels(group)), comment or f"from pult, alert {group.id}"
        until = call.now + length
        if group and (silencer is None or group.source == OWN):
            ident = HERE + group.id  # no Alertmanager knows it; of pult's own, one may tell that Alertmanager is away
        else:
            ident = await _configured(silencer).silence(matchers, until, call.who.name, comment or "from pult")
        made = Silence(ident, matchers, call.who.name, comment, call.now, until)
        muted = await store.write(lambda tx: _muted(tx, call, made, group))
        return _answer(made, muted, group)

    return Command(
        ("silence", "тишина"),
        USAGE,
        phrase("silence an alert, or all that match, for a while"),
        run,
        "silence",
        examples=("silence a-7k2f 1h deploying", ALSO, "silence alertname=~Disk.* region=nyc2 2h"),
    )


def unsilence(store: Store, silencer: Silencer | None, rules: Rules) -> Command:
    """Ends the silence that a group is under, whoever made it; or one by its own id."""

    async def run(call: Call) -> Reply:
        typed = argument(call, 0, "unsilence <alert or silence>")
        group = await store.read(lambda tx: tx.group(full(ALERT, typed)))
        if group is None and len(typed) < 30:  # a silence's id is a UUID
            raise no_alert(typed)
        if group and group.silenced is None:
            raise UserError("{id} is not silenced.", id=Code(group.id))
        silence = group.silenced.silence if group and group.silenced else None
        ident = silence.id if silence else typed
        left = () if ident.startswith(HERE) else await _ended(_configured(silencer), silence, ident)
        other = await store.write(lambda tx: _heard(tx, rules, call, ident, left))
        if group and other:
            title = phrase("{id} stays silenced until {at}", id=Code(group.id), at=other.ends_at)
            return done(title, phrase("There is another silence, by {person}.", person=other.person or "–"))
        return done(phrase("{id} is no longer silenced", id=Code(group.id if group else ident)))

    return Command(("unsilence", "снятьтишину"), "unsilence <alert>", phrase("end a silence"), run, "unsilence")


def _read(call: Call) -> tuple[tuple[Matching, ...], timedelta, str]:
    """Conditions (none when an alert is named), how long, and the comment."""
    _, typed = [*call.request.text.split(maxsplit=1), ""][:2]
    found, rest = conditions(typed)
    duration, comment = split(rest) if found else (call.args[1] if len(call.args) > 1 else "", call.args[2:])
    try:
        length = parse_duration(duration)
    except ValueError:
        length = timedelta()
    if not length:
        raise UserError("Write it like this: {usage}, or {also}", usage=Code(USAGE), also=Code(ALSO))
    return found, length, " ".join(comment)


def _answer(made: Silence, muted: tuple[str, ...], group: Group | None) -> Reply:
    if group:
        title = phrase("{id} is silenced until {at}", id=Code(group.id), at=made.ends_at)
    else:
        title = phrase("Silenced until {at}", at=made.ends_at)
    facts: list[tuple[Phrase, Phrase]] = [(phrase("Where"), verbatim(written(made.matchers)))]
    if made.comment:
        facts.append((phrase("Why"), verbatim(made.comment)))
    facts.append((phrase("Mutes now"), counted("{n} alert group", "{n} alert groups", len(muted))))
    if made.id.startswith(HERE):
        facts.append((phrase("Holds"), phrase("in pult alone; no Alertmanager knows of it")))
    end = Button(phrase("End it"), f"unsilence {group.id if group else made.id}")
    return said(title, Facts(tuple(facts)), tone=Tone.OK, buttons=(end,))


def _muted(tx: Tx, call: Call, made: Silence, named: Group | None) -> tuple[str, ...]:
    """Mark every group that it mutes as a whole; the ids."""
    alone = named.id if named and made.id.startswith(HERE) else ""
    ours = (group for group in tx.open_groups() if group.source != GRAFANA and alone in {"", group.id})
    groups = {group.id: group for group in ours if all(made.mutes(one.labels) for one in group.firing)}
    for group in groups.values():
        holding.silence(tx, group, made, call.now)
    target = named.id if named else written(made.matchers)
    tx.append(call.deed("silence", target, made.id, made.comment))
    return tuple(groups)


async def _ended(silencer: Silencer, silence: Silence | None, ident: str) -> tuple[Silence, ...]:
    """End *silence*, with every other on the same conditions (the button was pressed twice); those that are left."""
    if silence is None:
        await silencer.end(ident)
        return tuple(each for each in await silencer.silences() if each.id != ident)
    known = await silencer.silences()
    twins = {each.id for each in known if set(each.matchers) == set(silence.matchers)}
    for each in sorted({silence.id, *twins}):
        await silencer.end(each)
    return tuple(each for each in known if each.id not in {silence.id, *twins})


def _heard(tx: Tx, rules: Rules, call: Call, ident: str, left: tuple[Silence, ...]) -> Silence | None:
    """Mark every group that was under the silence; the one of *left* that the last of them is under still."""
    target, other = ident, None
    for group in tx.open_groups():
        if group.silenced and group.silenced.silence.id == ident:
            target, other = group.id, _over(group, left, call.now)
            if other:
                holding.silence(tx, group, other, call.now)
            else:
                holding.unsilence(tx, rules, group, call.now, call.who.name)
    tx.append(call.deed("unsilence", target, "ended", ident))
    return other


def _over(group: Group, silences: tuple[Silence, ...], now: datetime) -> Silence | None:
    """The last to end of *silences* under which all that fires in *group* is."""
    active = (each for each in silences if each.starts_at <= now < each.ends_at)
    whole = [each for each in active if all(each.mutes(alert.labels) for alert in group.firing)]
    return max(whole, key=lambda each: each.ends_at, default=None)


def _refuse_foreign(group: Group) -> None:
    """Grafana would go on as before, and pult would keep quiet about it."""
    if group.source != GRAFANA:
        return
    url = group.firing[0].annotations.get("silence_url", "") if group.firing else ""
    there = Link(phrase("there"), url) if url else phrase("there")
    raise UserError("{id} comes from Grafana: silence it {there}, or take it with {ack}.",
                    id=Code(group.id), there=there, ack=Code(f"ack {group.id}"))  # fmt: skip


def _configured(silencer: Silencer | None) -> Silencer:
    if silencer is None:
        raise UserError("Silences need Alertmanager. Add the section {section}.", section=Code("[alertmanager]"))
    return silencer


def _labels(group: Group) -> dict[str, str]:
    alerts = group.firing or tuple(group.alerts.values())
    shared = {name: value for name in alerts[0].labels if (value := group.common(name))}
    if not (found := {**shared, **group.labels}):
        raise UserError("The alerts of {id} have no label in common. Name conditions: {also}",
                        id=Code(group.id), also=Code(ALSO))  # fmt: skip
    return found
