"""Somebody used kubectl: told once for each place with who it was, and over when pult or Argo CD put it right."""

from __future__ import annotations

import pytest

from tests.department import OPS, Department, until
from tests.pult_fixtures import Make, fresh
from tests.releasing import ARGO, PRODUCTION, announced, by_hand, done, rolled, runs, serves

__all__ = ["fresh"]
ROUND = 60
"""Seconds between two looks; what differs in two of them is told."""


@pytest.mark.timeout(300)
async def test_kubectl_is_noticed_told_and_put_right(make: Make, department: Department) -> None:
    pult = make()
    serves(pult, "api", {**PRODUCTION, "gitops": ARGO})
    serves(pult, "bots", PRODUCTION)
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.0")
    await announced(pult, department, "bots", "3.2.0", "3.2.1")
    await done(pult, "promote bots 3.2.1", "boris")
    await by_hand(department, "bots", "3.2.0")
    await by_hand(department, "api", "1.8.0")
    await pult.restart()  # looks at once
    found = await until("drift is not told", lambda: _both(department), 60 + 2 * ROUND)
    told = " ".join(str(each) for each in found)
    assert "3.2.1" in told
    assert "kubectl-set" in told
    await done(pult, "sync api")
    await done(pult, "rollback bots to 3.2.1", "anna")
    await rolled(department, "bots", "3.2.1")
    assert runs(department, "api") == "1.7.2"
    await pult.restart()
    await until("drift is not over", lambda: _over(department), 60 + ROUND)


async def _both(department: Department) -> list[dict]:
    cards = [each for each in await department.slack_messages(OPS, "Drift") if not each["thread_ts"]]
    return cards if len(cards) == 2 else []


async def _over(department: Department) -> bool:
    cards = await department.slack_messages(OPS, "Resolved: Drift")
    return len([each for each in cards if not each["thread_ts"]]) == 2
