"""Storms: above so many new groups a minute, a chat gets one card for all that are not critical (ruling 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts import Group
from bot.domain.cards import LIVE, Place, Priority, Wish, replies, subject
from bot.domain.ids import STORM, short
from bot.domain.storms import CALM, WITHIN, Storm
from bot.ports.store import Tx
from handlers.alerting.rules import Rules

KIND, LIST = "storm", "storm-list"
TICK = timedelta(seconds=1)
"""How exact a storm's times are: a hundred groups a second move its clocks once."""
LIST_PAUSE, LIST_LATEST = timedelta(seconds=10), timedelta(minutes=1)
"""The list of all names follows when nothing new came for the first, and after the second at the latest."""


def gathering(tx: Tx, rules: Rules, place: Place, now: datetime) -> Storm | None:
    """The storm that takes a new group in *place*: one that rages, one that begins with this group, or none."""
    if rules.storm == 0 or place.platform in LIVE:
        return None
    raging = tx.open_storm(place.lane)
    if raging or tx.new_alerts(place.lane, now - WITHIN, rules.storm) < rules.storm:
        return raging
    storm = Storm(short(STORM, f"{place.lane} {now.isoformat()}", 5), place.lane, now, now)
    tx.show(Wish(subject(KIND, storm.id), place), now)
    _last(tx, storm, now)
    return storm


def gather(tx: Tx, storm: Storm, group: Group, now: datetime) -> Group:
    """Make *group* part of *storm*, which lasts the longer for it."""
    tx.gather(storm.id, group)
    tx.bump(subject(KIND, storm.id), now)
    if now - storm.gathered_at >= TICK:
        _last(tx, storm, now)
    return replace(group, storms=tuple(dict.fromkeys((*group.storms, storm.id))))


def _last(tx: Tx, storm: Storm, now: datetime) -> None:
    """It has grown just now: its calm is as far away as can be, and its list waits for more, but not for ever."""
    tx.save_storm(replace(storm, gathered_at=now))
    tx.set_timer(KIND, storm.id, now + CALM)
    soon, latest = now + LIST_PAUSE, storm.opened_at + LIST_LATEST
    if soon < latest:
        tx.set_timer(LIST, storm.id, soon)


def calm(tx: Tx, rules: Rules, ident: str, now: datetime) -> None:
    """The storm is over: its card says what happened, and the whole list follows."""
    storm = tx.storm(ident)
    if storm is None or storm.closed_at:
        return
    tx.save_storm(replace(storm, closed_at=now))
    tx.bump(subject(KIND, ident), now)
    listed(tx, rules, ident, now)


def listed(tx: Tx, rules: Rules, ident: str, now: datetime) -> None:  # noqa: ARG001 - a timer's signature
    """Every group by its name, as a reply under the storm's card: the card itself shows no more than fits."""
    if tx.storm(ident):
        whole = subject(LIST, f"{ident}/{len(tx.gathered(ident))}")
        for wish in replies(tx.cards_of(subject(KIND, ident)), whole, Priority.NORMAL, ()):
            tx.show(wish, now)
    tx.drop_timer(LIST, ident)
