"""Processes that the store's tests start, kill and starve: ``python -m tests.adapters.sql_children TASK URL``."""

import asyncio
import itertools
import os
import resource
import sys

from bot.adapters.sql import SqlStore, open_store
from bot.domain.errors import UnavailableError
from tests.contracts.samples import NOON, deed, event, wish


async def crash(url: str) -> None:
    """Write without end, twenty at a time; each line told is the name of something committed."""
    numbers = itertools.count()

    async def client(store: SqlStore) -> None:
        for number in numbers:
            name = f"n{number}"

            def work(tx, name=name):
                tx.put_event(event(name, key=name))
                tx.show(wish(f"alert:{name}"), NOON)
                tx.append(deed(name))

            await store.write(work)
            os.write(1, f"{name}\n".encode())

    async with open_store(url) as store, asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(client(store))


async def disk_full(url: str) -> None:
    """Write until the disk is full, see it recover; tell what was committed and what was refused."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with open_store(url) as store:
        await put(store, "before")
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        refused = 0
        for number in itertools.count():  # a checkpoint may make room once more
            refused = 0 if await put(store, f"n{number}") else refused + 1
            if refused == 3:
                break
        assert await store.read(lambda tx: tx.unposted("slack:C0OPS")) != ()  # reading goes on
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert await put(store, "after")
        await store.ping()


async def put(store: SqlStore, name: str) -> bool:
    def work(tx):
        tx.put_event(event(name, key=name, body=b"x" * 20_000))
        tx.show(wish(f"alert:{name}"), NOON)

    try:
        await store.write(work)
    except UnavailableError as error:
        os.write(1, f"refused {name} {error}\n".encode())
        return False
    os.write(1, f"{name}\n".encode())
    return True


if __name__ == "__main__":
    asyncio.run({"crash": crash, "disk_full": disk_full}[sys.argv[1]](sys.argv[2]))
