"""What pult's own alerts say, in every language: they have no annotations of their own."""

from __future__ import annotations

from bot.domain.alerts import OWN, Group
from bot.domain.phrases import Code, Phrase, phrase

TOOLS = {"argocd": "Argo CD", "flux": "Flux"}
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
        case "GitopsSyncFailed":
            return phrase(
                "{tool} could not apply {application}, so what git says is not in place: {why}",
                tool=_tool(group),
                application=_application(group),
                why=_said(group),
            )
        case "GitopsDegraded":
            return phrase(
                "{tool} finds {application} applied, and not well: {why}",
                tool=_tool(group),
                application=_application(group),
                why=_said(group),
            )
        case _:
            return None


def _tool(group: Group) -> str:
    return TOOLS.get(group.common("tool"), group.common("tool"))


def _application(group: Group) -> Phrase:
    name, environment = Code(group.common("application")), group.common("environment")
    if not environment:
        return phrase("{name}", name=name)
    return phrase("{name} ({environment})", name=name, environment=environment)


def _said(group: Group) -> str:
    """The tool's own words."""
    return next((said for alert in group.alerts.values() if (said := alert.annotations.get("said"))), "–")
