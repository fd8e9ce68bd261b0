"""``make monitoring`` writes what is made from other files: dashboards, pult's own SLOs, rules for the operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.cli.slo import HEAD as FROM_SLOS
from bot.cli.slo import rules as slo_rules
from config.loader import EXAMPLE, load
from deploy.monitoring.generate import node, pult, service, slo
from deploy.monitoring.generate.panels import dashboard

HERE = Path(__file__).parents[1]
BOARDS = (service.BOARD, slo.BOARD, pult.BOARD, node.BOARD)
SCRAPE = timedelta(seconds=30)
"""The longest scrape interval that the rules allow."""
OWN = "slo/pult/"
"""Names of the groups of pult's own SLOs begin so."""
HEAD = "# Written by `make monitoring` from ../rules and ../slo: change those, then write this file anew.\n"


def files() -> dict[Path, str]:
    """Every file that is made, and what it has to hold."""
    boards = {HERE / "dashboards" / f"{board.uid}.json": _json(dashboard(board)) for board in BOARDS}
    own = own_slos()
    return {**boards, HERE / "slo" / "pult.yml": own, HERE / "operator" / "prometheusrules.yaml": operated(own)}


def own_slos() -> str:
    """What `pult slo rules` writes for pult's own promises, of the example's SLOs."""
    whole = yaml.safe_load(slo_rules(load(EXAMPLE, sealed=True), SCRAPE))
    groups = [group for group in whole["groups"] if group["name"].startswith(OWN)]
    return FROM_SLOS + _yaml({"groups": groups})


def operated(own: str) -> str:
    """A PrometheusRule for each file of rules."""
    found = {path.stem: path.read_text() for path in sorted((HERE / "rules").glob("*.yml"))} | {"slo": own}
    return HEAD + "---\n".join(_yaml(document) for document in _rules(found))


def _rules(found: dict[str, str]) -> Iterator[dict[str, Any]]:
    for name, text in found.items():
        meta = {"name": f"pult-{name}", "labels": {"app.kubernetes.io/part-of": "pult", "role": "alert-rules"}}
        spec = {"groups": yaml.safe_load(text)["groups"]}
        yield {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": meta, "spec": spec}


def _json(whole: dict[str, Any]) -> str:
    return json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _yaml(whole: dict[str, Any]) -> str:
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=10_000)


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
