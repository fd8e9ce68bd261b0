"""Money is Decimal, never float: what a machine costs, and how its price falls on processor and memory."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from bot.domain.phrases import Quantity

HOURS: Final = Decimal(730)
"""Hours of an average month: 8760 ÷ 12. A machine that runs all month costs its monthly price, not 730 times its
hourly one: DigitalOcean's is a 672nd of the month's, and capped there."""
MICRO: Final = Decimal("0.000001")
"""What is computed is kept to a millionth, so that sums are exact and parts add up to the whole."""
CPU_WEIGHT, MEMORY_WEIGHT = Decimal("0.031611"), Decimal("0.004237")
"""How a machine's price falls on a core and on a GiB: in the ratio of OpenCost's default prices (opencost/opencost,
configs/default.json: CPU and RAM), as OpenCost itself splits a node's price."""
DOLLAR: Final = "USD"


@dataclass(frozen=True)
class Rates:
    """Prices of a core-hour and of a GiB-hour, in some currency."""

    cpu: Decimal
    memory: Decimal

    def cost(self, core_hours: float, gib_hours: float) -> Decimal:
        """Of so much for so long."""
        return exact(self.cpu * number(core_hours) + self.memory * number(gib_hours))

    def monthly(self, cores: float, gib: float) -> Decimal:
        """Of so much all month."""
        return exact((self.cpu * number(cores) + self.memory * number(gib)) * HOURS)


def split(hourly: Decimal, cores: float, gib: float) -> Rates:
    """The rates at which machines with so much of both together cost *hourly*. ValueError: they have nothing."""
    weight = CPU_WEIGHT * number(cores) + MEMORY_WEIGHT * number(gib)
    if weight <= 0:
        raise ValueError("a machine without cores and memory")
    share = hourly / weight
    return Rates(CPU_WEIGHT * share, MEMORY_WEIGHT * share)


def number(value: float) -> Decimal:
    """*value* as it is written, not as it is stored: 0.1 is a tenth."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def exact(amount: Decimal) -> Decimal:
    """*amount* to a millionth."""
    return amount.quantize(MICRO, ROUND_HALF_EVEN)


def shown(amount: Decimal, currency: str = DOLLAR) -> Quantity:
    """For people: cents below a hundred, whole units above."""
    digits = 2 if abs(amount) < 100 else 0
    return Quantity(float(round(amount, digits)), "$" if currency == DOLLAR else currency, digits)
