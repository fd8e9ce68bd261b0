"""Destinations: ``slack:C…``, ``telegram:-100…/17``, ``console:name``, ``person:name``, ``webhook:name``.

Rulings 1 and 32 of interface.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from config.problems import Problem, nearest, quoted, wrong
from config.settings import Settings

_WRITTEN: Mapping[str, tuple[re.Pattern[str], str]] = {
    "slack": (re.compile(r"[CDGU][A-Z0-9]+"), "slack:C… (a channel's id, from its details)"),
    "telegram": (re.compile(r"-?[1-9]\d*(/[1-9]\d*)?"), "telegram:-100… (a chat's id) or telegram:-100…/17 (a topic)"),
    "console": (re.compile(r"[\w.-]+"), "console:name"),
    "person": (re.compile(r".+"), "person:name"),
    "webhook": (re.compile(r".+"), "webhook:name"),
}
_ALLOWED = "slack:C…, telegram:-100…, telegram:-100…/17, console:name, person:name or webhook:name"


def check_destinations(settings: Settings) -> Iterator[Problem]:
    """Every destination the settings name: well written, its platform configured, its person listed and reachable."""
    for path, destination in _all(settings):
        yield from _check(settings, path, destination)


def _all(settings: Settings) -> Iterator[tuple[str, str]]:
    for number, route in enumerate(settings.routes, 1):
        yield from _numbered(f"routes[#{number}].to", route.to)
    yield from _numbered("chat.approvals", settings.chat.approvals)
    for number, level in enumerate(settings.oncall.levels, 1):
        yield from _numbered(f"oncall.levels[#{number}]", level)


def _numbered(path: str, destinations: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((f"{path}[#{number}]", destination) for number, destination in enumerate(destinations, 1))


def _check(settings: Settings, path: str, destination: str) -> Iterator[Problem]:
    platform, _, chat = destination.partition(":")
    if platform not in _WRITTEN:
        near = nearest(platform, _WRITTEN)
        yield wrong(path, quoted(destination), _ALLOWED, f"{near}:{chat}" if near and chat else "")
        return
    pattern, allowed = _WRITTEN[platform]
    if not pattern.fullmatch(chat):
        yield wrong(path, quoted(destination), allowed)
    elif platform == "person":
        yield from _person(settings, path, chat)
    elif platform == "webhook":
        yield from _pager(settings, path, chat)
    elif not _configured(settings)[platform]:
        yield wrong(
            path, quoted(destination), f"it together with section [{platform}], which is missing or switched off"
        )


def _configured(settings: Settings) -> Mapping[str, bool]:
    return {
        "slack": settings.slack is not None,
        "telegram": settings.telegram is not None,
        "console": settings.console.enabled,
    }


def _pager(settings: Settings, path: str, name: str) -> Iterator[Problem]:
    names = [pager.name for pager in settings.pagers]
    if path.startswith("chat.approvals"):
        yield wrong(path, quoted(f"webhook:{name}"), "a chat, since nobody can press a button at a paging provider")
    elif name not in names:
        allowed = f"the name of one of [[pagers]]: {', '.join(names)}" if names else "it together with [[pagers]]"
        yield wrong(path, quoted(f"webhook:{name}"), allowed, nearest(name, names))


def _person(settings: Settings, path: str, name: str) -> Iterator[Problem]:
    person = next((person for person in settings.people if person.name == name), None)
    if person is None:
        names = [person.name for person in settings.people]
        allowed = f"the name of one of [[people]]: {', '.join(names)}"
        yield wrong(path, quoted(f"person:{name}"), allowed, nearest(name, names))
        return
    configured = _configured(settings)
    accounts = {
        "slack": bool(person.slack),
        "telegram": person.telegram is not None,
        "console": person.token is not None or settings.console.open,
    }
    if not any(configured[platform] and has for platform, has in accounts.items()):
        yield wrong(path, quoted(f"person:{name}"), "a person with an account on a configured platform")
