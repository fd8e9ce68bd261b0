"""Evidence: what a pipeline found out about a version, and how a scan differs from that of what runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.codec import stored
from bot.domain.phrases import Phrase, counted, in_line, phrase, verbatim

KEPT = 200
"""Findings of one scan that are kept by name; the others are only counted."""
LONGEST = 500
"""Characters of one text that are kept."""
SEVERITIES = ("critical", "high")
"""Those that decide; the rest is neither kept nor counted."""
_COUNT = {severity: re.compile(rf"(?i)(?<![\w.])(\d{{1,6}}) {severity}\b") for severity in SEVERITIES}


@dataclass(frozen=True, order=True)
class Finding:
    """One vulnerability in one package: Trivy tells the same one again for each place where the package lies."""

    severity: str
    id: str
    package: str
    fixed: bool = False


@dataclass(frozen=True)
class Scan:
    """How many findings of each of SEVERITIES, how many of them have a fix (None: not said), and which ones.

    ``unsupported``: the image's operating system gets no fixes any more, so that few findings mean little.
    """

    critical: int
    high: int
    fixable: int | None = None
    findings: tuple[Finding, ...] = ()
    unsupported: bool = False

    @property
    def listed(self) -> bool:
        """Whether every finding is known by name."""
        return len(self.findings) == self.critical + self.high


@dataclass(frozen=True)
class Result:
    """What one check came to: ``good`` as far as its pipeline said so in a way that leaves no doubt, and counts."""

    good: bool | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None


@dataclass(frozen=True)
class Delta:
    """What a version brings and takes away. ``listed``: whether ``new`` and ``gone`` are all there is."""

    critical: int
    high: int
    new: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    listed: bool = False


def scanned(findings: Iterable[Finding], *, unsupported: bool = False) -> Scan:
    """A scan of these *findings*, each counted once; the critical ones come first."""
    found = sorted({(each.severity, each.id, each.package): each for each in findings}.values())
    counts = {severity: sum(each.severity == severity for each in found) for severity in SEVERITIES}
    fixable = sum(each.fixed for each in found)
    return Scan(counts["critical"], counts["high"], fixable, tuple(found[:KEPT]), unsupported)


def read_counts(text: str) -> Scan | None:
    """The scan that a sentence such as ``0 critical, 2 high`` tells of; None where it does not name both numbers."""
    found = [pattern.findall(text) for pattern in _COUNT.values()]
    if any(len(each) != 1 for each in found):
        return None
    critical, high = (int(each[0]) for each in found)
    return Scan(critical, high)


def delta(new: Scan | None, running: Scan | None) -> Delta | None:
    """What *new* has that *running* has not, and the other way round. None: one of them is not known."""
    if new is None or running is None:
        return None
    critical, high = new.critical - running.critical, new.high - running.high
    if not (new.listed and running.listed):
        return Delta(critical, high)
    ours, theirs = ({(each.id, each.package): each for each in scan.findings} for scan in (new, running))
    fresh = tuple(each for name, each in ours.items() if name not in theirs)
    gone = tuple(each for name, each in theirs.items() if name not in ours)
    return Delta(critical, high, fresh, gone, listed=True)


def scan_words(scan: Scan) -> Phrase:
    """One line. Few findings in an image that gets no fixes any more are not called clean."""
    if not (scan.critical or scan.high):
        said = phrase("none critical, none high")
    elif scan.fixable is None:
        said = phrase("{critical} critical, {high} high", critical=scan.critical, high=scan.high)
    else:
        said = phrase(
            "{critical} critical, {high} high, {fixable} of them with a fix",
            critical=scan.critical, high=scan.high, fixable=scan.fixable,
        )  # fmt: skip
    return phrase("{scan}; its operating system gets no fixes any more", scan=said) if scan.unsupported else said


def spoken(said: str) -> Phrase:
    """A pipeline's own words, in the reader's language where they are the plain word of a result."""
    return {"passed": phrase("passed"), "failed": phrase("failed")}.get(said.strip().casefold(), verbatim(said))


def critical_told(text: str) -> int | None:
    """How many critical findings a sentence such as ``0 critical`` names; None where it names no one number."""
    found = _COUNT["critical"].findall(text)
    return int(found[0]) if len(found) == 1 else None


def result_words(result: Result) -> Phrase:
    """One line."""
    if result.passed is None and result.failed is None:
        return {True: phrase("passed"), False: phrase("failed"), None: phrase("unknown")}[result.good]
    said = []
    if result.failed:
        said.append(counted("{n} failed", "{n} failed", result.failed))
    if result.passed is not None:
        said.append(counted("{n} passed", "{n} passed", result.passed))
    if result.skipped:
        said.append(counted("{n} skipped", "{n} skipped", result.skipped))
    if not said:
        said.append(phrase("none failed"))
    return in_line(said)


def delta_words(change: Delta) -> Phrase:
    """One line: what comes and what goes, against what runs now."""
    if not change.listed:
        return phrase("critical {critical}, high {high}", critical=f"{change.critical:+}", high=f"{change.high:+}")
    if not (change.new or change.gone):
        return phrase("the same as what runs")
    return phrase("{new} new, {gone} gone", new=len(change.new), gone=len(change.gone))


stored(Finding, Scan, Result)
