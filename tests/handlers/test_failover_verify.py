"""Whether a region serves, by its SLOs: measured there alone, bad minutes pass, and unknown is never healthy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.codec import encode
from bot.domain.errors import UserError
from bot.domain.failover_course import Course, Kind
from bot.domain.phrases import phrase
from bot.domain.slo import Slo
from bot.ports.flows import Did
from handlers.flows.failover_tools import Leg, Tools
from handlers.flows.failover_users import GRACE, Users
from tests.handlers.department import SLOS, Department
from tests.handlers.fakes import NOON, FakeBudgets, FakeSay

WAITS = Slo("api", "queue", "freshness", 1.0, timedelta(days=30), "", "max(age)", threshold=300.0)


class Bench:
    """After traffic came to sfo3, which serves as far as database, traffic and probes tell."""

    def __init__(self, department: Department, *slos: Slo) -> None:
        self.department, self.budgets, self.progress = department, FakeBudgets(), list[str]()
        department.database.becomes(promoted=True, fenced=True)
        department.traffic.to = "sfo3"
        ports = department.ports
        self.tools = Tools(
            ports.store, ports.clock, ports.cluster, ports.scaling, None, ports.examine, slos or SLOS[:1],
            self.budgets, regions={"nyc2": "us-east", "sfo3": "us-west"},  # type: ignore[arg-type]
        )  # fmt: skip
        course = Course(Kind.FAILOVER, "nyc2", "sfo3", timedelta(minutes=1), NOON, probes=("https://x",),
                        services=("api",))  # fmt: skip
        until = (NOON + timedelta(seconds=60)).isoformat()
        shifted = json.dumps({"at": NOON.isoformat(), "until": until})
        self.leg = Leg(course, "op-41c9", department.estate, values={"shift": shifted})

    async def verify(self) -> Did:
        return await Users(self.tools).verify(self.leg, FakeSay(self.department.clock.now(), self.progress))

    @property
    def waited(self) -> timedelta:
        return self.department.clock.now() - NOON


def figures(did: Did) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(did.value)
    return found


async def test_the_region_that_took_over_is_measured_alone(department: Department) -> None:
    bench = Bench(department)
    bench.budgets.apart = [{"us-east": 900.0, "us-west": 0.3}]
    did = await bench.verify()
    assert did.said.plain().endswith("api availability burns 0.3×")
    assert figures(did)["verified"] is True
    assert bench.waited < timedelta(seconds=30)


async def test_a_bad_minute_of_arriving_passes(department: Department) -> None:
    bench = Bench(department)
    bench.budgets.apart = [{"us-west": 80.0}, {"us-west": 9.0}, {"us-west": 0.2}]
    did = await bench.verify()
    assert figures(did)["verified"] is True
    assert "waiting for api availability burns 80.0×" in bench.progress


async def test_what_stays_bad_fails(department: Department) -> None:
    bench = Bench(department)
    bench.budgets.apart = [{"us-west": 80.0}]
    with pytest.raises(UserError, match="sfo3 serves, but badly: api availability burns 80"):
        await bench.verify()
    assert bench.waited >= timedelta(seconds=60) + GRACE, "old answers live on for a minute"


@pytest.mark.parametrize(
    "apart", [{"us-west": None}, {"us-east": 0.1}], ids=["no answer", "only the other region is heard"]
)
async def test_a_region_that_says_nothing_is_not_verified(
    department: Department, apart: Mapping[str, float | None]
) -> None:
    bench = Bench(department)
    bench.budgets.apart = [apart]
    did = await bench.verify()
    assert "not verified: api availability unknown" in did.said.plain()
    assert figures(did) == figures(did) | {
        "verified": False,
        "unverified": [encode(phrase("{slo} unknown", slo="api availability"))],
    }


async def test_metrics_that_tell_no_regions_apart_are_taken_as_a_whole(department: Department) -> None:
    bench = Bench(department)
    did = await bench.verify()
    assert "api availability burns 0.3×" in did.said.plain()


@pytest.mark.parametrize(("ages", "verified"), [([900.0, 20.0], True), ([None], False), ([float("nan")], False)])
async def test_what_must_not_wait_too_long(department: Department, ages: list[float | None], verified: bool) -> None:
    bench = Bench(department, WAITS)
    bench.budgets.ages = ages
    assert figures(await bench.verify())["verified"] is verified


async def test_nothing_that_could_tell_is_said(department: Department) -> None:
    bench = Bench(department, SLOS[1])
    did = await bench.verify()
    assert figures(did)["unverified"] == [encode(phrase("no SLO of what moved is configured"))]
