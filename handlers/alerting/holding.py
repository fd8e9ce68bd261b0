"""Who holds a group: taken, given back by time, silenced, heard again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import OWN, Ack, Alert, Group, Silenced, Status
from bot.domain.silences import Silence
from bot.ports.store import Tx
from handlers.alerting import escalation
from handlers.alerting.news import happened, refresh, tell
from handlers.alerting.rules import Rules

ACK, SILENCE = "ack", "silence"
PAGED = "to"
"""The label that names whom a person has called."""


def take(tx: Tx, rules: Rules, group: Group, person: str, now: datetime) -> Group:
    """*person* holds the group for as long as an ack lasts (ruling 33); nobody else is woken meanwhile."""
    until = now + rules.ladder.ack_lasts
    first = group.acked_at or now
    group = happened(group, now, "acked", person, ack=Ack(person, now, until), acked_at=first)
    tx.drop_timer(escalation.KIND, group.id)
    tx.set_timer(ACK, group.id, until)
    if group.pages:
        tell(tx, group, now, loud=False)
    return refresh(tx, _answered(tx, group, now) if group.source == OWN and PAGED in group.labels else group, now)


def _answered(tx: Tx, group: Group, now: datetime) -> Group:
    """A person was called and has come: nothing else would ever resolve it."""
    tx.drop_timer(ACK, group.id)
    alerts = {key: replace(alert, ends_at=now) for key, alert in group.alerts.items()}
    return happened(group, now, "resolved", alerts=alerts, closed_at=now)


def lapse(tx: Tx, rules: Rules, ident: str, now: datetime) -> None:
    """The hold is over while the group still fires: it is nobody's again, and escalation goes on."""
    group = tx.group(ident)
    if group is None or group.ack is None or group.status is not Status.FIRING:
        return
    if group.ack.until and group.ack.until > now:
        tx.set_timer(ACK, ident, group.ack.until)
        return
    group = happened(group, now, "lapsed", group.ack.person, ack=None)
    tell(tx, group, now, loud=escalation.waits(group))
    refresh(tx, _goes_on(tx, rules, group, now), now)


def silence(tx: Tx, group: Group, made: Silence, now: datetime) -> Group:
    """Every firing alert of the group is under *made* now: nobody is woken until it ends."""
    if group.silenced and group.silenced.silence == made:
        return group
    group = happened(group, now, "silenced", made.person, silenced=Silenced(made, now))
    tx.drop_timer(escalation.KIND, group.id)
    tx.set_timer(SILENCE, group.id, made.ends_at)
    if group.pages:
        tell(tx, group, now, loud=False)
    return refresh(tx, group, now)


def unsilence(tx: Tx, rules: Rules, group: Group, now: datetime, who: str = "") -> Group:
    """The silence is over, ended by *who* or by its time. What still fires is told, and a page wakes people again."""
    return refresh(tx, _audible(tx, rules, happened(group, now, "unsilenced", who, silenced=None), now), now)


def outgrow(tx: Tx, rules: Rules, group: Group, now: datetime) -> Group:
    """Something has joined that the silence does not cover: the group is silenced no more, as far as people know."""
    return refresh(tx, _audible(tx, rules, happened(group, now, "outgrew", silenced=None), now), now)


def covers(group: Group, alert: Alert) -> bool:
    """Whether *alert*, which has joined the group, is under its silence as well; so where there is none."""
    return group.silenced is None or group.silenced.silence.mutes(alert.labels)


def _audible(tx: Tx, rules: Rules, group: Group, now: datetime) -> Group:
    tx.drop_timer(SILENCE, group.id)
    if group.status is not Status.FIRING:
        return group
    tell(tx, group, now, loud=escalation.waits(group))
    return _goes_on(tx, rules, group, now)


def silence_over(tx: Tx, rules: Rules, ident: str, now: datetime) -> None:
    """A silence's time has passed. Alertmanager is not asked: it may be away, and the end was known."""
    group = tx.group(ident)
    if group is None or group.silenced is None:
        return
    if group.silenced.silence.ends_at > now:
        tx.set_timer(SILENCE, ident, group.silenced.silence.ends_at)
    else:
        unsilence(tx, rules, group, now)


def _goes_on(tx: Tx, rules: Rules, group: Group, now: datetime) -> Group:
    if not escalation.waits(group):
        return group
    return escalation.climb(tx, rules, group, now) if group.told else escalation.begin(tx, rules, group, now)
