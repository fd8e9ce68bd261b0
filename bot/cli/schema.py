"""``pult db upgrade`` and ``pult db status``: the store's schema, and whether this build may run on it."""

from __future__ import annotations

from bot.adapters.sql import status, upgrade
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.serving import remedy
from bot.domain.errors import NotReadyError


def upgraded(url: str) -> str:
    """What came of it. A store that a newer pult migrated, and that serves this build, is left as it is."""
    found = upgrade(url)
    if found.newer:
        return f"nothing to do: the store has {found}; this build's is {REVISION}"
    return "the schema is up to date"


def told(url: str) -> str:
    """One line. NotReadyError, which names the remedy: this build may not run on it."""
    found = status(url)
    if not found.serves():
        raise NotReadyError(remedy(found))
    return f"the store has {found}; this build's is {REVISION}"
