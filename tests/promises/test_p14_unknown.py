"""Promise 14: missing data is never shown as healthy."""

import re

import pytest

from tests.department import Department
from tests.promises.releases import released
from tests.promises.stores import ALSO_TWO, TWO
from tests.pult_fixtures import Make
from tests.pult_process import Pult

NOT_A_NUMBER = "sum(increase(http_requests_total{job='api'}[$window])) * (0/0)"
NOTHING = "sum(increase(http_requests_total{job='nobody'}[$window]))"
ZERO = "0 * sum(increase(http_requests_total{job='api'}[$window]))"
GOOD = "sum(increase(http_requests_total{job='api'}[$window]))"


def _slo(name: str, total: str, bad: str) -> dict[str, object]:
    return {"service": "bots", "name": name, "kind": "availability", "objective": 99.9, "total": total, "bad": bad}


@ALSO_TWO
async def test_no_data_nan_and_zero_traffic_are_unknown(make: Make) -> None:
    pult = make()
    slos = [
        _slo("nan", NOT_A_NUMBER, NOTHING),
        _slo("nobody", NOTHING, NOTHING),
        _slo("zero", ZERO, NOTHING),
        _slo("nan-bad", GOOD, NOT_A_NUMBER),
        _slo("broken", "sum(increase(x[$window])", NOTHING),
    ]
    pult.configure(slos=slos)
    await pult.start()
    table = (await pult.ask("anna", "slo bots"))["text"]
    rows = [line for line in table.splitlines() if line.startswith("bots ")]
    assert len(rows) == len(slos), table
    for row in rows:
        assert row.count("unknown") == 3, row
    assert "✔" not in table
    status = (await pult.ask("anna", "status bots"))["text"]
    assert status.count("unknown") == len(slos), status


@pytest.mark.parametrize(
    ("store_url", "fault"),
    [
        ("sqlite", "drop"),
        ("sqlite", "error"),
        ("sqlite", "ratelimit"),
        pytest.param("replicas", "drop", marks=TWO.marks),
    ],
    indirect=["store_url"],
)
async def test_a_prometheus_that_does_not_answer_makes_everything_unknown(
    pult: Pult, department: Department, fault: str
) -> None:
    # Another window: what was asked a moment ago is known for a minute, and may be said.
    assert "unknown" not in (await pult.ask("anna", "slo api 7d"))["text"].splitlines()[0]
    await department.fault(fault, "prometheus")
    answer = (await pult.ask("anna", "slo api"))["text"]
    assert "unknown" in answer
    assert "%" not in answer.replace("99.90 %", "").replace("99.00 %", "").replace("99.9 %", "").replace("99 %", "")
    status = (await pult.ask("anna", "failover status"))["text"]
    assert "does not know" in status
    assert "No majority sees nyc2 lost" in status
    assert "Replication lag" in status
    assert "unknown" in status


@ALSO_TWO
async def test_a_dead_region_is_not_healthy_and_not_green(pult: Pult, department: Department) -> None:
    await department.fault("region_down", "sfo3")
    for words in ("status", "pods api"):
        answer = (await pult.ask("anna", words))["text"]
        assert not answer.startswith("✔"), answer
        assert "sfo3 unknown" in answer or "sfo3 does not answer" in answer, answer


@ALSO_TWO
async def test_what_cannot_be_seen_is_not_taken_as_planned(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.1")
    ident = await pult.proposed("anna", "promote api 1.8.1")
    department.cluster("nyc2").deny("get", "deployments")
    await pult.ask("boris", f"approve {ident}")
    assert "Nothing was changed" in await pult.becomes(ident, "failed")


@ALSO_TWO
async def test_an_unknown_lag_stops_the_failover_before_the_fence(pult: Pult, department: Department) -> None:
    before = await department.world()
    ident = await pult.proposed("anna", "failover nyc2 to sfo3")
    await department.fault("error", "prometheus")
    await pult.ask("chen", f"approve {ident}")
    assert "replication lag" in await pult.becomes(ident, "paused")
    assert not department.cloud.fenced("db-nyc2")
    assert (await department.world())["database"]["primaries"] == before["database"]["primaries"]


@pytest.mark.alone
@pytest.mark.parametrize("source", ["prometheus", "digitalocean"])
async def test_what_nobody_measures_or_prices_costs_no_zero(pult: Pult, department: Department, source: str) -> None:
    await department.fault("error", source)
    for words in ("cost", "cost web", "cost by region"):
        answer = (await pult.ask("anna", words))["text"]
        assert not re.search(r"\$0(\.00)?(?![.\d])", answer), answer
        assert "Not in these figures, so the true sum is higher:" in answer
        assert "does not answer: what it knows is missing here." in answer
        assert "at least" in answer.splitlines()[0] or "not known" in answer.splitlines()[0], answer
