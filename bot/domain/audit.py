"""The audit chain: each entry's hash covers the one before, so altering, removing or reordering any is detected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

GENESIS = "0" * 64
PULT = "pult"
"""Who did, or proposed, what nobody asked for; no person."""


@dataclass(frozen=True)
class Deed:
    """Who did what, when, with what result. ``target`` is a service, an alert or an operation; ``detail`` free text."""

    at: datetime
    person: str
    platform: str
    action: str
    target: str
    result: str
    detail: str = ""


def own(at: datetime, action: str, target: str, result: str, detail: str = "") -> Deed:
    """What pult did that nobody asked for, or that it does on its own from there on."""
    return Deed(at, PULT, "", action, target, result, detail)


@dataclass(frozen=True)
class Entry:
    """A deed in the chain. ``number`` counts from 1 without gaps."""

    number: int
    deed: Deed
    previous: str
    hash: str


def seal(number: int, deed: Deed, previous: str) -> Entry:
    """*deed* as the next entry after the one whose hash is *previous* (GENESIS for the first)."""
    return Entry(number, deed, previous, _digest(number, deed, previous))


def _digest(number: int, deed: Deed, previous: str) -> str:
    fields = [number, previous, deed.at.isoformat(), deed.person, deed.platform]
    fields += [deed.action, deed.target, deed.result, deed.detail]
    return sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


class BrokenChainError(Exception):
    """The chain does not hold. ``number``: the first entry that does not fit."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"entry {number}: {why}")
        self.number = number


def verify(entries: Iterable[Entry], head: str = "") -> str:
    """The head hash of an unbroken chain; BrokenChainError otherwise, also when *head* is given and nowhere in it.

    A head noted down earlier proves that nothing was cut off the end (ruling 21).
    """
    previous, count, found = GENESIS, 0, head in ("", GENESIS)
    for entry in entries:
        count += 1
        if entry.number != count:
            raise BrokenChainError(count, f"missing, number {entry.number} stands in its place")
        if entry.previous != previous:
            raise BrokenChainError(count, "does not follow the entry before it")
        if entry.hash != _digest(entry.number, entry.deed, entry.previous):
            raise BrokenChainError(count, "was altered")
        previous = entry.hash
        found = found or previous == head
    if not found:
        raise BrokenChainError(count + 1, f"the chain ends before the head {head}")
    return previous
