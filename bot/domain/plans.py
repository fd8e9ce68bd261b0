"""Plans: what an operation will do, immutable, with a hash over its canonical JSON that approvals are bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bot.domain.codec import encode, stored
from bot.domain.phrases import Phrase
from bot.domain.targets import Target


@dataclass(frozen=True)
class PlannedStep:
    """``name`` is the journal's key, ``title`` what will be done, ``undo`` how it is undone, None if it can't be."""

    name: str
    title: Phrase
    undo: Phrase | None = None
    skippable: bool = False


@dataclass(frozen=True)
class Hold:
    """Why a plan must not go on as things are, unless somebody overrides it by its ``name``, on the record."""

    name: str
    why: Phrase


@dataclass(frozen=True)
class Plan:
    """What will be done, where, and on which facts.

    ``pins`` hold the world as it was planned on (digest, commit, version), checked before the first change;
    ``params`` are the flow's own inputs; together they are all that a flow may read. ``lock`` names what only one
    live operation may hold. ``targets``: the environments that are changed, one after the other. ``brake``: the step
    before which it can be stopped while it runs; empty: it can't.

    ``holds`` keep it from being approved until each is overridden. ``approvals``: at least so many people, where the
    facts ask for more than the policy's rule does, ``because`` of what. ``harmless``: every step only looks, so that
    there is nothing to undo.
    """

    action: str
    title: Phrase
    service: str
    environment: str
    steps: tuple[PlannedStep, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    blast: tuple[Phrase, ...] = ()
    evidence: tuple[tuple[Phrase, Phrase], ...] = ()
    lock: str = ""
    targets: tuple[Target, ...] = ()
    holds: tuple[Hold, ...] = ()
    approvals: int = 0
    because: tuple[Phrase, ...] = ()
    brake: str = ""
    harmless: bool = False

    @property
    def hash(self) -> str:
        """SHA-256 in hex over the canonical JSON: sorted keys, no blanks, UTF-8."""
        text = json.dumps(_canonical(encode(self)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()


def _canonical(data: Any) -> Any:  # noqa: ANN401 - JSON
    """*data* with the pairs of every mapping in order of their keys: the order of insertion means nothing."""
    if isinstance(data, list):
        return [_canonical(item) for item in data]
    if not isinstance(data, dict):
        return data
    plain = {key: _canonical(item) for key, item in data.items()}
    if plain["~"] == "map":
        plain["of"].sort(key=lambda pair: json.dumps(pair[0]))
    return plain


stored(PlannedStep, Hold, Plan)
