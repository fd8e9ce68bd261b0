"""Alerting rules: evaluated over the same metrics, sent to Alertmanager as Prometheus sends them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from bot.simulator.alertmanager.alerts import Alert
from bot.simulator.faults import SERVICES
from bot.simulator.prometheus.catalogue import Catalogue
from bot.simulator.prometheus.compiler import Compiler, Plan, parse
from bot.simulator.prometheus.functions import vector
from bot.simulator.prometheus.values import Labels, Vector
from bot.simulator.world import World

WINDOW: Final = 10.0
"""Simulated seconds a rule looks back: short, so that a fault shows at once."""
HOLD: Final = 15.0
"""Simulated seconds a warning must last."""
BUSY: Final = 5.0
"""Requests a second below which ratios mean nothing."""
RESEND: Final = 30.0
"""Simulated seconds between two sendings of the same alert; 60 in Prometheus."""
RETELL: Final = 900.0
"""Simulated seconds for which a resolved alert is sent again; 15 minutes in Prometheus (contracts.md, section 1)."""
RUNBOOKS: Final = "https://wiki.dept.example/runbooks"
DASHBOARDS: Final = "https://grafana.dept.example/d"
PROMETHEUS: Final = "https://prometheus.dept.example"


@dataclass(frozen=True)
class Rule:
    """*hold* in wall seconds. *told* makes summary and description from the labels and the value."""

    name: str
    severity: str
    service: str
    query: str
    hold: float
    slug: str
    told: Callable[[dict[str, str], float], tuple[str, str]]

    def labels(self, found: Labels) -> dict[str, str]:
        own = {"alertname": self.name, "severity": self.severity}
        if not self.service:
            return own
        return {"service": self.service, "job": self.service, "namespace": "production"} | dict(found) | own

    def annotations(self, labels: dict[str, str], value: float) -> dict[str, str]:
        summary, description = self.told(labels, value)
        view = urlencode({"var-region": labels.get("region", ""), "from": "now-1h"})
        dashboard = {"dashboard": f"{DASHBOARDS}/{self.service}?{view}"} if self.service else {}
        return dashboard | {
            "description": description,
            "runbook_url": f"{RUNBOOKS}/{self.slug}",
            "summary": summary,
        }

    @property
    def generator(self) -> str:
        return f"{PROMETHEUS}/graph?{urlencode({'g0.expr': self.query, 'g0.tab': 1})}"


@dataclass
class Active:
    """An alert of a rule: pending until *firing*, gone some time after *ended*."""

    labels: dict[str, str]
    annotations: dict[str, str]
    since: datetime
    value: float
    firing: datetime | None = None
    ended: datetime | None = None
    sent: datetime | None = None

    def alert(self, rule: Rule, now: datetime, grace: timedelta) -> Alert:
        """As it is sent: a firing alert ends some time in the future unless it is sent again."""
        assert self.firing is not None
        return Alert(self.labels, self.annotations, self.firing, self.ended or now + grace, now, rule.generator)


@dataclass
class Watched:
    rule: Rule
    plan: Plan
    active: dict[Labels, Active] = field(default_factory=dict)
    evaluated: datetime | None = None


class Rules:
    """All rules with their state."""

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        self._world = world
        now = world.clock.now().timestamp()
        self.watched = [
            Watched(rule, Compiler(catalogue, now, now).plan(parse(rule.query))) for rule in rules(world.seconds)
        ]

    def evaluate(self) -> list[Alert]:
        """One round; answers what is to be sent to Alertmanager now."""
        now = self._world.clock.now()
        due: list[Alert] = []
        for watched in self.watched:
            self._update(watched, vector(watched.plan(now.timestamp())), now)
            due += self._due(watched, now)
            self._forget(watched, now)
            watched.evaluated = now
        return due

    def _update(self, watched: Watched, found: Vector, now: datetime) -> None:
        rule, seen = watched.rule, {element.labels: element.value for element in found}
        for labels, value in seen.items():
            known = watched.active.get(labels)
            if known is None or known.ended:
                known = watched.active[labels] = Active(rule.labels(labels), {}, now, value)
            known.value, known.annotations = value, rule.annotations(known.labels, value)
            if known.firing is None and (now - known.since).total_seconds() >= rule.hold:
                known.firing = now
        for labels in watched.active.keys() - seen.keys():
            self._end(watched, labels, now)

    def _end(self, watched: Watched, labels: Labels, now: datetime) -> None:
        known = watched.active[labels]
        if known.firing is None:
            del watched.active[labels]
        elif known.ended is None:
            known.ended, known.sent = now, None

    def _due(self, watched: Watched, now: datetime) -> Iterator[Alert]:
        grace = timedelta(seconds=4 * self._world.seconds(RESEND))
        for known in watched.active.values():
            fresh = known.sent is None or (now - known.sent).total_seconds() >= self._world.seconds(RESEND)
            if known.firing and fresh:
                known.sent = now
                yield known.alert(watched.rule, now, grace)

    def _forget(self, watched: Watched, now: datetime) -> None:
        kept = timedelta(seconds=self._world.seconds(RETELL))
        gone = [labels for labels, known in watched.active.items() if known.ended and now - known.ended > kept]
        for labels in gone:
            del watched.active[labels]


def rules(seconds: Callable[[float], float]) -> Iterator[Rule]:
    """The department's rules. *seconds* turns simulated into wall seconds."""
    window = f"{max(round(seconds(WINDOW) * 1000), 50)}ms"
    for service in SERVICES:
        name, hold = service.capitalize(), seconds(HOLD)
        ratio, busy = _ratio(service, window)
        yield Rule(f"{name}ErrorRateHigh", "critical", service, f"{ratio} > 0.05 {busy}", 0, "error-rate", _errors)
        # Above 5 % the critical alert speaks: two messages about one thing would be one too many.
        elevated = f"({ratio} > 0.01) <= 0.05 {busy}"
        yield Rule(f"{name}ErrorRateElevated", "warning", service, elevated, hold, "error-rate", _errors)
        slow = f"{_p99(service, window)} > 0.5 {busy}"
        yield Rule(f"{name}LatencyHigh", "warning", service, slow, hold, "latency", _slow)
    dead = 'max by (region) (probe_success{job="blackbox"}) == 0'
    yield Rule("Watchdog", "none", "", "vector(1)", 0, "watchdog", _watchdog)
    yield Rule("RegionUnreachable", "critical", "api", dead, seconds(3), "failover", _unreachable)


