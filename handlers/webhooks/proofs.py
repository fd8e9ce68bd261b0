"""The evidence of a pipeline: a sentence, a flag, counts, or Trivy's whole report; kept in one normal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import MalformedError
from bot.domain.evidence import (
    LONGEST,
    SEVERITIES,
    Finding,
    Result,
    Scan,
    read_counts,
    result_words,
    scan_words,
    scanned,
)
from bot.domain.phrases import Phrase
from handlers.webhooks.body import part, text, whole

TRIVY = "trivy"
KEPT = 20
"""Pieces of evidence of one release."""
COUNTS = ("passed", "failed", "skipped")
KNOWN = frozenset({*SEVERITIES, "medium", "low", "unknown"})
"""What Trivy calls severities (contracts.md, section 12)."""


@dataclass(frozen=True)
class Proofs:
    """As a Release keeps them."""

    evidence: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    scan: Scan | None = None


def proofs(evidence: Mapping[str, Any]) -> Proofs:
    """What a body has under ``evidence``. MalformedError says where it can't be read."""
    if len(evidence) > KEPT:
        raise MalformedError(f"evidence: expected {KEPT} pieces at most")
    said: dict[str, str] = {}
    results: dict[str, Result] = {}
    scan = None
    for key, value in evidence.items():
        name = key[:LONGEST]
        if name == TRIVY:
            scan, said[name] = _scan(value)
        elif value is not None:
            said[name], result = _result(value, f"evidence.{name}")
            results |= {name: result} if result else {}
    return Proofs(said, results, scan)


def _scan(value: object) -> tuple[Scan | None, str]:
    match value:
        case None:
            return None, ""
        case str():
            return read_counts(value), value[:LONGEST]
        case dict() if value.keys() & {"Results", "SchemaVersion"}:
            scan = _report(value)
        case dict():
            critical, high = (_count(value, severity, "evidence.trivy.", required=True) for severity in SEVERITIES)
            scan = Scan(critical, high, _count(value, "fixable", "evidence.trivy.") if "fixable" in value else None)
        case _:
            raise MalformedError("evidence.trivy: expected text, counts of critical and high, or Trivy's JSON report")
    return scan, _english(scan_words(scan))


def _report(report: dict[str, Any]) -> Scan:
    """``Results`` and ``Vulnerabilities`` may be absent or null: then nothing was found."""
    system = part(part(report, "Metadata", "evidence.trivy."), "OS", "evidence.trivy.Metadata.")
    return scanned(_findings(report), unsupported=system.get("EOSL") is True)


def _findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    for at, result in enumerate(_objects(report, "Results", "evidence.trivy.")):
        where = f"evidence.trivy.Results[{at}]."
        for found in _objects(result, "Vulnerabilities", where):
            severity = text(found, "Severity", where, required=True).lower()
            if severity not in KNOWN:
                raise MalformedError(f"{where}Severity: expected one of {', '.join(sorted(KNOWN)).upper()}")
            if severity in SEVERITIES:
                ident, package = (text(found, name, where)[:80] for name in ("VulnerabilityID", "PkgName"))
                yield Finding(severity, ident, package, fixed=bool(text(found, "FixedVersion", where)))


def _objects(data: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise MalformedError(f"{where}{key}: expected a list of objects")
    return value


def _result(value: object, where: str) -> tuple[str, Result | None]:
    match value:
        case str():
            return value[:LONGEST], None
        case bool():
            result = Result(value)
        case int() | float():
            return f"{value:g}", None
        case dict():
            counts = {name: _count(value, name, f"{where}.") for name in COUNTS if value.get(name) is not None}
            if not counts.keys() & {"passed", "failed"}:
                raise MalformedError(f"{where}: expected passed and failed")
            result = Result(_good(counts), **counts)
        case _:
            raise MalformedError(f"{where}: expected text, a number, true or false, or counts of passed and failed")
    return _english(result_words(result)), result


def _good(counts: Mapping[str, int]) -> bool | None:
    """What failed is bad; where nothing was run, or nobody said that nothing failed, it is not known."""
    if counts.get("failed"):
        return False
    return True if "failed" in counts and counts.get("passed") != 0 else None


def _count(data: Mapping[str, Any], key: str, where: str, *, required: bool = False) -> int:
    """A number of things. MalformedError: there is none though it is *required*: silence is not zero."""
    number = whole(data, key, where)
    if number < 0 or (required and data.get(key) is None):
        raise MalformedError(f"{where}{key}: expected a number, 0 or more")
    return number


def _english(said: Phrase) -> str:
    """For whoever reads evidence as text."""
    return said.plain()
