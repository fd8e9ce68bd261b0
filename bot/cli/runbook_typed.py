"""What the commands of the runbook are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.phrases import Phrase
from config.failover import MoveSettings


@dataclass(frozen=True)
class Typed:
    """``said``: what it is for; ``lines``: to type. Without lines it is a thing to do by other means."""

    said: Phrase
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """What the commands need besides the course. ``contexts``: kubectl's, ``slugs``: DigitalOcean's, by cluster."""

    move: MoveSettings
    contexts: Mapping[str, str]
    slugs: Mapping[str, str]
    prometheus: str = ""


def variable(region: str) -> str:
    """Where a shell holds the address of the database in *region*, password and all: the page itself holds none."""
    return f"$DSN_{region.upper().replace('-', '_')}"
