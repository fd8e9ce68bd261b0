"""Changing an object that others change, too: what client-go calls RetryOnConflict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from bot.adapters.kubernetes.verdicts import ConflictError
from bot.domain.errors import DriftError
from bot.domain.phrases import Code

T = TypeVar("T")
TRIES: Final = 5
"""As client-go has it (util/retry, DefaultRetry.Steps). No pause in between: each try reads anew, which is one."""


async def retry_on_conflict(name: str, change: Callable[[], Awaitable[T]]) -> T:
    """What *change* gives: it reads the object called *name* and patches it under the resourceVersion that it read.

    Again where somebody wrote in between, its status say. DriftError: it changes too fast; any other error: at once.
    """
    for _ in range(TRIES):
        with suppress(ConflictError):
            return await change()
    raise DriftError("{name} changes too fast to be patched.", name=Code(name))


def versioned(obj: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """A merge patch of *spec* that counts only while *obj* is as it was read."""
    return {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "spec": spec}
