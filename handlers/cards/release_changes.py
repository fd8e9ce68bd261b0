"""What a release changes against the one before it in production, where nobody wrote notes: from its commits."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.changelog import blocks, changelog
from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Aside, Block, Message
from bot.domain.services import Catalogue
from bot.ports.forge import Forge
from bot.ports.guard import Guard
from handlers.cards.release import SHOWN
from handlers.cards.release_seen import Seen

PATIENCE = 0.8
"""Seconds a card waits for the forge."""
KEPT = 100
"""Comparisons that are remembered: of two commits it never changes."""


class Changelogs:
    """Asked of the *forge* once for each pair of commits; without a forge no card has one."""

    def __init__(self, guard: Guard, forge: Forge | None, services: Catalogue) -> None:
        self._guard, self._forge, self._services = guard, forge, services
        self._known: dict[tuple[str, str, str], tuple[Block, ...]] = {}

    async def enrich(self, seen: Seen, message: Message) -> Message:
        """*message*, the card of *seen*, with its changelog, where it can be had in time."""
        found = await self._found(seen)
        if not found:
            return message
        last = 1 if message.blocks and isinstance(message.blocks[-1], Aside) else 0
        before, after = message.blocks[: len(message.blocks) - last], message.blocks[len(message.blocks) - last :]
        return replace(message, blocks=(*before, *found, *after))

    async def _found(self, seen: Seen) -> tuple[Block, ...]:
        release, service, forge = seen.release, self._services.find(seen.release.service), self._forge
        if forge is None or service is None or release.notes or not (service.repo and seen.base and release.commit):
            return ()
        key = (service.repo, seen.base, release.commit)
        if key not in self._known:
            try:
                compared = await self._guard.ask("github", lambda: forge.compare(*key), PATIENCE)
            except (UserError, TemporaryError):
                return ()
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            home = compared.url.partition("/compare/")[0] if "/compare/" in compared.url else ""
            self._known[key] = blocks(changelog(compared.commits), home, SHOWN)
        return self._known[key]
