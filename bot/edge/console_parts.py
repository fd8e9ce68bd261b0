"""What the console's HTTP side is made of, and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.domain.people import Directory
from bot.ports.clock import Clock
from bot.ports.commands import Command
from bot.ports.console import Asker, Drawing, Hub, OnCall, Snapshot, WordsOf

BODY_MAX: Final = 16 * 1024
"""Bytes of one request body, and of one message of a page."""
TEXT_MAX: Final = 4_000
"""Characters of one command, as much as a chat message holds."""
BODY_DEADLINE: Final = 10.0
"""Seconds a body may take to arrive."""
SEND_DEADLINE: Final = 10.0
"""Seconds a page may take to accept one message; a slower one has to connect anew."""
SNAPSHOT_DEADLINE: Final = 10.0
"""Seconds the store may take to list the latest cards."""
HEARTBEAT: Final = 25.0
"""Seconds between two WebSocket pings: below the idle limit of the usual proxies (60)."""
TICK: Final = 15.0
"""Seconds between two ticks: a page that hears none for twice as long knows that it is cut off."""
PAGES_MAX: Final = 200
"""Open pages in all; a department has tens of people."""
IN_FLIGHT_MAX: Final = 8
"""Commands of one page that may be under way at once."""
ASK_INTERVAL: Final = 0.05
"""Seconds between two commands of one person, on average."""
ASK_BURST: Final = 60
"""Commands of one person at once, after a pause."""
LOGIN_INTERVAL: Final = 6.0
"""Seconds between two wrong tokens from one address, on average."""
LOGIN_BURST: Final = 10
"""Wrong tokens from one address at once, after a pause."""


async def unknown() -> None:
    """Who is on call, where nobody can be asked."""


@dataclass(frozen=True, kw_only=True)
class ConsoleParts:
    """``page`` is the folder with the page's files. ``opened``: people choose who they are, on loopback (ruling 3).

    ``locales``: what may be asked for, the page's switch among them. ``commands`` feed the page's completion.
    """

    asker: Asker
    snapshot: Snapshot
    hub: Hub
    drawing: Drawing
    words: WordsOf
    directory: Directory
    clock: Clock
    page: Path
    opened: bool = False
    public_url: str = ""
    version: str = ""
    locales: tuple[str, ...] = ("en", "ru")
    commands: Sequence[Command] = ()
    on_call: OnCall = unknown
