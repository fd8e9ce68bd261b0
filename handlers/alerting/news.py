"""News: a reply under a group's card, where an edit alone would be missed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import Group
from bot.domain.cards import Place, Priority, Wish, subject
from bot.ports.store import Tx

LIVE = ("console", "canary", "webhook")
"""Platforms whose cards change before everybody's eyes, or that hear of each change: nothing can be missed there."""


def tell(tx: Tx, group: Group, now: datetime, *, loud: bool, but: Collection[str] = ()) -> None:
    """Say what last happened to *group* wherever its card stands, except in the destinations *but*."""
    above = subject("alert", group.id)
    note = subject("news", f"{group.id}/{group.happened - 1}")
    for card in tx.cards_of(above):
        place = card.place
        if place.platform not in LIVE and place.lane not in but:
            here = Place(place.destination, locale=place.locale, zone=place.zone)
            tx.show(Wish(note, here, Priority.PAGE if loud else Priority.ANSWER, above), now)


def refresh(tx: Tx, group: Group, now: datetime) -> Group:
    """Save *group* and let every card that shows it follow."""
    tx.save_group(group)
    tx.bump(subject("alert", group.id), now)
    for storm in group.storms:
        tx.gather(storm, group)
        tx.bump(subject("storm", storm), now)
    return group


def happened(group: Group, now: datetime, kind: str, who: str = "", **changes: object) -> Group:
    """*group* with *changes*, and a line of history that says so."""
    return replace(group, **changes).logged(now, kind, who)  # type: ignore[arg-type]
