"""``pult simulate``: the simulated department alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import yaml

from bot.cli.sample import sample
from bot.cli.signals import stopping
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings, Target

PULT_PORT = 8080
BAKE = "30s"
"""Long enough to see a bad version found out, short enough to wait for."""


def simulate(port: int, speed: float) -> None:
    """Run until a signal. The configuration goes to standard output, its kubeconfig beside the caller."""
    asyncio.run(_simulate(port, speed))


async def _simulate(port: int, speed: float) -> None:
    stop = stopping()
    target = Target(url=f"http://127.0.0.1:{PULT_PORT}")
    async with simulator(SimulatorSettings(port=port, speed=speed, target=target)) as running:
        config = write_kubeconfig(running.url, Path.cwd())
        click.echo(sample(running.url, port=PULT_PORT, store="sqlite:///pult.db", kubeconfig=str(config), bake=BAKE))
        click.echo(f"# The department runs at {running.url}. Save this as pult.toml, then: pult run")
        await stop.wait()


def write_kubeconfig(url: str, folder: Path) -> Path:
    """A kubeconfig with both simulated clusters, in *folder*."""
    path = folder / "simulated-kubeconfig.yaml"
    path.write_text(yaml.safe_dump(kubeconfig(url)))
    return path
