"""The store is away: alerts still reach people, nothing is answered 200, and afterwards everything is there once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.department import INCIDENTS, Department, shown, until
from tests.postgres import Server
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.replicas import once, settled, stand

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("store_url", ["postgresql"], indirect=True),
    pytest.mark.timeout(180),
]
NOTE = "comes from its local spool"


async def test_alerts_reach_people_and_are_merged_without_duplicates(
    make: Make, department: Department, postgres_server: Server, tmp_path: Path
) -> None:
    pult = make(store__spool=str(tmp_path / "spool"))
    await pult.start()
    await settled(pult)
    assert (await pult.alert(fires("Early"))).status == 200
    await department.shows("Early")
    await pult.settles()
    names = [f"Away{number}" for number in range(4)]
    await asyncio.to_thread(postgres_server.stop)
    try:
        for name in (*names, names[0]):
            answer = await pult.alert(fires(name))
            assert answer.status == 503
            assert answer.headers["Retry-After"]
        for name in names:
            await department.shows(name)
        slack, telegram = await department.shows(NOTE)
        assert not slack["buttons"] if "buttons" in slack else "Ack" not in shown(slack)
        assert not telegram.get("reply_markup")
        assert await pult.metric("pult_spool_events") == len(names)
        await pult.kill()
        # What a killed process kept is there for the next one.
    finally:
        await asyncio.to_thread(postgres_server.start)
    await pult.start()
    await until("it is not merged", lambda: _merged(pult))
    for name in names:
        assert (await pult.alert(fires(name))).body["status"] == "duplicate"
    await once(department, [*names, "Early"])
    await until("the note stays", lambda: _without_note(department))
    for name in names:
        assert (await pult.alert(resolves(name))).status == 200
        await department.shows(f"Resolved: {name}")
    await once(department, names)


async def test_both_replicas_keep_what_comes_and_merge_it_once(
    make: Make, department: Department, postgres_server: Server, tmp_path: Path
) -> None:
    pair = [make(store__spool=str(tmp_path / f"spool{number}")) for number in range(2)]
    for each in pair:
        await each.start()
    await settled(*pair)
    names = [f"Both{number}" for number in range(3)]
    await asyncio.to_thread(postgres_server.stop)
    try:
        for name in names:
            for each in pair:
                assert (await each.alert(fires(name))).status == 503
        await stand(department, names)
    finally:
        await asyncio.to_thread(postgres_server.start)
    for each in pair:
        await until("it is not merged", lambda each=each: _merged(each))
    for name in names:
        assert {(await each.alert(fires(name))).body["status"] for each in pair} == {"duplicate"}
        assert (await pair[0].alert(resolves(name))).status == 200
        await department.shows(f"Resolved: {name}")
    found = await stand(department, names)
    print(found)
    assert {slack for slack, _ in found.values()} == {1}
    assert all(telegram <= 2 for _, telegram in found.values()), "one of each replica, at most"


async def test_a_full_spool_takes_no_more_and_says_so(
    make: Make, department: Department, postgres_server: Server, tmp_path: Path
) -> None:
    pult = make(store__spool=str(tmp_path / "spool"), store__spool_megabytes=1)
    await pult.start()
    await settled(pult)
    await asyncio.to_thread(postgres_server.stop)
    try:
        body = fires("Large")
        for number in range(30):
            body["alerts"][0]["annotations"] = {"description": f"{number}" * 30_000}
            assert (await pult.alert(body)).status == 503
        assert 0 < await pult.metric("pult_spool_events") < 30
        assert any(line["event"] == "not even the spool takes it" for line in pult.logged())
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until("it is not merged", lambda: _merged(pult))
    assert (await pult.alert(fires("Later"))).status == 200
    await department.shows("Later")


async def test_a_start_while_the_store_is_away_shows_what_comes(
    make: Make, department: Department, postgres_server: Server, tmp_path: Path
) -> None:
    pult = make(store__spool=str(tmp_path / "spool"))
    await asyncio.to_thread(postgres_server.stop)
    try:
        await pult.start()
        assert (await pult.alert(fires("Dark"))).status == 503
        await department.shows("Dark")
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until("it is not merged", lambda: _merged(pult))
    assert (await pult.alert(fires("Dark"))).body["status"] == "duplicate"
    await once(department, ["Dark"])


async def _merged(pult: Pult) -> bool:
    return any(line["event"] == "the spool is merged" for line in pult.logged()) and not await pult.metric(
        "pult_spool_events"
    )


async def _without_note(department: Department) -> bool:
    return all(NOTE not in shown(message) for message in await department.slack_messages(INCIDENTS))
