"""The fence: a managed database's firewall in which every trusted source is replaced by an address that nobody has.

An empty list of rules means open to the whole Internet, so there is never one. What each address stands in for is
written beside it, so the fence itself remembers what to put back: no restart, and no lost store, makes that unknown,
and whoever opens the control panel can read it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Rule = dict[str, str]
MOST: Final = 100
"""Trusted sources at most (digitalocean/openapi, databases_update_firewall_rules)."""
NOBODY: Final = tuple(f"192.0.2.{number}" for number in range(101, 101 + MOST))
"""Addresses that nobody has (RFC 5737), one for each source that is kept out."""
_SAID = re.compile(r"fenced by pult: (?P<type>\w+) (?P<value>\S+)(?: \((?P<description>.*)\))?")


def rules_in(answer: Mapping[str, Any] | None) -> tuple[Rule, ...]:
    """What an answer lists. KeyError, TypeError: it is no list of rules."""
    found = (answer or {})["rules"]
    return tuple(_rule(each["type"], each["value"], each.get("description")) for each in found or ())


def fenced(rules: Sequence[Rule]) -> bool:
    """Whether no application gets in. No rules at all are the opposite of a fence."""
    return bool(rules) and all(rule["type"] == "ip_addr" and rule["value"] in NOBODY for rule in rules)


def fence(rules: Iterable[Rule]) -> list[Rule]:
    """The rules that keep all of *rules* out and remember them; where there were none, or a fence, one all the same."""
    kept = [rule for rule in rules if rule["value"] not in NOBODY][:MOST]
    made = [_rule("ip_addr", address, _said(rule)) for address, rule in zip(NOBODY, kept, strict=False)]
    return made or [_rule("ip_addr", NOBODY[0], "fenced by pult")]


def remembered(rules: Iterable[Rule]) -> list[Rule]:
    """What the fence *rules* keeps out; empty where it does not say."""
    found = (_SAID.fullmatch(rule.get("description", "")) for rule in rules)
    return [_rule(said["type"], said["value"], said["description"]) for said in found if said]


def open_rules(rules: Iterable[Rule]) -> list[Rule]:
    """*rules* without those of a fence."""
    return [rule for rule in rules if rule["value"] not in NOBODY]


def _said(rule: Rule) -> str:
    more = f" ({rule['description']})" if rule.get("description") else ""
    return f"fenced by pult: {rule['type']} {rule['value']}{more}"


def _rule(kind: str, value: str, description: str | None) -> Rule:
    return {"type": str(kind), "value": str(value)} | ({"description": str(description)} if description else {})
