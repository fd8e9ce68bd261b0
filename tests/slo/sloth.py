"""What Sloth would write for the same SLO, restated from its published output to compare decisions with.

Source: github.com/slok/sloth, examples/_gen/getting-started.yml (30 days) and internal/alert/windows/google-28d.yaml
(28 days: the same windows and shares of the budget). Facts taken over: names and labels of what is recorded, the SLI as
a quotient of two rates, which two windows stand together and at which factor, ``or`` between two pairs per severity.
"""

from __future__ import annotations

from typing import Any

from bot.domain.slo import Slo

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAIRS = {
    "page": (("5m", "1h", 0.02, 1), ("30m", "6h", 0.05, 6)),
    "ticket": (("2h", "1d", 0.10, 24), ("6h", "3d", 0.10, 72)),
}
"""Severity → short window, long window, share of the budget, hours of the long window."""


def rule_file(slos: list[Slo]) -> dict[str, Any]:
    """Sloth's recordings and alerts for *slos*.

    One group each, where Sloth has two: those are evaluated in any order, so its alerts may lag one evaluation behind.
    """
    return {"groups": [{"name": f"sloth-{slo.service}", "rules": _rules(slo)} for slo in slos]}


def _rules(slo: Slo) -> list[dict[str, Any]]:
    return [*(_recorded(slo, window) for window in WINDOWS), *(_alert(slo, *each) for each in PAIRS.items())]


def _recorded(slo: Slo, window: str) -> dict[str, Any]:
    bad, total = (text.replace("increase", "rate").replace("$window", window) for text in (slo.bad, slo.total))
    labels = _labels(slo) | {"sloth_window": window}
    return {"record": f"slo:sli_error:ratio_rate{window}", "expr": f"({bad})\n/\n({total})", "labels": labels}


def _alert(slo: Slo, severity: str, pairs: Any) -> dict[str, Any]:
    hours = slo.window.total_seconds() / 3600
    both = (
        f"({_over(slo, short, factor := share * hours / long)} and ignoring (sloth_window) {_over(slo, name, factor)})"
        for short, name, share, long in pairs
    )
    labels = {"sloth_severity": severity, "sloth_service": slo.service}
    return {"alert": "SlothBurn", "expr": "\nor ignoring (sloth_window)\n".join(both), "labels": labels}


def _over(slo: Slo, window: str, factor: float) -> str:
    at = ", ".join(f'{name}="{value}"' for name, value in _labels(slo).items())
    return f"(slo:sli_error:ratio_rate{window}{{{at}}} > ({factor:.10g} * {1 - slo.objective}))"


def _labels(slo: Slo) -> dict[str, str]:
    return {"sloth_id": f"{slo.service}-{slo.name}", "sloth_service": slo.service, "sloth_slo": slo.name}
