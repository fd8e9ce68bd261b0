"""One verb of the self-run Database, in a process of its own that is to be killed: ``… FOLDER VERB SOURCE TARGET``.

FOLDER holds ``servers.json``: by region, dsn and command. Says ``go`` when everything is loaded.
"""

import asyncio
import json
import sys
from pathlib import Path

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.postgres_ha.program import Program
from bot.adapters.sql import open_store
from bot.domain.failover import Way


async def main(folder: Path, verb: str, way: Way) -> None:
    described = json.loads((folder / "servers.json").read_text())
    servers = [Server(region, each["dsn"]) for region, each in described.items()]
    machines = {region: [Program(region, each["command"])] for region, each in described.items()}
    async with open_store(f"sqlite:///{folder}/child.db") as store:
        database = SelfRunPostgres(servers, machines, store, SystemClock())
        await database.beats(way.source)  # psycopg is loaded
        print("go", flush=True)
        await getattr(database, verb)(way)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Way(sys.argv[3], sys.argv[4])))
