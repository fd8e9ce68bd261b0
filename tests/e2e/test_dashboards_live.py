"""Every query of the dashboards, asked of a real Prometheus with the shipped rules, in front of a real pult.

It scrapes pult, and the series of the simulated department as they are. Of exporters that the department lacks, one
series each of the shipped list stands in, with the labels that the list names: a join of labels that do not fit would
come out empty all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.cli import slo
from config.loader import EXAMPLE
from config.loader import load as load_settings
from tests import real
from tests.department import Department, Json, until
from tests.deploy.monitoring import RULES
from tests.deploy.queries import Asked, asked, outside
from tests.exporter import Exporter
from tests.promises.alerts import fires
from tests.pult_process import Pult

POD = "api-7d9f8b6c5d-b4k8x"
"""One that the department's cAdvisor tells of."""
LABELS = {
    "namespace": "production", "pod": POD, "container": "api", "owner_kind": "ReplicaSet",
    "owner_name": "api-7d9f8b6c5d", "owner_is_controller": "true", "phase": "Running", "resource": "cpu",
    "persistentvolumeclaim": "data", "deployment": "api", "horizontalpodautoscaler": "api", "cpu": "0", "mode": "idle",
    "fstype": "ext4", "mountpoint": "/", "prober": "ams3", "rule_group": "g", "integration": "webhook",
    "reason": "ingester_error", "node": "nyc2-pool-a-1", "service": "api",
}  # fmt: skip
OF_PULT = {"namespace": "pult", "pod": "pult-0", "container": "pult"}
QUIET = {
    "pult_operation_total": "no operation has ended",
    "slo:period_error_budget_remaining:ratio": "the whole window is read in steps of 5 minutes: there is none yet",
    "slo:period_burn_rate:ratio": "the same",
    "slo:period_seen:ratio": "the same",
    "slo:sli_missed:increase5m": "where nothing was delivered before the second sample, no rise is seen",
}
"""Series that may be missing here, and why. Their queries are asked all the same."""


class Others(Exporter):
    """The department's series, and one of each that it lacks, or tells without a label that is listed."""

    def __init__(self, department: Department) -> None:
        super().__init__(lambda: "")
        self._department = department

    async def _metrics(self, _: web.Request) -> web.Response:
        address, query = f"{self._department.url}/prometheus/api/v1/query", {"query": '{__name__=~".+"}'}
        async with self._department.session.get(address, params=query) as answer:
            found = (await answer.json())["data"]["result"]
        told = {
            each["metric"]["__name__"]
            for each in found
            if outside().get(each["metric"]["__name__"], set()) <= each["metric"].keys()
        }
        lines = [line({**each["metric"]}, each["value"][1]) for each in found]
        return web.Response(text="\n".join([*lines, *stand_ins(told)]) + "\n")


def stand_ins(told: set[str]) -> Iterator[str]:
    for name, labels in outside().items():
        if name in {"up", "ALERTS"}:
            continue
        value = str(time.time() % 1000) if name.endswith("_total") else "1"
        if name not in told:
            yield line({"__name__": name, "region": "nyc2", "instance": "n1", **_values(labels)}, value)
        if {"namespace", "container"} <= labels:
            own = {"resource": "memory"} if "resource" in labels else {}
            yield line({"__name__": name, "region": "nyc2", "instance": "n1", **OF_PULT, **own}, value)
        if "resource" in labels and name not in told:
            yield line(
                {"__name__": name, "region": "nyc2", "instance": "n1", **_values(labels), "resource": "memory"}, value
            )
        if "persistentvolumeclaim" in labels:
            yield line({"__name__": name, "region": "nyc2", **_values(labels), "namespace": "pult"}, value)
    for resource in ("cpu", "memory"):  # the department's containers have a limit of memory alone
        labels = _values(outside()["kube_pod_container_resource_limits"]) | {"resource": resource, "region": "nyc2"}
        yield line({"__name__": "kube_pod_container_resource_limits", "instance": "ksm", **labels}, "1")


def _values(labels: set[str]) -> dict[str, str]:
    return {name: LABELS[name] for name in sorted(labels)}


def line(metric: Mapping[str, str], value: str) -> str:
    pairs = ",".join(f'{name}="{text}"' for name, text in metric.items() if name != "__name__")
    return f"{metric['__name__']}{{{pairs}}} {value}"


def configured(folder: Path, others: Others, pult: Pult) -> str:
    """The shipped rules as they are, and those of all the example's SLOs; looked at four times a second."""
    (folder / "slo.yml").write_text(slo.rules(load_settings(EXAMPLE, sealed=True), timedelta(seconds=30)))
    jobs: list[Json] = [
        {"job_name": "department", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{others.port}"]}]},
        {
            "job_name": "pult",
            "static_configs": [
                {"targets": [pult.url.removeprefix("http://")], "labels": {"service": "pult", "region": "nyc2"}}
            ],
        },
    ]
    often = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    rules = [*map(str, RULES), str(folder / "slo.yml")]
    return yaml.safe_dump({"global": often, "rule_files": rules, "scrape_configs": jobs})


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_every_query_is_answered_and_finds_what_there_is(
    pult: Pult, department: Department, tmp_path: Path
) -> None:
    """Telegram is away, so that something waits; Slack takes what there is. Leases are counted on PostgreSQL alone."""
    await department.fault("drop", "telegram")
    await _happens(pult, department, "First")
    others, folder = Others(department), tmp_path / "prometheus"
    folder.mkdir()
    async with others.serving():
        with real.prometheus(folder, configured(folder, others, pult)) as prometheus:
            await until("rules were not evaluated well", lambda: _healthy(department, prometheus))
            await _happens(pult, department, "Second")
            held = "min(max by (lease) (pult_lease_owner)) == 1"
            await until("a lease is nobody's", lambda: _found(department, prometheus, held))
            for query in asked("prometheus"):
                if any(name in query.expr for name in QUIET):
                    await _found(department, prometheus, query.filled)
                else:
                    await _shown(department, prometheus, query)


async def _happens(pult: Pult, department: Department, name: str) -> None:
    """An alert, a stranger at the door, a question: everything that pult counts."""
    await pult.alert(fires(name))
    await department.slack_shows(name)
    assert (await pult.alert(fires(name), token="somebody else's")).status == 401
    await pult.ask("anna", "status")


async def _shown(department: Department, prometheus: real.Program, query: Asked) -> None:
    await until(f"{query} has nothing: {query.filled}", lambda: _found(department, prometheus, query.filled))


async def _healthy(department: Department, prometheus: real.Program) -> bool:
    found = await real.told(department.session, prometheus.url, "rules")
    health = {rule["health"] for group in found["groups"] for rule in group["rules"]}
    odd = [rule["lastError"] for group in found["groups"] for rule in group["rules"] if rule["health"] == "err"]
    assert not odd
    return health == {"ok"}


async def _found(department: Department, prometheus: real.Program, expr: str) -> list[Any]:
    """What *expr* gives now. AssertionError: Prometheus refuses it."""
    return list((await real.told(department.session, prometheus.url, "query", query=expr))["result"])
