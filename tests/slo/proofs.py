"""Generated rules judged by promtool: samples of a service in, and what Prometheus would then say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from bot.cli.slo import written
from bot.domain.slo import Slo
from bot.domain.slorules import groups
from tests.deploy.monitoring import promtool

RUNBOOKS = "https://wiki.example/runbooks"
MINUTE = timedelta(minutes=1)
TOTAL = 'sum(increase(http_requests_total{{job="{service}"}}[$window]))'
BAD = 'sum(increase(http_requests_total{{job="{service}",code=~"5.."}}[$window]))'
Samples = Sequence[float | None]


def availability(service: str = "api", objective: float = 0.999, **more: Any) -> Slo:
    queries = {"total": TOTAL.format(service=service), "bad": BAD.format(service=service)}
    given = {"name": "availability", "kind": "availability", "window": timedelta(days=30)} | queries | more
    return Slo(service=service, objective=objective, **given)


def rule_file(folder: Path, slos: Iterable[Slo], *, whole: bool = True) -> Path:
    """What ``pult slo rules`` would write for *slos*; promtool has nothing to say against it.

    Not *whole*: without what is recorded about the SLO's whole window, which no alert reads.
    """
    path = folder / "slo.yml"
    path.write_text(written(group for group in groups(tuple(slos), RUNBOOKS) if whole or group.interval is None))
    done = promtool("check", "rules", "--lint-fatal", path)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@dataclass
class Proof:
    """Samples, one every ``every``, and what is asked of the rules about them."""

    series: dict[str, Samples] = field(default_factory=dict)
    every: timedelta = MINUTE
    asked: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def requests(self, counts: Iterable[tuple[float, float]], service: str = "api") -> Proof:
        """(requests, share that fails) for each step, as counters."""
        steps = tuple(counts)
        for code, share in (("200", lambda bad: 1 - bad), ("503", lambda bad: bad)):
            counted = accumulate((many * share(bad) for many, bad in steps), initial=0.0)
            self.series[f'http_requests_total{{job="{service}",code="{code}"}}'] = list(counted)
        return self

    def fires(self, at: timedelta, *expected: str, alert: str = "SloBurn", service: str = "api") -> Proof:
        """Exactly the severities *expected* of *alert* fire for *service* then."""
        firing = f'count by (severity) (ALERTS{{alertname="{alert}",alertstate="firing",service="{service}"}})'
        return self.reads(at, firing, {f'{{severity="{severity}"}}': 1 for severity in expected})

    def pages(self, at: timedelta, pages: bool = True) -> Proof:
        """Whether the budget of ``api`` burns fast enough to page then, whatever tickets there are."""
        firing = 'count(ALERTS{alertname="SloBurn",alertstate="firing",service="api",severity="critical"})'
        return self.reads(at, firing, {"{}": 1} if pages else {})

    def reads(self, at: timedelta, promql: str, expected: Mapping[str, float]) -> Proof:
        """*promql* has just these series then."""
        samples = [{"labels": labels, "value": value} for labels, value in expected.items()]
        self.asked.append({"expr": promql, "eval_time": _seconds(at), "exp_samples": samples})
        return self

    def says(self, at: timedelta, alert: str, *expected: dict[str, Any]) -> Proof:
        """*alert* fires then, all of it with just these ``exp_labels`` and ``exp_annotations``."""
        self.alerts.append({"alertname": alert, "eval_time": _seconds(at), "exp_alerts": list(expected)})
        return self

    def holds(self, folder: Path, *rules: Path) -> None:
        """promtool, a Prometheus in small, finds all of it true."""
        series = [{"series": name, "values": " ".join(map(_value, values))} for name, values in self.series.items()]
        test = {
            "interval": _seconds(self.every), "input_series": series,
            "promql_expr_test": self.asked, "alert_rule_test": self.alerts,
        }  # fmt: skip
        whole = {
            "rule_files": [str(path) for path in rules], "evaluation_interval": _seconds(self.every),
            "tests": [test],
        }  # fmt: skip
        path = folder / "proof.yml"
        path.write_text(yaml.safe_dump(whole, width=10_000_000))
        done = promtool("test", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr


def steps(*parts: tuple[timedelta, float, float], every: timedelta = MINUTE) -> Iterator[tuple[float, float]]:
    """(for how long, requests each step, share that fails) one after the other."""
    for length, many, bad in parts:
        yield from ((many, bad) for _ in range(round(length / every)))


def _value(value: float | None) -> str:
    return "_" if value is None else f"{value:.10g}"


def _seconds(length: timedelta) -> str:
    return f"{int(length.total_seconds())}s"
