"""What runs a database server, where the server itself can't be spoken to."""

from __future__ import annotations

from typing import Protocol


class Machine(Protocol):
    """A workload, a virtual machine, or a program that knows how. UserError: refused. TemporaryError: out of reach."""

    async def stop(self) -> None:
        """Ask that the server be stopped, and that it stay so. Safe to repeat."""
        ...

    async def stopped(self) -> bool:
        """Whether it is *seen* that nothing of the server runs any more."""
        ...

    async def start(self) -> None:
        """Ask that the server be started; what starts it decides whether as a standby. Safe to repeat."""
        ...

    async def allowed(self) -> str:
        """Why pult could not stop or start it, as far as that can be told without doing it; changes nothing."""
        ...
