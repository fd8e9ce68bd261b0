"""The webhook body, version 4: the same bytes as Alertmanager 0.25 sends."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.simulator.alertmanager.alerts import RECEIVER, Alert
from bot.simulator.alertmanager.wire import NEVER, dump, nanos

GROUP_BY = ("alertname", "service")


def grouped(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels an alert is grouped by."""
    return {name: labels[name] for name in GROUP_BY if name in labels}


def group_key(route: str, group: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{name}={_quoted(value)}" for name, value in sorted(group.items()))
    return f"{route}:{{{pairs}}}"


def body(key: str, group: Mapping[str, str], alerts: Iterable[Alert], now: datetime, external_url: str) -> bytes:
    """*alerts* must not be empty."""
    chosen = sorted(alerts, key=Alert.order)
    firing = any(not alert.resolved(now) for alert in chosen)
    return dump(
        {
            "receiver": RECEIVER,
            "status": "firing" if firing else "resolved",
            "alerts": [_alert(alert, now) for alert in chosen],
            "groupLabels": _sorted(group),
            "commonLabels": _common([alert.labels for alert in chosen]),
            "commonAnnotations": _common([alert.annotations for alert in chosen]),
            "externalURL": external_url,
            "version": "4",
            "groupKey": key,
            "truncatedAlerts": 0,
        }
    )


def _alert(alert: Alert, now: datetime) -> dict[str, object]:
    resolved = alert.resolved(now)
    return {
        "status": "resolved" if resolved else "firing",
        "labels": _sorted(alert.labels),
        "annotations": _sorted(alert.annotations),
        "startsAt": nanos(alert.starts),
        "endsAt": nanos(alert.ends) if resolved else NEVER,
        "generatorURL": alert.generator,
        "fingerprint": alert.fingerprint,
    }


def _common(maps: list[Mapping[str, str]]) -> dict[str, str]:
    first, rest = maps[0], maps[1:]
    return _sorted({name: value for name, value in first.items() if all(one.get(name) == value for one in rest)})


def _sorted(given: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(given.items()))


def _quoted(value: str) -> str:
    """As Go's ``%q`` for the characters that matter in a label."""
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'
