"""Routes: which destinations a group goes to. First match wins unless it goes on; the last has no match (ruling 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.domain.alerts import Alert, Group, severity
from bot.domain.people import Directory


@dataclass(frozen=True)
class Matcher:
    """One label condition: ``critical`` equals, ``~api.*`` is an anchored regular expression, ``!`` negates either."""

    label: str
    pattern: str

    def accepts(self, labels: Mapping[str, str]) -> bool:
        negated = self.pattern.startswith("!")
        pattern = self.pattern[1:] if negated else self.pattern
        value = labels.get(self.label, "")
        same = re.fullmatch(pattern[1:], value) is not None if pattern.startswith("~") else value == pattern
        return same is not negated


@dataclass(frozen=True)
class Route:
    """``locale``/``zone`` override the chat's own for every destination of this route."""

    to: tuple[str, ...]
    match: tuple[Matcher, ...] = ()
    page: bool = False
    goes_on: bool = False
    locale: str = ""
    zone: str = ""


@dataclass(frozen=True)
class Target:
    """One destination of a group, and whether it is a page there."""

    destination: str
    page: bool
    locale: str = ""
    zone: str = ""


def expanded(routes: Iterable[Route], people: Directory) -> tuple[Route, ...]:
    """*routes* with every ``person:name`` replaced by that person's private chats."""
    return tuple(
        replace(route, to=tuple(dict.fromkeys(chat for each in route.to for chat in private_chats(each, people))))
        for route in routes
    )


def private_chats(destination: str, people: Directory) -> tuple[str, ...]:
    """Where ``person:name`` reads; any other destination is itself."""
    platform, _, name = destination.partition(":")
    person = people.named(name) if platform == "person" else None
    if person is None:
        return (destination,) if platform != "person" else ()
    chats = (("slack", person.slack), ("telegram", person.telegram))
    return tuple(f"{chat}:{account}" for chat, account in chats if account)


def targets(group: Group, routes: Iterable[Route]) -> tuple[Target, ...]:
    """Where *group* goes: a route matches if any firing alert does (ruling 24); each destination once, a page wins."""
    found: dict[str, Target] = {}
    for route in routes:
        if not _matches(group, route):
            continue
        for destination in route.to:
            before = found.get(destination)
            if before is None or (route.page and not before.page):
                found[destination] = Target(destination, route.page, route.locale, route.zone)
        if not route.goes_on:
            break
    return tuple(found.values())


def _matches(group: Group, route: Route) -> bool:
    alerts = group.firing or tuple(group.alerts.values())
    return any(all(_accepts(matcher, alert) for matcher in route.match) for alert in alerts)


def _accepts(matcher: Matcher, alert: Alert) -> bool:
    """A severity is matched by the label as it came and by the level it counts as: ``page`` is also ``critical``."""
    as_told = matcher.accepts(alert.labels)
    if matcher.label != "severity":
        return as_told
    as_level = matcher.accepts({"severity": severity(alert)})
    return (as_told and as_level) if matcher.pattern.startswith("!") else (as_told or as_level)
