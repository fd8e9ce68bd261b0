"""A process killed while it writes: what it was told is committed is there, nothing is there by halves."""

import subprocess
import sys

from bot.adapters.sql import open_store
from bot.domain.audit import verify


async def test_what_was_acknowledged_survives_kill_9(store_url: str) -> None:
    command = [sys.executable, "-m", "tests.adapters.sql_children", "crash", store_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        told = [child.stdout.readline() for _ in range(300)]
        child.kill()
        told += child.stdout.readlines()
    names = {line.decode().strip() for line in told if line.endswith(b"\n")}
    assert len(names) >= 300
    async with open_store(store_url) as store:
        cards = await store.read(lambda tx: tx.unposted("slack:C0OPS"))
        entries = await store.read(lambda tx: tuple(tx.entries(limit=1_000_000)))
    verify(entries)
    written = {entry.deed.target for entry in entries}
    assert names <= written
    assert {card.subject for card in cards} == {f"alert:{name}" for name in written}
