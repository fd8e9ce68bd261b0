"""The shipped monitoring files as the tests see them, and the programs that judge them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.cli import slo
from config.loader import EXAMPLE
from config.loader import load as load_settings
from tests import real

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yml"))
OWN_SLOS = MONITORING / "slo" / "pult.yml"
LOG_RULES = MONITORING / "logs" / "rules.yml"
BOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs" / "runbooks"


@dataclass(frozen=True)
class Rule:
    """One rule and the file that holds it."""

    file: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Of an alert; empty for a recording rule."""
        return str(self.body.get("alert", ""))

    @property
    def severity(self) -> str:
        return str(self.body.get("labels", {}).get("severity", ""))

    @property
    def expr(self) -> str:
        return str(self.body["expr"])

    def __str__(self) -> str:
        return f"{self.name}-{self.severity}"


def rules() -> Iterator[Rule]:
    """Every rule, recording ones too."""
    for path in RULES:
        for group in load(path)["groups"]:
            yield from (Rule(path.name, body) for body in group["rules"])


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.name]


def of_logs() -> list[Rule]:
    """The alerts that Loki's ruler raises; what they ask is LogQL."""
    return [Rule(LOG_RULES.name, body) for group in load(LOG_RULES)["groups"] for body in group["rules"]]


@cache
def generated() -> list[Rule]:
    """The alerts that ``pult slo rules`` writes for the example's SLOs: availability, latency, freshness."""
    whole = yaml.safe_load(slo.rules(load_settings(EXAMPLE, sealed=True), timedelta(seconds=30)))
    found = [Rule("", body) for group in whole["groups"] for body in group["rules"]]
    return [rule for rule in found if rule.name]


@cache
def load(path: Path) -> Any:
    """YAML, or JSON, which is YAML."""
    return yaml.safe_load(path.read_text())


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return _ran(real.installed("promtool", "prometheus"), *arguments)


def amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return _ran(real.installed("amtool", "prometheus-alertmanager"), *arguments)


def _ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
