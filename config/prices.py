"""What the department pays, as far as no cloud tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.costs import Prices
from bot.domain.money import DOLLAR, Rates
from config.base import Section, matching


def _amount(value: object) -> object:
    """A number of the file as it is written: 0.1 is a tenth."""
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


Amount: TypeAlias = Annotated[Decimal, BeforeValidator(_amount), Field(gt=0, le=1_000_000, allow_inf_nan=False)]


def _both(cpu: Decimal | None, memory: Decimal | None) -> None:
    if (cpu is None) != (memory is None):
        raise ValueError("cpu and memory together: one alone prices nothing")


class RatesSettings(Section):
    """Prices of one cluster."""

    cpu: Amount | None = None
    """Of a core-hour. With memory, in place of what its nodes cost."""
    memory: Amount | None = None
    """Of a GiB-hour."""
    digitalocean: str = ""
    """Id or name of the cluster there. Default: the only one in its region."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _both(self.cpu, self.memory)
        return self


class PricesSettings(Section):
    """What things cost, where DigitalOcean does not tell it or something else is paid."""

    currency: Annotated[str, matching(r"[A-Z]{3}", "three capital letters, such as USD")] = DOLLAR
    """Of all prices here, and of all that is shown. OpenCost must be set to it as well."""
    usd: Amount = Decimal(1)
    """How much of it one US dollar is, in which DigitalOcean's prices are."""
    cpu: Amount | None = None
    """Of a core-hour, in clusters without prices of their own. With memory, in place of what nodes cost."""
    memory: Amount | None = None
    """Of a GiB-hour."""
    clusters: dict[str, RatesSettings] = Field(default_factory=dict)
    """By name of one of [[clusters]]."""
    monthly: dict[str, Amount] = Field(default_factory=dict)
    """A month of a database, a load balancer, a volume: by its id, its name or its size."""
    owners: dict[str, str] = Field(default_factory=dict)
    """Whose service such a thing is: its id or name, and the name of one of [[services]]."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _both(self.cpu, self.memory)
        if self.currency != DOLLAR and "usd" not in self.model_fields_set:
            raise ValueError(f"usd, how much of {self.currency} one US dollar is")
        return self


def prices(settings: PricesSettings) -> Prices:
    """*settings* in the words of the domain."""
    rates = {name: (each.cpu, each.memory) for name, each in settings.clusters.items()}
    rates[""] = settings.cpu, settings.memory
    return Prices(
        currency=settings.currency,
        usd=settings.usd,
        rates={name: Rates(cpu, memory) for name, (cpu, memory) in rates.items() if cpu and memory},
        monthly=settings.monthly,
        owners=settings.owners,
        there={name: each.digitalocean for name, each in settings.clusters.items() if each.digitalocean},
    )
