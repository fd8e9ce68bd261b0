"""The whole of it on a real PostgreSQL pair: witnesses, a proposal by pult, two people on two platforms, figures."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from tests.department import OPS, OPS_TG, Department, until
from tests.e2e.test_failover_self_run import fresh, started
from tests.e2e.test_regions import proposal
from tests.postgres_load import EVERYBODY, Load, loaded
from tests.postgres_pair import Pair, pair
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.releasing import says

__all__ = ["fresh", "pair", "probe"]
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]
HOLD = 3.0
BEHIND, GRAIN = 4.0, 3.0
"""Seconds that the standby lacks; and how coarse a lag is that heartbeats tell, one a second, on a busy machine."""
WITNESSES = [
    {"name": "kubernetes-nyc2", "cluster": "nyc2"},
    {"name": "database-nyc2", "database": True},
    {"name": "prometheus", "query": "max(up{job='api',region='nyc2'})"},
]


@pytest.mark.parametrize("behind", [False, True], ids=["in step", "cut off before"])
async def test_from_the_kill_to_the_other_region_by_two_people_on_two_platforms(
    make: Make, department: Department, probe: Probe, pair: Pair, behind: bool,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    pult = await started(make, probe, pair, failover__witnesses=WITNESSES, failover__hold=f"{HOLD:g}s")
    with loaded(pair, EVERYBODY) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 300))
        if behind:
            await cut_off(pair, load)
        died = time.monotonic()
        pair.nyc2.kill()
        await department.fault("drop", "kubernetes:/nyc2")  # Prometheus still sees it up: two of three are enough
        ident = await until("pult proposes nothing", lambda: proposal(pult))
        detected = time.monotonic()
        assert "Witness database-nyc2" in (await pult.ask("anna", f"op {ident}", locale="en"))["text"]
        await approvals(pult, department, ident)
        card = await pult.becomes(ident, "succeeded")
        await until("the new one is not written to", lambda: load.exceeds(pair.sfo3, 200))
        first = load.accepted(pair.sfo3)[0]
    last = load.accepted(pair.nyc2)[-1].acknowledged
    assert last < first.asked, "both were written to"
    lost, lag = load.lost(pair.sfo3, by=pair.nyc2), told(card)
    span = last - min((each.acknowledged for each in lost), default=last)
    assert span <= lag, "more is lost than the reported lag"
    if behind:
        assert lag <= span + GRAIN, "less is lost than the reported lag"
    figures = {
        "detected_seconds": detected - died, "approved_to_writes_seconds": first.acknowledged - detected,
        "kill_to_writes_seconds": first.acknowledged - died, "rpo_told_seconds": lag,
        "lost_seconds": span, "rows_lost": len(lost), "rows_accepted": len(load.accepted(pair.nyc2)),
    }  # fmt: skip
    for name, value in figures.items():
        record_property(name, value)
        print(f"{name} {value:.1f}")
    assert figures["detected_seconds"] >= HOLD, "the majority has to last"
    report = (await pult.ask("anna", f"failover report {ident}", locale="en"))["text"]
    assert "Seen lost, until it was proposed" in report


async def cut_off(pair: Pair, load: Load) -> None:
    """The standby hears no more, and the primary is written to."""
    pair.cut_off()
    since = time.monotonic()

    async def written() -> bool:
        return load.accepted(pair.nyc2)[-1].acknowledged > since + BEHIND

    await until("no writes that the standby lacks", written)


async def approvals(pult: Pult, department: Department, ident: str) -> None:
    """One in Slack, who counts once wherever else she presses; and another one in Telegram, by the card's button."""
    await department.slack("slash", user="U0ANNA", channel=OPS, text=f"approve {ident}")
    await says(pult, ident, "1 of 2: anna")
    await department.telegram("say", user=1001, text=f"/approve {ident}")
    await department.telegram_shows("one person counts once", 1001)
    assert await pult.state(ident) == "waiting for approval"
    await department.telegram("press", user=1003, chat=OPS_TG, button="Approve")
    await department.telegram("press", user=1003, chat=OPS_TG, button="Confirm: Approve")


def told(card: str) -> float:
    """The RPO of the report's step, in seconds: of a standby that lost nothing it says 0."""
    found = re.search(r"RPO (\S+)\s(ms|s|min),", card)
    assert found, card
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "min": 60.0}[found[2]]
