"""Access to DigitalOcean."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.domain.durations import parse_duration


class DigitaloceanSettings(BaseModel):
    """DigitalOcean's API: moves databases, traffic and machines in a failover, reads prices. Leave it out if unused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """Personal access token (dop_v1_…). Scopes for a failover: database, domain or load_balancer, kubernetes, uptime;
    for cost those of the example file. No default."""
    api_url: str = Field(default="https://api.digitalocean.com", pattern=r"^https?://")
    """Address of the API. Change it for the simulator."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=15), gt=timedelta()
    )
    """How long one call may take."""
