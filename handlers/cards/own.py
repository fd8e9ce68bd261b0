"""What pult's own alerts say, in every language: they have no annotations of their own."""

from __future__ import annotations

from bot.domain.alerts import OWN, Group
from bot.domain.messages import Button, pressable
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import TOOLS
from handlers.cards import ailing, region

PAGE = "Page"
"""Name of the alert that a person raises by paging another."""
TELLING = ("prometheus", "region", "cluster", "environment")
"""Labels that say which Prometheus has gone silent."""


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
        case "Drift":
            return _drift(group)
        case "RegionLost":
            return region.said(group)
        case _:
            return ailing.said(group)


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


def buttons(group: Group) -> tuple[Button, ...]:
    """What to press besides: of drift, what puts it right and what shows it; of a workload, its pods."""
    service, environment = group.service, group.common("environment")
    if group.source != OWN:
        return ()
    if group.name == "RegionLost":
        return region.buttons(group)
    if group.name != "Drift":
        return ailing.buttons(group)
    sync = Button(phrase("Sync"), f"sync {service} {environment}")
    diff = Button(phrase("Diff"), f"diff {service}")
    owned = group.common("tool") in TOOLS
    return tuple(each for each in ((sync, diff) if owned else (diff,)) if pressable(each.command))


def facts(group: Group) -> tuple[tuple[Phrase, Phrase], ...]:
    """What the card shows besides."""
    return region.facts(group) if group.source == OWN and group.name == "RegionLost" else ()


def _drift(group: Group) -> Phrase:
    runs, wanted, environment = (group.common(name) or "–" for name in ("runs", "wanted", "environment"))
    tool = TOOLS.get(group.common("tool"), "GitOps")
    match group.common("against"):
        case "git":
            said = phrase("{environment} runs {runs}, and git says {wanted}.",
                          environment=environment, runs=Code(runs), wanted=Code(wanted))  # fmt: skip
        case "tool":
            said = phrase("{tool} says that {environment} is not what it applied: {wanted}",
                          tool=tool, environment=environment, wanted=wanted)  # fmt: skip
        case _:
            said = phrase("{environment} runs {runs}, and the last version that was put there is {wanted}.",
                          environment=environment, runs=Code(runs), wanted=Code(wanted))  # fmt: skip
    if by := group.common("by"):
        return phrase("{said} Changed by {client}.", said=said, client=Code(by))
    return phrase("{said} Who changed it is not known.", said=said)
