"""What the alerts of an SLO say: Prometheus's templates, as the annotations of the shipped rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.slo import Slo

WHO = "{{ $labels.service }}{{ with $externalLabels.region }} in {{ . }}{{ end }}"
SHARE = "{{ $value | humanizePercentage }} of requests"


@dataclass(frozen=True)
class Words:
    """Annotations for one SLO over *window*. Names stand as labels: the rule's text is a template, a name is not."""

    slo: Slo
    runbooks: str
    window: str

    def burning(self, severity: str, lost: Sequence[tuple[float, str]]) -> dict[str, str]:
        """*lost*: which share of the budget within which time, for each reason to fire."""
        pace = "burns fast" if severity == "critical" else "will not last"
        first, *others = (f"{share * 100:.2g}%{{}} within {within}" for share, within in lost)
        amounts = ", or ".join((first.format(" of that error budget went"), *(each.format("") for each in others)))
        return self._told(
            "SloBurn",
            f"{WHO}: {SHARE} {self._fail}, the error budget for {{{{ $labels.slo }}}} {pace}",
            f"{self._promised} At least {amounts}, and it goes on. "
            "What is left, and what ate it: slo {{ $labels.service }}.",
        )

    def broken(self, within: str) -> dict[str, str]:
        return self._told(
            "SloBroken",
            f"{WHO}: {SHARE} {self._fail}, and {{{{ $labels.slo }}}} allows none",
            f"{self._promised} Every single one breaks that, and some came in the last {within}.",
        )

    def waited(self) -> dict[str, str]:
        threshold = f"{self.slo.threshold or 0:g} s"
        return self._told(
            "SloBroken",
            f"{WHO}: the oldest of {{{{ $labels.slo }}}} has waited for {{{{ $value | humanizeDuration }}}}",
            f"{{{{ $labels.service }}}} promises that nothing waits for longer than {threshold}. What comes in is not "
            "worked off, or not fast enough.",
        )

    def unknown(self) -> dict[str, str]:
        return self._told(
            "SloUnknown",
            f"{WHO}: nobody knows whether {{{{ $labels.slo }}}} holds",
            "Prometheus has had nothing to compute it from for half an hour: its queries in pult.toml find no series. "
            "{{ $labels.service }} may fail, and no alert on its error budget could fire.",
        )

    @property
    def _promised(self) -> str:
        objective = f"{self.slo.objective * 100:.10g}%"
        return f"{{{{ $labels.service }}}} promises {objective} over {self.window}."

    @property
    def _fail(self) -> str:
        if self.slo.kind != "latency":
            return "fail"
        return f"take longer than {self.slo.threshold:g} s" if self.slo.threshold else "take too long"

    def _told(self, page: str, summary: str, description: str) -> dict[str, str]:
        link = {"runbook_url": f"{self.runbooks.rstrip('/')}/{page}.md"} if self.runbooks else {}
        return {"summary": summary, "description": description, **link}
