"""Managed PostgreSQL: clusters, their read replicas, firewalls, and the way from replica to primary."""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.errors import Json

RULE_TYPES: Final = ("droplet", "k8s", "ip_addr", "tag", "app")
MOST_RULES: Final = 100
"""Trusted sources at most (digitalocean/openapi, databases_update_firewall_rules)."""
PROMOTION: Final = 3.0
"""Simulated seconds from an accepted promotion to a primary of its own."""
CREATION: Final = 5.0
"""Simulated seconds until a new replica is online."""


@dataclass(frozen=True)
class Rule:
    """A trusted source. *kind*: one of RULE_TYPES."""

    id: str
    kind: str
    value: str
    created: datetime
    description: str = ""


@dataclass
class Replica:
    """A server of its own in all but writing: it has an id, and a firewall that its primary's says nothing about."""

    id: str
    name: str
    region: str
    created: datetime
    ready: datetime
    """When it is online."""
    rules: list[Rule] = field(default_factory=list)
    promoted: datetime | None = None
    """When its promotion is finished; None: none was asked for."""

    def status(self, now: datetime) -> str:
        if self.promoted is not None:
            return "forking"
        return "online" if now >= self.ready else "creating"


@dataclass
class Database:
    """A primary with its replicas. No rules at all means open to the whole Internet."""

    id: str
    name: str
    region: str
    created: datetime
    rules: list[Rule] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)

    def replica(self, name: str) -> Replica:
        """404 when there is none of that name."""
        found = next((replica for replica in self.replicas if replica.name == name), None)
        if found is None:
            raise errors.not_found()
        return found


def rules_from(body: Json, dice: random.Random, now: datetime) -> list[Rule]:
    """The rules of a firewall PUT; 422 for a type or value that is not one."""
    given = body.get("rules")
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise errors.unprocessable("rules must be an array of objects")
    rules = []
    for entry in given:
        kind, value = entry.get("type"), entry.get("value")
        if kind not in RULE_TYPES or not isinstance(value, str) or not value:
            raise errors.unprocessable(f"invalid trusted source: {entry}")
        rules.append(Rule(entry.get("uuid") or new_id(dice), kind, value, now, str(entry.get("description") or "")))
    if len(rules) > MOST_RULES:
        raise errors.unprocessable(f"the firewall is limited to {MOST_RULES} rules")
    return rules


def new_id(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))
