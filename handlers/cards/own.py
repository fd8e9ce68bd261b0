"""What pult's own alerts say, in every language: they have no annotations of their own."""

from __future__ import annotations

from bot.domain.alerts import OWN, Group
from bot.domain.phrases import Phrase, phrase

TELLING = ("prometheus", "region", "cluster", "environment")


def called(group: Group) -> bool:
    """Whether it is no alert of a machine: one person wakes another."""
    return group.source == OWN and bool(group.common("to"))


def said(group: Group) -> Phrase | None:
    """One sentence on what happened and what to do; None for everybody else's alerts."""
    if group.source != OWN:
        return None
    match group.name:
        case "MonitoringBlind":
            where = ", ".join(value for name in TELLING if (value := group.common(name))) or phrase("this Prometheus")
            return phrase(
                "Monitoring is blind: the Watchdog of {where} is not heard any more, so silence means nothing. "
                "See whether Prometheus and Alertmanager run, and whether they reach pult.",
                where=where,
            )
        case "PultDeaf":
            return phrase(
                "An alert that pult sends to itself does not arrive: {why}. Real ones may be late; see pult's log.",
                why=group.common("why") or "–",
            )
        case _:
            return None
