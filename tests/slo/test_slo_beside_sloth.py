"""Beside Sloth, on the same samples: the same decision at every moment of two days."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import yaml

from bot.domain.slo import Slo
from tests.slo import sloth
from tests.slo.proofs import Proof, availability, rule_file, steps

EVERY, HOUR = timedelta(minutes=2), timedelta(hours=1)
LONG = 48 * HOUR
SEVERITIES = {"page": "critical", "ticket": "warning"}
LIVELY = {30: 31, 28: 20}
"""Days of the SLO's window → seed of a history in which both alerts come and go seven times or more."""


def history(seed: int) -> Iterator[tuple[float, float]]:
    """Traffic that swings, outages of minutes, slow burns of hours, and nights without any request."""
    chance, left = random.Random(seed), LONG
    while left > timedelta():
        length = min(left, EVERY * chance.choice((2, 5, 15, 45, 150)))
        share = chance.choice((0.0, 0.0, 0.0, 0.0004, 0.0015, 0.01, 0.03, 0.3))
        share = share if length < HOUR else min(share, 0.0004)
        yield from steps((length, chance.choice((0.0, 20.0, 600.0, 600.0, 2400.0)), share), every=EVERY)
        left -= length


def firing(theirs: str, ours: str, service: str) -> tuple[str, str]:
    """PromQL: Sloth's alert fires; pult's does. One series without labels each, or none."""
    return (
        f'max(ALERTS{{alertname="SlothBurn",sloth_severity="{theirs}",sloth_service="{service}"}})',
        f'max(ALERTS{{alertname="SloBurn",severity="{ours}",service="{service}",alertstate="firing"}})',
    )


def minutes_of(promql: str) -> str:
    return f"count_over_time(({promql})[{int(LONG / HOUR)}h:2m])"


def test_decisions_are_those_of_sloth(tmp_path: Path) -> None:
    slos = [availability(f"s{days}", window=timedelta(days=days)) for days in LIVELY]
    proof = Proof(every=EVERY)
    for slo in slos:
        proof.requests(history(LIVELY[slo.window.days]), slo.service)
        for pair in SEVERITIES.items():
            theirs, ours = firing(*pair, slo.service)
            proof.reads(LONG, minutes_of(f"({theirs} unless {ours}) or ({ours} unless {theirs})"), {})
            proof.reads(LONG, f"{minutes_of(theirs)} / {LONG / EVERY} > bool 0.02", {"{}": 1})
            proof.reads(LONG, f"{minutes_of(theirs)} / {LONG / EVERY} < bool 0.9", {"{}": 1})
    proof.holds(tmp_path, rule_file(tmp_path, slos, whole=False), _theirs(tmp_path, slos))


def test_decisions_differ_where_few_requests_prove_little(tmp_path: Path) -> None:
    """What the guard changes, and nothing else: one of ten requests in six hours fails, and Sloth wakes somebody."""
    slo = availability("quiet", min_requests=100)
    proof = Proof(every=EVERY).requests(((10 / 180, 0.1) for _ in range(180)), "quiet")
    theirs, ours = firing("page", "critical", "quiet")
    proof.reads(6 * HOUR, theirs, {"{}": 1}).reads(6 * HOUR, minutes_of(ours), {})
    proof.holds(tmp_path, rule_file(tmp_path, [slo], whole=False), _theirs(tmp_path, [slo]))


def _theirs(folder: Path, slos: list[Slo]) -> Path:
    path = folder / "sloth.yml"
    path.write_text(yaml.safe_dump(sloth.rule_file(slos)))
    return path
