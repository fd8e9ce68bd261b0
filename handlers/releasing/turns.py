"""Each turn of a promotion or rollback, told to the cards of the releases it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.operations import Operation
from bot.domain.services import Catalogue
from bot.ports.store import Tx
from handlers.operating import fated
from handlers.releasing import places


def turning(services: Catalogue) -> Callable[[Tx, Operation, datetime], None]:
    """What is to be told of each turn of an operation, in the transaction that writes it."""

    def turned(tx: Tx, operation: Operation, now: datetime) -> None:
        for deployment in fated.recorded(tx, operation, now):
            places.shown(tx, services, deployment, now)

    return turned
