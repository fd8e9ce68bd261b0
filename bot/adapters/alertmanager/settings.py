"""Where the Alertmanagers of one cluster answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, Strict

from bot.domain.durations import parse_duration

Address = Annotated[str, Field(pattern=r"^https?://")]


class AlertmanagerSettings(BaseModel):
    """Alertmanager's API v2: silences, and the minute-by-minute comparison with what pult believes."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    urls: Annotated[tuple[Address, ...], Strict(strict=False)] = Field(min_length=1)
    """Every member of one Alertmanager cluster; the first that answers is asked. No default."""
    receivers: Annotated[tuple[str, ...], Strict(strict=False)] = ("pult",)
    """Names, in Alertmanager's configuration, of the receivers that post to pult: of what fires for them already, a new
    pult is told within minutes. Others are known from the first webhook of theirs on."""
    token: SecretStr | None = None
    """Bearer token, where a proxy asks for one."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(default=timedelta(seconds=5), gt=timedelta())
    """How long one member may take before the next is asked."""
