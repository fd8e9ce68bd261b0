"""What Trivy found in a release's image, beside what it found in the one that runs."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.evidence import Delta, Finding, Scan, critical_told, delta, delta_words, scan_words, spoken
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.proofs import Mark, Proof, judged
from handlers.commands.evidence_case import Case, unknown

TRIVY = phrase("Trivy")
NAMED = 3


def trivy(case: Case) -> Iterable[Proof]:
    """One row; none where nobody scanned and policy does not ask for it.

    It is bad when it brings a critical finding with a fix that what runs has not: the others are no news.
    """
    said, scan = case.release.evidence.get("trivy", ""), case.release.scan
    if scan is not None:
        yield _scanned(scan, case.running.scan if case.running else None)
    elif said:
        yield Proof("trivy", TRIVY, _judged(said), spoken(said))
    elif "trivy" in case.rule.require:
        yield unknown("trivy", TRIVY, phrase("unknown: no pipeline told"))


def _judged(said: str) -> Mark:
    """By the number of critical findings where a sentence names it, since they decide; else by its words."""
    critical = critical_told(said)
    if critical is None:
        return judged(said)
    return Mark.BAD if critical else Mark.GOOD


def _scanned(scan: Scan, runs: Scan | None) -> Proof:
    change = delta(scan, runs)
    worse = _worse(scan, change)
    mark = Mark.BAD if worse else Mark.NOTE if scan.critical else Mark.GOOD
    return Proof("trivy", TRIVY, mark, _said(scan, change, worse))


def _worse(scan: Scan, change: Delta | None) -> tuple[Finding, ...] | bool:
    """The new critical findings that have a fix, where they are known by name; else whether there may be any."""
    if change is not None and change.listed:
        return tuple(each for each in change.new if each.severity == "critical" and each.fixed)
    if scan.listed and change is None:
        return tuple(each for each in scan.findings if each.severity == "critical" and each.fixed)
    more = scan.critical if change is None else change.critical
    return more > 0 and scan.fixable != 0


def _said(scan: Scan, change: Delta | None, worse: tuple[Finding, ...] | bool) -> Phrase:
    said = scan_words(scan)
    if change is not None:
        said = phrase("{scan}; against what runs: {delta}", scan=said, delta=delta_words(change))
    if isinstance(worse, bool) or not worse:
        return said
    names = ", ".join(f"{each.id} ({each.package})" for each in worse[:NAMED])
    return phrase("{said}; new and with a fix: {names}", said=said, names=Code(names))
