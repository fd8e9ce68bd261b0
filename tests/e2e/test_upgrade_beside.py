"""docs/upgrade.md: a version and the next one, which migrates, stand side by side; and the next one is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.sql.schema import REVISION
from tests.department import Department
from tests.expanded import EXPANDS, NEXT, version_to_come
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.replicas import load, once, settled

SERVES = f"schema {NEXT}, which serves builds of schema {REVISION} and later"


@pytest.fixture
def fresh() -> bool:
    """A version to come starts in a new interpreter anyhow."""
    return False


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a version to come, whose schema is an expanded one."""
    return version_to_come(tmp_path_factory.mktemp("next"), EXPANDS)


async def does(pult: Pult, *arguments: str) -> str:
    status, out, err = await pult.run(*arguments)
    assert status == 0, err
    return out.strip()


def is_well(*pults: Pult) -> None:
    """Nothing went wrong in any of them, as far as they know."""
    wrong = [line for pult in pults for line in pult.logged() if line.get("level") in {"error", "critical"}]
    assert wrong == []


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.timeout(300)
async def test_old_and_new_replicas_share_a_store_that_is_migrated_under_load(
    make: Make, department: Department, source: Path
) -> None:
    old, new = (make(), make()), (make(), make())
    for each in new:
        each.source = source
    for each in old:
        await each.start()
    await settled(*old)
    async with load(*old, *new) as sending:
        await sending.reached(5)
        assert await does(new[0], "db", "upgrade") == "the schema is up to date"
        await sending.reached(5)
        assert await old[0].stop() == 0
        await old[0].start()  # it would not have, before it was known which builds a schema serves
        await settled(*old)
        await sending.reached(5)
        for leaving, coming in zip(old, new, strict=True):
            await coming.start()
            assert await leaving.stop() == 0
        await settled(*new)
        await sending.reached(5)
        assert (
            await does(old[0], "db", "upgrade") == f"nothing to do: the store has {SERVES}; this build's is {REVISION}"
        )
        for leaving, coming in zip(new, old, strict=True):
            await coming.start()
            assert await leaving.stop() == 0
        await settled(*old)
        await sending.reached(5)
    print(f"{len(sending.taken)} alerts, {sending.refused} times told to come again or connecting in vain")
    await once(department, sending.taken)
    assert f"it takes commits; a newer pult migrated it: it has {SERVES}" in (await old[0].run("check"))[1]
    is_well(*old, *new)


async def test_a_version_that_migrated_its_sqlite_is_taken_back(
    make: Make, department: Department, source: Path
) -> None:
    old, new = make(), make()
    new.source = source
    await old.start()
    assert (await old.alert(fires("Before"))).status == 200
    await once(department, ["Before"])
    assert await old.stop() == 0
    await new.start()
    assert (await new.alert(fires("Meanwhile"))).status == 200
    assert (await new.alert(resolves("Before"))).status == 200
    ident = await new.proposed("anna", "restart worker")
    await once(department, ["Before", "Meanwhile"])
    await department.shows("Resolved: Before")
    await new.settles()
    assert await new.stop() == 0
    assert await does(old, "db", "status") == f"the store has {SERVES}; this build's is {REVISION}"
    await old.start()
    assert (await old.alert(fires("Meanwhile"))).body["status"] == "duplicate"
    assert (await old.alert(resolves("Meanwhile"))).status == 200
    assert (await old.ask("boris", f"approve {ident}"))["ok"]
    await old.becomes(ident, "succeeded")
    await department.shows("Resolved: Meanwhile")
    await old.settles()
    await once(department, ["Before", "Meanwhile"])
    assert await old.audited()
    assert old.rows("SELECT version_num FROM alembic_version") == [(NEXT,)]
    is_well(old, new)
