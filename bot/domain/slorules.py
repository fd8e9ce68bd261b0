"""The Prometheus rules of one SLO: what is recorded about it, and the alerts on its error budget.

Names are those of Sloth (``slo:sli_error:ratio_rate5m``), labels pult's own (``service``, ``slo``, ``window``), so that
both can run side by side. Unlike Sloth's, the ratio over the whole window is weighted by traffic, and what nobody
measured is left out of it instead of counting as good (promise 14).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.burnrates import SCRAPE, Arm, arms
from bot.domain.durations import write_window
from bot.domain.phrases import Phrase
from bot.domain.promql import closing
from bot.domain.slo import FRESHNESS, Slo
from bot.domain.slowords import Say, Words

ERRORS, EVENTS, RATIO = "slo:sli_errors:increase", "slo:sli_events:increase", "slo:sli_error:ratio_rate"
AGE, MISSED = "slo:sli_age_seconds:max", "slo:sli_missed:increase"
LEFT, SEEN = "slo:period_error_budget_remaining:ratio", "slo:period_seen:ratio"
UNKNOWN_FOR = timedelta(minutes=30)
"""So long an SLO may be without a number before somebody is told; TargetDown speaks earlier where a scrape fails."""
SPENT_FOR = timedelta(minutes=15)
"""A budget around zero must not come and go as a ticket; ours."""
ONE_MISSED = 0.5
"""From here on a deadline was missed: two counters may differ by less because increase() extrapolates each."""
PERIOD_INTERVAL = timedelta(minutes=1)
"""How often the whole window is looked at, which is what costs; far below the five minutes that a sample lives."""


@dataclass(frozen=True)
class Rule:
    """A recording rule, or an alert when ``alert`` is set. ``hold`` is Prometheus's "for"."""

    name: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    hold: timedelta | None = None
    alert: bool = False


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, so that each sees what those before it recorded just now."""

    name: str
    rules: tuple[Rule, ...]
    interval: timedelta | None = None


def groups(
    slos: Iterable[Slo], runbooks: str = "", scrape: timedelta = SCRAPE, say: Say = Phrase.plain
) -> Iterator[Group]:
    """The rules of *slos*, sampled every *scrape*, their alerts in the language of *say*.

    ``runbooks`` is the address of the pages in that language, "" for no links.
    """
    for slo in slos:
        words = Words(slo, runbooks, write_window(slo.window), say)
        if countable(slo):
            yield from _freshness(slo, words, scrape) if slo.kind == FRESHNESS else _Ratio(slo, words, scrape).groups()


def countable(slo: Slo) -> bool:
    """Whether it says what to count. One that reads what other rules record has rules already, and alerts with them."""
    return bool(slo.bad and (slo.total or slo.kind == FRESHNESS))


def _freshness(slo: Slo, words: Words, scrape: timedelta) -> Iterator[Group]:
    """An invariant: nothing may wait for longer than the threshold. NaN is no age.

    What was late and is done is gone from the oldest that waits, so deadlines missed are counted where they can be.
    """
    age = f"{AGE}{_selector(slo)}"
    recorded = [_record(slo, AGE, f"max(\n{_over(slo.bad, slo.window)}\n) > -Inf"), _info(slo)]
    told = [_alert(slo, "SloBroken", f"{age} > {slo.threshold or 0:g}", "critical", words.waited())]
    unknown = f"absent({age})"
    if slo.missed:
        within = min(arm.short for arm in arms(slo.window, scrape))
        missed = f"{MISSED}{write_window(within)}{_selector(slo)}"
        recorded.append(_record(slo, MISSED, f"{_written(slo.missed, within)} < +Inf", within))
        late = words.missed(write_window(within))
        told.append(_alert(slo, "SloMissed", f"{missed} >= {ONE_MISSED}", "critical", late))
        unknown += f"\nor absent({missed})"
    told.append(replace(_alert(slo, "SloUnknown", unknown, "warning", words.unknown()), hold=UNKNOWN_FOR))
    yield Group(_group(slo), (*recorded, *told))


@dataclass(frozen=True)
class _Ratio:
    """An SLO on the share of bad events."""

    slo: Slo
    words: Words
    scrape: timedelta

    def groups(self) -> Iterator[Group]:
        windows = sorted({length for arm in self.arms for length in (arm.long, arm.short)})
        recorded = [rule for window in windows for rule in self._counted(window)]
        yield Group(_group(self.slo), (*recorded, *self._meta(), *self._alerts()))
        yield Group(f"{_group(self.slo)}/period", tuple(self._period()), min(PERIOD_INTERVAL, self.base))

    @property
    def arms(self) -> tuple[Arm, ...]:
        return arms(self.slo.window, self.scrape)

    @property
    def base(self) -> timedelta:
        """The shortest window: what the whole one is added up from."""
        return min(arm.short for arm in self.arms)

    @property
    def budget(self) -> float:
        return round(self.slo.allowed, 12)

    def _counted(self, window: timedelta) -> Iterator[Rule]:
        """Events and errors over *window*. Both exist or neither: no errors counted are none only beside events."""
        events = self._name(EVENTS, window)
        bad = _written(self.slo.bad, window)
        errors = f"clamp_min({bad} or 0 * sum({events}), 0) < +Inf\nand on ()\n{events}"
        yield _record(self.slo, EVENTS, f"{_written(self.slo.total, window)} < +Inf", window)
        yield _record(self.slo, ERRORS, errors, window)
        yield self._ratio(window)

    def _ratio(self, window: timedelta) -> Rule:
        """No traffic is no number, and never a good one."""
        expr = f"clamp_max({self._name(ERRORS, window)} / ({self._name(EVENTS, window)} > 0), 1)"
        return _record(self.slo, RATIO, expr, window)

    def _period(self) -> Iterator[Rule]:
        """The whole window, added up from what was recorded, one step after the other: raw counters of a month are more
        samples than Prometheus reads for one query (50 million by default)."""
        slo, errors, events = self.slo, self._name(ERRORS, self.base), self._name(EVENTS, self.base)
        steps = f"[{write_window(slo.window)}:{write_window(self.base)}]"
        yield _record(slo, EVENTS, f"sum_over_time(({events} and {errors}){steps})", slo.window)
        yield _record(slo, ERRORS, f"sum_over_time({errors}{steps})", slo.window)
        yield self._ratio(slo.window)
        ratio = self._name(RATIO, slo.window)
        yield _record(slo, "slo:period_burn_rate:ratio", self._burn(ratio))
        yield _record(slo, LEFT, self._left(ratio))
        seen = _record(slo, SEEN, f"count_over_time({events}{steps}) / {_number(slo.window / self.base)}")
        yield replace(seen, labels={**seen.labels, "window": write_window(slo.window)})
        if self.budget:
            spent = _alert(slo, "SloBudgetSpent", self._spent(), "warning", self.words.spent())
            yield replace(spent, hold=SPENT_FOR)

    def _spent(self) -> str:
        """What was seen must have spent the whole budget, not its own part of it: an hour of history says little."""
        left, seen = f"{LEFT}{_selector(self.slo)}", f"{SEEN}{_selector(self.slo)}"
        parts = [f"{left} <= 0", f"(1 - {left}) * {seen} >= 1"]
        if self.slo.min_requests:
            parts.append(f"{self._name(EVENTS, self.slo.window)} >= {self.slo.min_requests}")
        return "\nand\n".join(parts)

    def _meta(self) -> Iterator[Rule]:
        slo = self.slo
        yield _record(slo, "slo:objective:ratio", f"vector({_number(slo.objective)})")
        yield _record(slo, "slo:error_budget:ratio", f"vector({_number(self.budget)})")
        yield _record(slo, "slo:time_period:days", f"vector({_number(slo.window / timedelta(days=1))})")
        yield _record(slo, "slo:current_burn_rate:ratio", self._burn(self._name(RATIO, self.base)))
        yield _info(slo)

    def _burn(self, ratio: str) -> str:
        """Without a budget any error burns infinitely fast, and none not at all (0 / 0 would be NaN)."""
        return f"{ratio} / {_number(self.budget)}" if self.budget else f"({ratio} > 0) / 0 or {ratio}"

    def _left(self, ratio: str) -> str:
        """As ``Standing.left``: without a budget all of it is left, or it is overspent."""
        return f"1 - {ratio} / {_number(self.budget)}" if self.budget else f"1 - 2 * ({ratio} > bool 0)"

    def _alerts(self) -> Iterator[Rule]:
        slo, words = self.slo, self.words
        if self.budget:
            for severity in dict.fromkeys(arm.severity for arm in self.arms):
                chosen = tuple(dict.fromkeys(arm for arm in self.arms if arm.severity == severity))
                burning = "\nor ignoring (window)\n".join(map(self._burning, chosen))
                told = words.burning(severity, [(arm.share(slo.window), write_window(arm.long)) for arm in chosen])
                yield _alert(slo, "SloBurn", burning, severity, told)
        else:
            broken = f"{self._name(RATIO, self.base)} > 0"
            yield _alert(slo, "SloBroken", broken, "critical", words.broken(write_window(self.base)))
        unknown = f"absent({self._name(ERRORS, self.base)})"
        yield replace(_alert(slo, "SloUnknown", unknown, "warning", words.unknown()), hold=UNKNOWN_FOR)

    def _burning(self, arm: Arm) -> str:
        """No brackets: "and" binds closer than "or", and what is measured stands first, for whoever draws it."""
        limit = _number(round(arm.burn * self.budget, 12))
        parts = [f"{self._name(RATIO, arm.short)} > {limit}", f"{self._name(RATIO, arm.long)} > {limit}"]
        if self.slo.min_requests:
            parts.append(f"{self._name(EVENTS, arm.long)} >= {self.slo.min_requests}")
        return "\nand ignoring (window)\n".join(parts)

    def _name(self, metric: str, window: timedelta) -> str:
        return f"{metric}{write_window(window)}{_selector(self.slo)}"


def _record(slo: Slo, name: str, expr: str, window: timedelta | None = None) -> Rule:
    labels = {"service": slo.service, "slo": slo.name}
    return (
        Rule(f"{name}{write_window(window)}", expr, labels | {"window": write_window(window)})
        if window
        else Rule(name, expr, labels)
    )


def _info(slo: Slo) -> Rule:
    about = {"kind": slo.kind, "objective": f"{slo.objective * 100:.10g}", "window": write_window(slo.window)}
    labels = {"service": slo.service, "slo": slo.name}
    return Rule("pult_slo_info", "vector(1)", labels | about)


def _alert(slo: Slo, name: str, expr: str, severity: str, annotations: Mapping[str, str]) -> Rule:
    """``window`` is the SLO's own, whichever arm fires. Labels of an alert are templates, and a name is none."""
    plain = slo.name.replace("{{", '{{"{{"}}')
    labels = {"severity": severity, "service": slo.service, "slo": plain, "window": write_window(slo.window)}
    return Rule(name, expr, labels, annotations, alert=True)


def _group(slo: Slo) -> str:
    """Neither name holds a slash, so no two SLOs share one; Prometheus refuses a file where groups do."""
    return f"slo/{slo.service}/{slo.name}"


def _selector(slo: Slo) -> str:
    name = slo.name.replace("\\", "\\\\")  # the one character of a Name that a PromQL string would read otherwise
    return f'{{service="{slo.service}",slo="{name}"}}'


def _written(promql: str, window: timedelta) -> str:
    """*promql* over *window*, added up to one series without labels, as a person who asks pult sees it."""
    text = _over(promql, window)
    if text.startswith("sum(") and closing(text[3:]) == len(text) - 4:
        return text
    return f"sum(\n{text}\n)"  # lines of its own: it may end in a comment


def _over(promql: str, window: timedelta) -> str:
    return promql.replace("$window", write_window(window)).strip()


def _number(value: float) -> str:
    return f"{value:.12g}"
