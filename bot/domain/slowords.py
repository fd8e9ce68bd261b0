"""What the alerts of an SLO say: Prometheus's templates, as the annotations of the shipped rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.phrases import Phrase, phrase
from bot.domain.slo import Slo

Say = Callable[[Phrase], str]
"""A sentence in the language of whoever reads the alerts. Values are templates, which no language changes."""
SERVICE, NAME = "{{ $labels.service }}", "{{ $labels.slo }}"
SHARE = "{{ $value | humanizePercentage }}"


@dataclass(frozen=True)
class Words:
    """Annotations for one SLO over *window*. Names stand as labels: the rule's text is a template, a name is not.

    *runbooks* is the address of the pages in the language that *say* speaks, "" for no links.
    """

    slo: Slo
    runbooks: str
    window: str
    say: Say = Phrase.plain

    def burning(self, severity: str, lost: Sequence[tuple[float, str]]) -> dict[str, str]:
        """*lost*: which share of the budget within which time, for each reason to fire."""
        pace = (
            phrase(
                "{who}: {what}, the error budget for {name} burns fast", who=self._who, what=self._failing, name=NAME
            )
            if severity == "critical"
            else phrase(
                "{who}: {what}, the error budget for {name} will not last", who=self._who, what=self._failing, name=NAME
            )
        )
        return self._told("SloBurn", pace, phrase(
            "{service} promises {objective} over {window}. At least {lost}, and it goes on. What is left, and what ate "
            "it: slo {service}.",
            lost=_went(lost), **self._promise,
        ))  # fmt: skip

    def spent(self) -> dict[str, str]:
        """A budget with nothing left."""
        return self._told(
            "SloBudgetSpent",
            phrase("{who}: the error budget for {name} is spent", who=self._who, name=NAME),
            phrase(
                "{service} promises {objective} over {window}, and more went wrong than that allows: {left} of the "
                "budget is left. It comes back only as the window moves on. What ate it: slo {service}.",
                left=SHARE, **self._promise,
            ),
        )  # fmt: skip

    def broken(self, within: str) -> dict[str, str]:
        """An objective that allows no exception; something failed *within* that time."""
        return self._told(
            "SloBroken",
            phrase("{who}: {what}, and {name} allows none", who=self._who, what=self._failing, name=NAME),
            phrase(
                "{service} promises {objective} over {window}. Every single one breaks that, and some came in the last "
                "{within}.",
                within=within, **self._promise,
            ),
        )  # fmt: skip

    def waited(self) -> dict[str, str]:
        """Something waits too long now."""
        return self._told(
            "SloBroken",
            phrase("{who}: the oldest of {name} has waited for {age}", who=self._who, name=NAME,
                   age="{{ $value | humanizeDuration }}"),
            phrase(
                "{service} promises that nothing waits for longer than {limit}. What comes in is not worked off, or "
                "not fast enough.",
                service=SERVICE, limit=self._limit,
            ),
        )  # fmt: skip

    def missed(self, within: str) -> dict[str, str]:
        """Something came too late *within* that time, whether or not anything waits now."""
        return self._told(
            "SloMissed",
            phrase("{who}: deadlines of {name} missed in the last {within}: {count}", who=self._who, name=NAME,
                   within=within, count='{{ $value | printf "%.0f" }}'),
            phrase(
                "{service} promises that nothing waits for longer than {limit}. These did, and are done by now: the "
                "oldest that still waits does not tell of them.",
                service=SERVICE, limit=self._limit,
            ),
        )  # fmt: skip

    def unknown(self) -> dict[str, str]:
        """Nothing to compute it from."""
        return self._told(
            "SloUnknown",
            phrase("{who}: nobody knows whether {name} holds", who=self._who, name=NAME),
            phrase(
                "Prometheus has had nothing to compute it from for half an hour: its queries in pult.toml find no "
                "series. {service} may fail, and no alert on its error budget could fire.",
                service=SERVICE,
            ),
        )

    @property
    def _who(self) -> Phrase:
        """The region is told where Prometheus has one as external label."""
        return phrase(
            "{service}{if_any} in {region}{end}",
            service=SERVICE, if_any="{{ with $externalLabels.region }}", region="{{ . }}", end="{{ end }}",
        )  # fmt: skip

    @property
    def _promise(self) -> dict[str, str]:
        return {"service": SERVICE, "objective": f"{self.slo.objective * 100:.10g}%", "window": self.window}

    @property
    def _limit(self) -> Phrase:
        return phrase("{n} s", n=f"{self.slo.threshold or 0:g}")

    @property
    def _failing(self) -> Phrase:
        if self.slo.kind != "latency":
            return phrase("{share} of requests fail", share=SHARE)
        if not self.slo.threshold:
            return phrase("{share} of requests take too long", share=SHARE)
        limit = phrase("{n} s", n=f"{self.slo.threshold:g}")
        return phrase("{share} of requests take longer than {limit}", share=SHARE, limit=limit)

    def _told(self, page: str, summary: Phrase, description: Phrase) -> dict[str, str]:
        link = {"runbook_url": f"{self.runbooks.rstrip('/')}/{page}.md"} if self.runbooks else {}
        return {"summary": self.say(summary), "description": self.say(description), **link}


def _went(lost: Sequence[tuple[float, str]]) -> Phrase:
    """Which share went within which time, for each reason; each of them is enough."""
    (share, time), *others = ((f"{share * 100:.2g}%", time) for share, time in lost)
    told = phrase("{share} of that error budget went within {time}", share=share, time=time)
    for more, within in others:
        told = phrase("{told}, or {share} within {time}", told=told, share=more, time=within)
    return told
