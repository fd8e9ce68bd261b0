"""Starts the department and pult, plays the story, and (without ``--headless``) stays until Ctrl-C."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import click

from bot.adapters.clock import SystemClock
from bot.cli import audit
from bot.cli.demo.department import Department
from bot.cli.demo.story import scenes
from bot.cli.sample import sample
from bot.cli.signals import stopping
from bot.cli.simulate import BAKE, write_kubeconfig
from bot.compose import pult
from bot.domain.errors import PultError
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from config.loader import parse

FAST, LIFE = 20.0, 4.0
READY_DEADLINE = 20.0
SHORT_BAKE = "2s"


def demo(*, headless: bool, speed: float | None, port: int) -> int:
    """0 when every promise of the story held."""
    with tempfile.TemporaryDirectory(prefix="pult-demo-") as folder:
        chosen = speed or (FAST if headless else LIFE)
        return asyncio.run(_demo(Path(folder), headless=headless, speed=chosen, port=0 if headless else port))


async def _demo(folder: Path, *, headless: bool, speed: float, port: int) -> int:
    clock = SystemClock()
    began = clock.now()
    async with _running(folder, speed, port, SHORT_BAKE if headless else BAKE) as (department, url):
        if headless:
            held = await _play(department)
            count, head = await asyncio.to_thread(audit.head, _store(folder), "")
            click.echo(f"\naudit chain: {count} entries, unbroken, head {head[:16]}")
            click.echo(f"the story took {(clock.now() - began).total_seconds():.1f} s")
            return 0 if held else 1
        await _show(department, url)
    return 0


@asynccontextmanager
async def _running(folder: Path, speed: float, port: int, bake: str) -> AsyncGenerator[tuple[Department, str], None]:
    """The simulator, and pult against it."""
    async with simulator(SimulatorSettings(port=0, speed=speed)) as simulation:
        config = write_kubeconfig(simulation.url, folder)
        text = sample(simulation.url, port=port, store=_store(folder), kubeconfig=str(config), bake=bake)
        async with pult(parse(text, folder / "pult.toml", {})) as running, aiohttp.ClientSession() as session:
            async with asyncio.timeout(READY_DEADLINE):
                await running.ready.wait()
            department = Department(session, simulation.url, running.url)
            await department.happens("target", url=running.url)
            yield department, running.url


async def _play(department: Department) -> bool:
    """The whole story at once, as text."""
    for number, (title, scene) in enumerate(scenes(), 1):
        click.echo(f"\n{number}. {title}")
        try:
            await scene(department, lambda line: click.echo(f"   {line}"))
        except (PultError, aiohttp.ClientError, TimeoutError, KeyError) as error:
            click.echo(f"   BROKEN: {error}")
            return False
        click.echo("   held")
    return True


async def _show(department: Department, url: str) -> None:
    """The beginning of the story at life speed; the rest is for the person in the browser."""
    click.echo(f"\n  pult's console:  {url}\n")
    click.echo("  Choose who you are at the top right. Things to try:")
    for text in (
        "status",
        "slo api",
        "promote api 1.8.0   (then approve it as somebody else)",
        "promote api 1.8.1   (it is bad: approve it, watch it being found out, press Undo)",
        "restart worker",
        "drill",
    ):
        click.echo(f"    {text}")
    click.echo("\n  Ctrl-C ends it.\n")
    stop = stopping()
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(department))
        await stop.wait()
        telling.cancel()


async def _tell(department: Department) -> None:
    """Releases, a bad one among them, then trouble that comes and goes."""
    for pause, line, act in (
        (
            0.5,
            "what runs in production is told",
            lambda: department.happens("release", service="api", version="1.7.2", status="released"),
        ),
        (
            3.0,
            "a release arrives",
            lambda: department.happens("release", service="api", version="1.8.0", status="ready"),
        ),
        (
            5.0,
            "and a bad one, which looks as good as any",
            lambda: department.happens("release", service="api", version="1.8.1", status="ready"),
        ),
        (
            8.0,
            "the API's error rate climbs",
            lambda: department.happens("fault", fault="errors", target="api", value=0.12),
        ),
        (90.0, "the errors stop", department.recovers),
    ):
        await asyncio.sleep(pause)
        await act()
        click.echo(f"  · {line}")


def _store(folder: Path) -> str:
    return f"sqlite:///{folder}/pult.db"
