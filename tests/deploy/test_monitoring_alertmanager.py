"""The shipped Alertmanager configuration: who gets what, and what mutes what, asked of the real programs."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import real
from tests.deploy.monitoring import MONITORING, Rule, alerts, amtool, generated, load, of_logs

CONFIG = MONITORING / "alertmanager.yml"
PULT, AROUND, WATCHDOG = "pult", "around-pult", "watchdog"
DEAF = {"PultDown", "PultAbsent", "PultHearsNothing"}
"""What pult could not say itself."""
Labels = Mapping[str, str]


def test_amtool_accepts_the_configuration() -> None:
    done = amtool("check-config", CONFIG)
    assert done.returncode == 0, done.stdout + done.stderr


EVERY = list({str(alert): alert for alert in (*alerts(), *of_logs(), *generated())}.values())
"""Generated ones are the same for each SLO."""


@pytest.mark.parametrize("alert", EVERY, ids=str)
def test_every_alert_reaches_its_receivers(alert: Rule) -> None:
    labels = {"service": "api", "region": "nyc2"} | alert.body["labels"] | {"alertname": alert.name}
    assert _receivers(labels) == _wanted(alert)


def _wanted(alert: Rule) -> str:
    if alert.name in DEAF:
        return AROUND
    if alert.body["labels"].get("service") == "pult" and alert.severity == "critical":
        return f"{AROUND},{PULT}"
    return WATCHDOG if alert.name == "Watchdog" else PULT


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"alertname": "Anything", "severity": "info"}, PULT),
        ({"alertname": "Misspelt", "severity": "critcal"}, PULT),
        ({"alertname": "Bare"}, PULT),
        ({"alertname": "SloMissed", "severity": "critical", "service": "pult"}, f"{AROUND},{PULT}"),
        ({"alertname": "VolumeFillingUp", "severity": "critical", "service": "pult"}, f"{AROUND},{PULT}"),
        ({"alertname": "Other", "severity": "critical", "service": "pultry"}, PULT),
    ],
    ids=lambda value: value if isinstance(value, str) else value["alertname"],
)
def test_whatever_comes_reaches_somebody(labels: Labels, receivers: str) -> None:
    assert _receivers(labels) == receivers


def _receivers(labels: Labels) -> str:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *pairs)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_pult_is_called_as_it_wants_to_be() -> None:
    receivers = {each["name"]: each for each in load(CONFIG)["receivers"]}
    for name in (PULT, WATCHDOG):
        (hook,) = receivers[name]["webhook_configs"]
        assert hook["url"].endswith("/webhooks/alertmanager")
        assert hook["send_resolved"] is True
        assert 0 < hook["max_alerts"] <= 500
        assert hook["http_config"]["authorization"].keys() == {"credentials_file"}
    assert receivers[AROUND].keys() == {"name", "email_configs", "slack_configs"}, "no webhook: it goes around pult"


def _routes(route: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in route.get("routes", ()):
        yield each
        yield from _routes(each)


def test_the_clock_never_mutes_a_page() -> None:
    """Only routes that say which lesser level they are for look at the clock, and none of pult's own alerts waits."""
    timed = [
        each
        for each in _routes(load(CONFIG)["route"])
        if {"mute_time_intervals", "active_time_intervals"} & each.keys()
    ]
    assert timed
    for route in timed:
        assert {"severity = warning", "severity = info"} & set(route["matchers"])
        assert "severity = info" in route["matchers"] or "service != pult" in route["matchers"]


def test_what_a_clock_names_exists() -> None:
    whole = load(CONFIG)
    named = {
        name
        for route in _routes(whole["route"])
        for key in ("mute_time_intervals", "active_time_intervals")
        for name in route.get(key, ())
    }
    assert named == {each["name"] for each in whole["time_intervals"]}


@pytest.mark.parametrize("name", ["NodeCpuHigh", "PodPending", "PodRestarting", "TargetDown"])
def test_what_an_upgrade_of_nodes_does_is_held_back_as_a_warning_only(name: str) -> None:
    assert _held({"alertname": name, "severity": "warning", "service": "api"})
    assert not _held({"alertname": name, "severity": "critical", "service": "api"})
    assert not _held({"alertname": name, "severity": "warning", "service": "pult"})
    assert not _held({"alertname": "ErrorRateHigh", "severity": "warning", "service": "api"})


