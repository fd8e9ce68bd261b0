"""Promise 11: the chain records every change, refusal and approval; altering, removing, reordering is detected."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import audit
from bot.domain.audit import BrokenChainError
from tests.promises.alerts import fires
from tests.promises.releases import released
from tests.promises.stores import BOTH
from tests.pult_process import Pult

COLUMNS = ("at = at + 1", "person = 'boris'", "platform = 'slack'", "action = 'look'", "target = 'op-2222'",
           "result = 'refused'", "detail = detail || ' '", "previous = hash", "hash = previous")  # fmt: skip


@BOTH
async def test_every_change_refusal_and_approval_is_in_an_unbroken_chain(pult: Pult) -> None:
    ident, alert = await _a_day(pult)
    found = [(each["person"], each["action"], each["target"], each["result"]) for each in await pult.audited()]
    for deed in (
        ("anna", "promote", ident, "proposed"),
        ("anna", "approve", ident, "refused"),
        ("vera", "restart", "restart api", "denied"),
        ("boris", "approve", ident, "approved"),
        ("pult", "promote", ident, "running"),
        ("pult", "promote", ident, "succeeded"),
        ("anna", "ack", alert, "held"),
    ):
        assert deed in found
    status, out, _ = await pult.run("audit", "verify")
    assert status == 0
    assert f"{len(found)} entries, unbroken" in out


async def test_whatever_is_done_to_a_row_by_hand_is_found_and_named(pult: Pult, tmp_path: Path) -> None:
    await _a_day(pult)
    await pult.stop()
    path = Path(pult.store.removeprefix("sqlite:///"))
    count, head = await asyncio.to_thread(audit.head, pult.store, "")
    tampered = [(f"UPDATE audit SET {change} WHERE number = 3", 3) for change in COLUMNS]
    tampered += [
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 2; UPDATE audit SET number = number - 1 WHERE number > 2", 2),
        ("UPDATE audit SET number = -2 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3;"
         "UPDATE audit SET number = 3 WHERE number = -2", 2),
        ("INSERT INTO audit SELECT number + 100, at, person, platform, action, target, result, detail, previous, hash"
         f" FROM audit WHERE number = {count}", count + 1),
    ]  # fmt: skip
    for number, (script, broken) in enumerate(tampered):
        copy = _copy(path, tmp_path / f"copy{number}.db", script)
        with pytest.raises(BrokenChainError) as found:
            await asyncio.to_thread(audit.head, f"sqlite:///{copy}", "")
        assert found.value.number == broken, script
    cut = _copy(path, tmp_path / "cut.db", f"DELETE FROM audit WHERE number = {count}")
    await asyncio.to_thread(audit.head, f"sqlite:///{cut}", "")
    await _verify_says(pult, cut, head, f"entry {count}: the chain ends before the head {head}")
    altered = _copy(path, tmp_path / "altered.db", "UPDATE audit SET person = 'boris' WHERE number = 3")
    await _verify_says(pult, altered, "", "entry 3: was altered")


async def _a_day(pult: Pult) -> tuple[str, str]:
    """A promotion with a refusal, an approval and a result, a denial, an ack."""
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    assert not (await pult.ask("anna", f"approve {ident}"))["ok"]
    assert not (await pult.ask("vera", "restart api"))["ok"]
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    await pult.alert(fires("Acked"))
    alert = str(pult.rows("SELECT id FROM groups")[0][0])
    assert (await pult.ask("anna", f"ack {alert}"))["ok"]
    return ident, alert


async def _verify_says(pult: Pult, store: Path, head: str, sentence: str) -> None:
    pult.configure(store={"url": f"sqlite:///{store}"})
    status, out, err = await pult.run("audit", "verify", *(("--head", head) if head else ()))
    assert status == 1
    assert out == ""
    assert err.strip() == f"pult: {sentence}"


def _copy(path: Path, to: Path, script: str) -> Path:
    shutil.copy(path, to)
    with closing(sqlite3.connect(to)) as database:
        database.executescript(script)
    return to