def _ratio(service: str, window: str) -> tuple[str, str]:
    """(the error ratio by region, the condition that there is traffic)."""
    by = "sum by (job, service, region)"
    errors = f'{by} (rate(http_requests_total{{job="{service}",code=~"5.."}}[{window}]))'
    total = f'{by} (rate(http_requests_total{{job="{service}"}}[{window}]))'
    return f"{errors} / {total}", f"and {total} > {BUSY:g}"


def _p99(service: str, window: str) -> str:
    buckets = f'rate(http_request_duration_seconds_bucket{{job="{service}"}}[{window}])'
    return f"histogram_quantile(0.99, sum by (job, service, region, le) ({buckets}))"


def _errors(labels: dict[str, str], value: float) -> tuple[str, str]:
    what = f"{labels['service']} in {labels['region']}"
    return (
        f"{what}: {value:.1%} of requests fail",
        f"The share of 5xx answers of {what} is above its limit. Compare with the last release before anything else.",
    )


def _slow(labels: dict[str, str], value: float) -> tuple[str, str]:
    what = f"{labels['service']} in {labels['region']}"
    return f"{what}: 99th percentile is {value:.2f} s", f"One request of a hundred to {what} takes longer than 0.5 s."


def _unreachable(labels: dict[str, str], _: float) -> tuple[str, str]:
    region = labels["region"]
    return (
        f"Region {region} cannot be reached",
        f"No prober outside reaches {region}. See the witnesses before a failover.",
    )


def _watchdog(_: dict[str, str], __: float) -> tuple[str, str]:
    return "Alerting works", "This alert always fires. When it stops, nobody is watching the department."