def _held(labels: Labels) -> bool:
    """Whether the route that takes *labels* looks at the clock: amtool shows each route by its matchers."""
    shown = amtool(
        "config", "routes", "test", "--tree", f"--config.file={CONFIG}", *(f"{a}={b}" for a, b in labels.items())
    )
    assert shown.returncode == 0, shown.stderr
    return 'alertname=~"NodeCpuHigh' in shown.stdout


def test_no_secret_stands_in_the_file() -> None:
    inline = ("password:", "credentials:", "api_url:", "token:", "hooks.slack.com")
    assert [word for word in inline if word in CONFIG.read_text()] == []


# --- what mutes what ---

NYC2, SFO3 = {"region": "nyc2"}, {"region": "sfo3"}
API = {"alertname": "ErrorRateHigh", "service": "api"}
CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
LOST = {"alertname": "RegionUnreachable", "service": "platform", **CRITICAL}
SELF = {"service": "pult"}
DOWN = {"alertname": "PultDown", **SELF, **CRITICAL}
LATE = {"alertname": "PultUndelivered", **SELF, **CRITICAL}
BURN = {"alertname": "SloBurn", "service": "api"}
REFUSED = {"alertname": "PultWebhooksRefused", **SELF}


@pytest.mark.parametrize(
    ("fire", "muted"),
    [
        pytest.param([API | CRITICAL | NYC2, API | WARNING | NYC2], [1], id="critical mutes its own warning"),
        pytest.param([API | CRITICAL | NYC2, API | WARNING | SFO3], [], id="not the other region's"),
        pytest.param([API | CRITICAL, API | WARNING | {"service": "web"}], [], id="not another service's"),
        pytest.param(
            [API | CRITICAL, API | WARNING | {"alertname": "PodRestarting"}], [], id="not what may be the cause"
        ),
        pytest.param(
            [BURN | CRITICAL | {"slo": "latency"}, BURN | WARNING | {"slo": "availability"}], [], id="not another SLO's"
        ),
        pytest.param(
            [REFUSED | CRITICAL | {"source": "flux"}, REFUSED | WARNING | {"source": "github"}],
            [],
            id="not another source's",
        ),
        pytest.param(
            [LOST | NYC2, API | CRITICAL | NYC2, API | WARNING | SFO3, {"alertname": "Watchdog"} | NYC2, DOWN | NYC2],
            [1],
            id="a lost region mutes what is in it, not who watches and tells",
        ),
        pytest.param([LOST, API | CRITICAL], [], id="without a region nothing is in it"),
        pytest.param(
            [DOWN | NYC2, LATE | NYC2, LATE | SFO3, API | CRITICAL], [1], id="pult down mutes what it explains"
        ),
    ],
)
def test_what_mutes_what(fire: list[Labels], muted: list[int], alertmanager: real.Program) -> None:
    _post(alertmanager, fire)
    ends = time.monotonic() + real.PATIENCE
    while (found := _inhibited(alertmanager)) is None or len(found) < len(fire):
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert {at for at, labels in enumerate(fire) if found[_frozen(labels)]} == set(muted)


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[real.Program]:
    """The shipped configuration, with nobody at its addresses: here it only decides."""
    with real.alertmanager(tmp_path, CONFIG.read_text()) as program:
        yield program


def _post(program: real.Program, fire: list[Labels]) -> None:
    body = json.dumps([{"labels": dict(labels), "endsAt": "2099-01-01T00:00:00Z"} for labels in fire]).encode()
    head = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{program.url}/api/v2/alerts", body, head), timeout=5).close()


def _inhibited(program: real.Program) -> dict[frozenset[tuple[str, str]], bool] | None:
    """Alert → whether another one mutes it; None until all are judged."""
    with urllib.request.urlopen(f"{program.url}/api/v2/alerts", timeout=5) as answer:
        known = json.load(answer)
    if any(each["status"]["state"] == "unprocessed" for each in known):
        return None
    return {_frozen(each["labels"]): bool(each["status"]["inhibitedBy"]) for each in known}


def _frozen(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
