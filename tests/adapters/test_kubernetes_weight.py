"""What asking a cluster brings into pult's process: not the generated client, which was a fifth of its memory."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import yaml

from bot.simulator.kubernetes import kubeconfig
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

ASKING = """
import asyncio, sys
from pathlib import Path
from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.watch import feeds
from bot.domain.sights import Kind, Place
from bot.ports.cluster import Workload

async def ask(path):
    settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
    async with open_clusters((settings,)) as cluster:
        assert await cluster.pods(Workload("nyc2", "production", "deployment", "api"))
        assert await cluster.may("nyc2", "production", "list", "pods")
        for feed in feeds(cluster.apis, [Place("nyc2", "production", kind) for kind in (Kind.POD, Kind.ROLLOUT)]):
            assert (await feed.page("")).version

asyncio.run(ask(Path(sys.argv[1])))
assert "kubernetes.aio.client.api_client" in sys.modules
generated = ("kubernetes.aio.client.api.", "kubernetes.aio.client.models.")
print(*(name for name in sys.modules if name.startswith(generated)))
"""


async def test_a_cluster_is_asked_without_the_generated_client(tmp_path: Path) -> None:
    async with simulator(SimulatorSettings(port=0)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        asking = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ASKING, path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        told, wrong = await asking.communicate()
    assert (asking.returncode, wrong.decode()) == (0, "")
    assert told.decode().split() == []
