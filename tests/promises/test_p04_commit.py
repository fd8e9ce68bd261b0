"""Promise 4: what it cannot commit it answers 503; never 200 for what it could forget, never 4xx for what is good."""

import asyncio
import shutil

import pytest

from tests.department import Department, until
from tests.postgres import Server
from tests.promises.alerts import fires
from tests.promises.stores import ALSO_TWO, TWO
from tests.pult_fixtures import Make
from tests.pult_process import Pult

FULL_AT = 1024
"""KiB that any file of pult may have: an empty store takes less, some hundred alerts more. With PostgreSQL, and so
with replicas, it is the server whose disk is full; to pult its store is away then."""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash for its ulimit")
async def test_a_full_disk_is_503_and_nothing_answered_200_is_lost(make: Make, department: Department) -> None:
    pult = make()
    pult.wrap = ("bash", "-c", f'ulimit -f {FULL_AT}; exec "$@"', "bash")
    await pult.start()
    taken, refused = await _until_full(pult)
    assert refused.headers["Retry-After"].isdecimal()
    assert (await pult.alert(b"{")).status == 400
    assert (await pult.alert(fires("Stranger"), token="wrong")).status == 401
    assert (await pult.alert(fires("Again"))).status == 503
    await pult.kill()
    pult.wrap = ()
    await pult.start()
    assert (await pult.alert(fires("Last"))).status == 200
    await department.shows("Last")

    async def all_stand() -> bool:
        said = "".join(message["text"] for message in await department.slack_messages("C0OPS"))
        return all(f"{name} " in said for name in taken)

    await until("an alert that was answered 200 is lost", all_stand)


@ALSO_TWO
async def test_over_the_backlog_is_503_until_it_is_delivered(make: Make, department: Department) -> None:
    pult = make(server__backlog=5)
    await pult.start()
    for platform in ("slack", "telegram"):
        await department.fault("drop", platform)
    taken, refused = await _until_full(pult, 0.1)
    assert refused.headers["Retry-After"].isdecimal()
    assert taken
    await department.recovers()
    await pult.insist(lambda: pult.alert(fires("Last")))
    await department.shows("Last")
    for name in taken:
        await department.slack_shows(f"{name} ", "C0OPS")


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgresql", TWO], indirect=True)
async def test_a_store_that_is_away_is_503_and_not_ready_and_then_goes_on(
    pult: Pult, department: Department, postgres_server: Server
) -> None:
    assert await _ready(pult) == 200
    await asyncio.to_thread(postgres_server.stop)
    try:
        assert (await pult.alert(fires("Away"))).status == 503
        assert (await pult.alert(b"[]")).status == 400
        assert (await pult.alert(fires("Away"), token="wrong")).status == 401
        assert await _ready(pult) == 503
    finally:
        await asyncio.to_thread(postgres_server.start)
    await pult.insist(lambda: pult.alert(fires("Away")))
    await department.shows("Away")
    assert await _ready(pult) == 200


async def _until_full(pult: Pult, pause: float = 0) -> tuple[list[str], object]:
    """Send alerts of different names until one is refused: the names that were taken, and the refusal."""
    taken: list[str] = []
    for number in range(400):
        name = f"Flood{number:03d}"
        body = fires(name, severity="warning", annotations={"description": "x" * 4000})
        answer = await pult.alert(body)
        assert answer.status in {200, 503}, answer
        if answer.status == 503:
            return taken, answer
        taken.append(name)
        await asyncio.sleep(pause)
    raise AssertionError("it was never full")


async def _ready(pult: Pult) -> int:
    async with pult.department.session.get(f"{pult.url}/readyz") as answer:
        return answer.status
