"""News: a reply under a group's card, where an edit alone would be missed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import Group
from bot.domain.cards import Priority, replies, subject
from bot.ports.store import Tx


def tell(tx: Tx, group: Group, now: datetime, *, loud: bool, but: Collection[str] = ()) -> None:
    """Say what last happened to *group* wherever its card stands, except in the destinations *but*."""
    above = subject("alert", group.id)
    note = subject("news", f"{group.id}/{group.happened - 1}")
    cards = (card for card in tx.cards_of(above) if card.place.lane not in but)
    for wish in replies(cards, note, Priority.PAGE if loud else Priority.ANSWER):
        tx.show(wish, now)


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
