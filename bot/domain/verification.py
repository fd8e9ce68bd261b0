"""Verification: whether a new version does where it runs what the old one did. Missing data is never good (promise 14).

Each judgement looks at one thing and says it in words. What must be known to be good (pods, probes, SLOs) keeps a
version from being verified while it is unknown. Error lines do not: many departments have nothing that counts them, so
that they are not known is only said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.phrases import Code, Phrase, Quantity, in_line, phrase

SHORTEST = timedelta(minutes=1)
"""Younger than that, a version has no numbers of its own: Prometheus scrapes four times a minute or less."""
WINDOW = timedelta(minutes=5)
"""The short arm of a fast burn alert (SRE Workbook): what is burned now."""
BEFORE = timedelta(hours=1)
"""Its long arm: how it was before."""
LEAST_ERRORS = 10
"""Error lines. Fewer say nothing, however many times as many as before they are."""
MOST_RESTARTS = 1
"""A new pod may lose one race at its start; what restarts again is a crash loop."""
TWICE = 2
"""A version is bad when two looks on end say so: one lost packet must not undo a release."""


class Word(StrEnum):
    """What one judgement comes to."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    EARLY = "early"
    """It is too early to say, and there is still time."""


@dataclass(frozen=True)
class Finding:
    """One judgement. ``needed``: without it nothing is verified."""

    word: Word
    said: Phrase
    needed: bool = True


@dataclass(frozen=True)
class Burn:
    """How many times as fast as it may an SLO's budget is spent ``now``, and was ``before``; None: not known."""

    slo: str
    now: float | None
    before: float | None


def pods(available: int, desired: int, *, done: bool, trouble: Phrase | None, restarted: Sequence[str]) -> Finding:
    """The workload as kubectl judges it, and its pods. ``restarted``: those that began anew since the rollout."""
    count = phrase("{available} of {desired} pods", available=available, desired=desired)
    if restarted:
        names = Code(", ".join(restarted)[:120])
        return Finding(Word.BAD, phrase("{count}, restarted: {names}", count=count, names=names))
    if trouble is not None:
        return Finding(Word.BAD, phrase("{count}: {why}", count=count, why=trouble))
    return Finding(Word.GOOD if done else Word.BAD, count)


def restarted(now: Mapping[str, int], first: Mapping[str, int], new: Iterable[str]) -> tuple[str, ...]:
    """Pods that were restarted since the first look, and *new* ones that were more than MOST_RESTARTS times."""
    young = set(new)
    return tuple(
        sorted(
            name
            for name, count in now.items()
            if count > first.get(name, count if name not in young else MOST_RESTARTS)
            or (name in young and count > MOST_RESTARTS)
        )
    )


def probes(failed: Sequence[tuple[str, Phrase]]) -> Finding:
    """Addresses that did not answer as they should, with the reason."""
    if not failed:
        return Finding(Word.GOOD, phrase("probes ok"))
    url, why = failed[0]
    return Finding(Word.BAD, phrase("{url}: {why}", url=Code(url), why=why))


def window(age: timedelta, bake: timedelta) -> timedelta | None:
    """Over how long a version of that *age* is judged: by its own numbers as soon as there are some.

    None: too early. A version that is not watched for that long is judged by the last minutes, its rollout included.
    """
    if age >= WINDOW or bake < SHORTEST:
        return WINDOW
    return age if age >= SHORTEST else None


def burns(found: Iterable[Burn], limit: float, span: timedelta = WINDOW) -> Finding:
    """The worst SLO over the last *span* counts. Bad: over *limit* and over what it was before, where that is known."""
    readings = tuple(found)
    over = [each for each in readings if each.now is not None and each.now > max(limit, each.before or 0.0)]
    if over:
        return Finding(Word.BAD, _burning(max(over, key=lambda each: each.now or 0.0)))
    unknown = [each.slo for each in readings if each.now is None]
    if unknown:
        return Finding(Word.UNKNOWN, phrase("burn of {slos} unknown", slos=", ".join(unknown)))
    worst = max((each.now or 0.0 for each in readings), default=0.0)
    minutes = span // SHORTEST * SHORTEST
    return Finding(Word.GOOD, phrase("burn {burn} over {window}", burn=_pace(worst), window=minutes))


def late(slo: str, age: float | None, limit: float, *, before: bool) -> Finding:
    """For freshness: the oldest waiting item's *age* in seconds. *before*: something was too late already then."""
    if age is None or not math.isfinite(age):
        return Finding(Word.UNKNOWN, phrase("age of {slos} unknown", slos=slo))
    said = phrase("{slo}: oldest waits {age}", slo=slo, age=timedelta(seconds=round(age)))
    return Finding(Word.BAD if age > limit and not before else Word.GOOD, said)


def errors(now: int | None, before: int | None, limit: float) -> Finding:
    """Error lines in two spans of one length. Bad: LEAST_ERRORS and *limit* times as many as before."""
    if now is None or before is None:
        return Finding(Word.UNKNOWN, phrase("error lines unknown"), needed=False)
    if now >= LEAST_ERRORS and now >= limit * before:
        return Finding(Word.BAD, phrase("{now} error lines, {before} before", now=now, before=before))
    return Finding(Word.GOOD, phrase("errors as before"))


CLOUDED = Finding(Word.EARLY, phrase("burn not judged, it still holds the minutes of the version before"), needed=False)
"""Of a rollback that nobody watches for a minute: what users saw just now speaks of what was taken back."""


def verdict(findings: Iterable[Finding]) -> Word:
    """Bad if anything is, else unknown if anything needed is."""
    words = {finding.word for finding in findings if finding.needed or finding.word is Word.BAD}
    return next((word for word in (Word.BAD, Word.UNKNOWN, Word.EARLY) if word in words), Word.GOOD)


def listed(findings: Iterable[Finding], only: Word | None = None) -> Phrase:
    """What they say, one after the other."""
    return in_line(each.said for each in findings if only in (None, each.word))


def _burning(burn: Burn) -> Phrase:
    pace = _pace(burn.now or 0.0)
    if burn.before is None:
        return phrase("{slo} burns {burn}, before unknown", slo=burn.slo, burn=pace)
    return phrase("{slo} burns {burn}, {before} before", slo=burn.slo, burn=pace, before=_pace(burn.before))


def _pace(burn: float) -> Quantity:
    return Quantity(min(burn, 1e6), "x", 1)
