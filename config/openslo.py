"""OpenSLO documents as they are: each objective of a file becomes one of [[slos]].

Read are openslo/v1 (github.com/OpenSLO/OpenSLO) and openslo/v1alpha as Sloth takes it. What pult could not keep as it
was meant (calendar windows, time slices, thresholds on a gauge) is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.domain.regrouping import SELECTOR, STRINGS, outside_strings
from config.problems import Problem, unreadable, wrong

_TEMPLATE = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_RATE = re.compile(r"\brate\s*\(")
_RANGE = re.compile(r"\[\s*(?:\$window|(?:\d+(?:ms|[smhdwy]))+)\s*\]")
_COUNTER = re.compile(rf"\s*(?:sum\s*\(\s*({SELECTOR})\s*\)|({SELECTOR}))\s*")
_DURATION = re.compile(r"(\d+)([mhdw])")
_UNITS = {"minute": "m", "hour": "h", "day": "d", "week": "w"}
_KEY = "openslo"


class OpenSloError(ValueError):
    """What the file says that pult can't keep; the text is what is allowed instead."""


@dataclass
class Documents:
    """Replaces each of [[slos]] that names a file by what is in it. ``problems`` holds what can't be read."""

    problems: list[Problem] = field(default_factory=list)

    def expand(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """*data* with the files' objectives in place; keys beside ``openslo`` stand above those of the file."""
        slos = data.get("slos")
        if not isinstance(slos, list):
            return dict(data)
        return {**data, "slos": [slo for at, item in enumerate(slos, 1) for slo in self._item(item, at)]}

    def _item(self, item: object, number: int) -> Sequence[object]:
        if not isinstance(item, dict) or not isinstance(item.get(_KEY), str):
            return [item]
        path, place = item[_KEY], f"slos[#{number}].{_KEY}"
        try:
            text = Path(path).read_text(encoding="utf-8")
            return [{**slo, **item} for slo in objectives(text)]
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(wrong(place, f"{path}, which can't be read: {unreadable(error)}", "an OpenSLO file"))
        except yaml.YAMLError as error:
            line = f" in line {error.problem_mark.line + 1}" if getattr(error, "problem_mark", None) else ""  # type: ignore[attr-defined]
            self.problems.append(wrong(place, f"{path}, which is no YAML{line}", "an OpenSLO file"))
        except OpenSloError as error:
            self.problems.append(wrong(place, path, str(error)))
        return []


def objectives(text: str) -> list[dict[str, Any]]:
    """The objectives of all SLO documents in *text*, as tables of [[slos]]. OpenSloError, yaml.YAMLError."""
    documents = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    indicators = {_named(each): each for each in documents if each.get("kind") == "SLI"}
    found = [slo for each in documents if each.get("kind") == "SLO" for slo in _slo(each, indicators)]
    if not found:
        raise OpenSloError("a file with a document of kind SLO")
    return found


def windowed(query: str, *, counter: bool) -> str:
    """*query* as a count over ``$window``. OpenSloError where it holds no place for it."""
    text = _TEMPLATE.sub("$window", query).strip()
    code = STRINGS.sub("''", text)
    if re.search(r"\b(irate|deriv|delta)\s*\(", code):
        raise OpenSloError("queries of increase() or rate()")
    if _RANGE.search(code):
        counted = outside_strings(text, _RATE, lambda _: "increase(")
        return outside_strings(counted, _RANGE, lambda _: "[$window]")
    plain = _COUNTER.fullmatch(text)
    if counter and plain:
        return f"sum(increase({(plain[1] or plain[2]).strip()}[$window]))"
    raise OpenSloError('queries with a range, as "[{{.window}}]" or "[5m]", or a plain counter with counter: true')


def _slo(document: Mapping[str, Any], indicators: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    spec = _table(document.get("spec"))
    if spec.get("budgetingMethod", "Occurrences") != "Occurrences":
        raise OpenSloError("budgetingMethod Occurrences: pult counts events, not slices of time")
    targets = [each for each in spec.get("objectives") or () if isinstance(each, dict)]
    if not targets:
        raise OpenSloError("an SLO with objectives")
    window, shared = _window(spec), _indicator(spec, indicators)
    for number, target in enumerate(targets, 1):
        metric = _metric(target) or shared
        if not metric:
            raise OpenSloError("an SLO whose indicator has a ratioMetric")
        total, bad = _counts(metric)
        yield {
            "service": str(spec.get("service", "")),
            "name": _named(document) + (f"-{number}" if len(targets) > 1 else ""),
            "kind": "latency" if "_bucket" in total + bad else "availability",
            "objective": _objective(target),
            "window": window,
            "total": total,
            "bad": bad,
        }


def _indicator(spec: Mapping[str, Any], indicators: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The ratio of the SLO itself: given there, or by the name of a document of kind SLI."""
    if name := spec.get("indicatorRef"):
        if str(name) not in indicators:
            raise OpenSloError(f"a file that also holds the SLI {name}")
        return _metric(_table(indicators[str(name)].get("spec")))
    return _metric(_table(_table(spec.get("indicator")).get("spec")))


def _metric(table: Mapping[str, Any]) -> Mapping[str, Any]:
    if "thresholdMetric" in table:
        raise OpenSloError("a ratioMetric: a threshold on a gauge counts no events")
    inner = _table(_table(table.get("indicator")).get("spec")) or table
    return _table(inner.get("ratioMetric") or inner.get("ratioMetrics"))


def _counts(metric: Mapping[str, Any]) -> tuple[str, str]:
    counter = bool(metric.get("counter", False))
    total, bad, good = (_query(metric.get(name)) for name in ("total", "bad", "good"))
    if not total or not (bad or good):
        raise OpenSloError("a ratioMetric with total, and good or bad")
    whole = windowed(total, counter=counter)
    if bad:
        return whole, windowed(bad, counter=counter)
    # An absent count of good ones is none: every event was bad then (promise 14).
    return whole, f"({whole}) - (({windowed(good, counter=counter)}) or 0 * ({whole}))"


def _query(metric: object) -> str:
    table = _table(metric)
    source = _table(table.get("metricSource"))
    if str(source.get("type", "Prometheus")).lower() != "prometheus":
        raise OpenSloError("a metricSource of type Prometheus")
    spec = _table(source.get("spec"))
    return str(spec.get("query") or spec.get("promql") or table.get("query") or "")


def _objective(target: Mapping[str, Any]) -> float:
    share = target.get("target", target.get("targetPercent"))
    if not isinstance(share, int | float):
        raise OpenSloError("objectives with target or targetPercent")
    return round(share * 100, 8) if "target" in target else float(share)


def _window(spec: Mapping[str, Any]) -> str:
    windows = [_table(each) for each in spec.get("timeWindow") or spec.get("timeWindows") or ()]
    one = windows[0] if len(windows) == 1 else {}
    if "calendar" in one or one.get("isRolling") is False:
        raise OpenSloError("a rolling timeWindow: a calendar's is not pult's")
    written = str(one.get("duration") or f"{one.get('count', '')}{_UNITS.get(str(one.get('unit', '')).lower(), '')}")
    if not _DURATION.fullmatch(written):
        raise OpenSloError("one timeWindow of minutes, hours, days or weeks")
    return written


def _named(document: Mapping[str, Any]) -> str:
    return str(_table(document.get("metadata")).get("name", ""))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
