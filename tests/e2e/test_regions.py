"""A region is lost, as its people see it: one page, one card, one proposal; and what must not look like one."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from tests.department import INCIDENTS, Department, until
from tests.pult_fixtures import Make
from tests.pult_process import Pult

LOST = "RegionLost · nyc2"
SOURCE, TARGET = "nyc2", "sfo3"


def moves(pult: Pult, **changes: object) -> None:
    """What the department's own [failover] says, with *changes*."""
    pult.configure(failover={**pult.settings["failover"], **changes})


async def proposal(pult: Pult) -> str | None:
    """The id of what pult proposed."""
    found = re.search(r"(op-\w+)[^\n]*\bpult\b", (await pult.ask("anna", "ops", locale="en"))["text"])
    return found[1] if found else None


async def held(pult: Pult) -> str:
    """The line of ``failover status`` that tells how long the majority has lasted, empty while there is none."""
    text = (await pult.ask("anna", "failover status", locale="en"))["text"]
    found = re.search(r"^Hold +(.+)$", text, re.MULTILINE)
    assert found, text
    return "" if found[1].startswith("none") else found[1]


async def known(pult: Pult, text: str) -> None:
    """Wait until ``status`` tells *text* of the region: then the watch has looked, and written it down."""

    async def says() -> bool:
        return text in " ".join((await pult.ask("anna", "status", locale="en"))["text"].split())

    await until(f"status does not say {text!r}", says)


async def test_from_the_loss_to_the_other_region(make: Make, department: Department) -> None:
    pult = make()
    moves(pult, hold="5s")
    await pult.start()
    await department.fault("region_down", SOURCE)
    card, _ = await department.shows(LOST)
    assert "sees it lost since" in str(card)
    ident = await until("pult proposes nothing", lambda: proposal(pult))
    await department.slack_shows(ident, INCIDENTS)
    assert (await pult.ask("anna", f"approve {ident}"))["ok"]
    assert await pult.state(ident) == "waiting for approval", "pult is nobody: one more has to agree"
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert department.cloud.traffic() == TARGET
    await department.slack_shows(f"{TARGET} serves instead.", INCIDENTS)
    assert f"{TARGET} serves since the last move" in (await pult.ask("anna", "failover status"))["text"]
    await department.recovers()
    await department.slack_shows(f"Resolved: {LOST}", INCIDENTS)
    assert len(await department.cards(LOST)) == 2, "one in each chat"


async def test_a_kill_in_the_middle_of_the_hold_neither_forgets_nor_restarts_it(
    make: Make, department: Department
) -> None:
    pult = make()
    moves(pult, hold="25s")
    await pult.start()
    await department.fault("region_down", SOURCE)
    await known(pult, "a majority sees it lost")
    before = (await held(pult)).partition("since ")[2]
    await pult.restart()
    assert (await held(pult)).partition("since ")[2] == before
    assert await proposal(pult) is None
    await department.shows(LOST)
    ident = await until("pult proposes nothing", lambda: proposal(pult))
    await pult.restart()
    assert await proposal(pult) == ident
    assert len(await department.cards(LOST)) == 2, "one in each chat"


PARTITION = [("drop", "kubernetes"), ("drop", "prometheus"), ("drop", "digitalocean")]


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([("drop", "kubernetes:/nyc2/livez")], "1 lost"),
        ([("error", "prometheus"), ("drop", "kubernetes:/nyc2/livez")], "1 lost, 1 do not know"),
        ([("slow", "kubernetes")], "0 lost, 2 do not know"),
        (PARTITION, "0 lost, 3 do not know"),
    ],
    ids=["one lies", "one lies and Prometheus is silent", "the API is slow", "pult is cut off"],
)
async def test_what_is_no_lost_region(
    make: Make, department: Department, faults: list[tuple[str, str]], says: str
) -> None:
    """Without any hold a single look would do; afterwards a region that is really lost is found by the same watch."""
    pult = make()
    moves(pult, hold="0s")
    await pult.start()
    for fault, target in faults:
        await department.fault(fault, target, delay=7.0)
    text = (await pult.ask("anna", "failover status", locale="en"))["text"]
    assert "No majority sees nyc2 lost" in text
    assert says in text
    if faults is PARTITION:
        assert "it may be cut off itself" in text
        await known(pult, "unknown: no majority sees it up")
    assert await department.slack_messages(INCIDENTS, LOST) == []
    assert await proposal(pult) is None
    await department.recovers()
    await department.fault("region_down", SOURCE)
    await department.shows(LOST)
    assert len(await department.cards(LOST)) == 2, "one in each chat"


async def test_two_of_three_lie_and_the_card_warns(make: Make, department: Department) -> None:
    """Both look from where pult stands: people are asked, and told that it may be the way there."""
    pult = make()
    moves(pult, hold="0s", automatic=True)
    await pult.start()
    for path in ("livez", "version"):
        await department.fault("drop", f"kubernetes:/nyc2/{path}")
    await department.slack_shows("it may be the way there", INCIDENTS)
    ident = await until("pult proposes nothing", lambda: proposal(pult))
    assert await pult.state(ident) == "waiting for approval", "automatic only where somebody else sees it too"
    await department.recovers()
    await department.slack_shows(f"Resolved: {LOST}", INCIDENTS)
    assert await pult.state(ident) == "cancelled"


async def test_the_doctor_tries_each_witness(make: Make, department: Department) -> None:
    pult = make()
    assert [line[:4] for line in await checked(pult)] == ["ok  "] * 3
    await department.fault("drop", "kubernetes:/nyc2/livez")
    await department.fault("error", "prometheus")
    told = {line.split()[2].rstrip(":"): line for line in await checked(pult)}
    assert told["kubernetes-nyc2"].startswith("ok ")
    assert "It sees it lost" in told["probe-from-sfo3"]
    assert "It does not know" in told["prometheus"]


async def checked(pult: Pult) -> list[str]:
    """What ``pult check`` says of the witnesses."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "check", "--config", str(pult.config), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return [line for line in said.decode().splitlines() if " failover.witnesses " in line]
