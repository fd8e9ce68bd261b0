"""Promises 19 to 21: fence before promote, always; no majority on missing data; the drill changes nothing."""

import pytest

from tests.department import Department, until
from tests.promises.stores import ALSO_TWO, TWO
from tests.pult_process import Pult


@pytest.mark.parametrize(
    ("store_url", "region"),
    [("sqlite", ""), ("sqlite", "nyc2"), pytest.param("replicas", "nyc2", marks=TWO.marks)],
    indirect=["store_url"],
    ids=["both regions up", "nyc2 down", "nyc2 down, replicas"],
)
async def test_p19_at_no_instant_do_both_take_writes(pult: Pult, department: Department, region: str) -> None:
    if region:
        await department.fault("region_down", region)
    async with department.one_writer():
        ident = await pult.proposed("anna", "failover nyc2 to sfo3")
        assert (await pult.ask("chen", f"approve {ident}"))["ok"]
        await pult.becomes(ident, "succeeded")
        await department.recovers()
        assert department.cloud.writable() == {"db-sfo3"}
    assert department.cloud.traffic() == "sfo3"
    asked = [path for method, path in department.cloud.calls if method != "GET"]
    order = [next(at for at, path in enumerate(asked) if word in path) for word in ("firewall", "promote", "/records/")]
    assert order == sorted(order)


@ALSO_TWO
async def test_p19_a_fence_that_cannot_be_set_pauses_and_is_not_skipped(pult: Pult, department: Department) -> None:
    async with department.one_writer():
        ident = await pult.proposed("anna", "failover nyc2 to sfo3")
        await department.fault("slow", "digitalocean", delay=0.5)
        await pult.ask("chen", f"approve {ident}")
        await until("the fence is not on its way", lambda: _fencing(pult, ident))
        await department.fault("error", "digitalocean")
        card = await pult.becomes(ident, "paused")
        assert "✖ " in card
        assert "skip" not in card.lower()
        assert not (await pult.ask("chen", f"resume {ident} skip"))["ok"]
        assert department.cloud.primaries() == {"db-nyc2": "nyc2"}
        await department.recovers()
        assert (await pult.ask("chen", f"resume {ident} retry"))["ok"]
        await pult.becomes(ident, "succeeded")
        assert department.cloud.writable() == {"db-sfo3"}


@ALSO_TWO
async def test_p20_one_witness_or_missing_data_is_no_majority(pult: Pult, department: Department) -> None:
    await department.fault("error", "prometheus")
    await department.fault("drop", "kubernetes")
    status = (await pult.ask("anna", "failover status"))["text"]
    assert "does not know" in status
    await department.recovers()
    await department.fault("region_down", "nyc2")
    assert "A majority sees nyc2 lost" in (await pult.ask("anna", "failover status"))["text"]
    await department.recovers()
    status = (await pult.ask("anna", "failover status"))["text"]
    assert "No majority sees nyc2 lost" in status
    assert pult.count("operations") == 0


@ALSO_TWO
async def test_p21_the_drill_runs_the_plan_and_changes_nothing(pult: Pult, department: Department) -> None:
    before = await department.world()
    steps = []
    for words in ("failover nyc2 to sfo3", "drill"):
        plan = await pult.ask("chen", words)
        steps.append([line[2:] for line in plan["text"].splitlines() if line.startswith("· ")])
        if words != "drill":
            assert (await pult.ask("chen", f"cancel {plan['op']}"))["ok"]
    assert steps[0] == steps[1] != []
    assert (await pult.ask("anna", f"approve {plan['op']}"))["ok"]
    assert "Nothing was changed" in await pult.becomes(str(plan["op"]), "succeeded")
    after = await department.world()
    for part in ("primaries", "writable"):
        assert before["database"][part] == after["database"][part]
    assert before["traffic"] == after["traffic"]
    assert {method for method, _ in department.cloud.calls} == {"GET"}
    assert not [
        call for region in ("nyc2", "sfo3") for call in department.cluster(region).calls if call.verb == "patch"
    ]


async def _fencing(pult: Pult, ident: str) -> bool:
    """The lag is known, and the next step has begun."""
    card = (await pult.ask("anna", f"op {ident}"))["text"]
    return "✔ Replication lag" in card
