"""Where Prometheus answers, and how long it may take."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.domain.durations import parse_duration


class PrometheusSettings(BaseModel):
    """Prometheus, or anything with its HTTP API (Mimir, Thanos, VictoriaMetrics). Needed for slo, status and graphs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    url: str = Field(pattern=r"^https?://")
    """Base address, without /api/v1. No default."""
    token: SecretStr | None = None
    """Bearer token, where a proxy asks for one."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=10), gt=timedelta()
    )
    """How long one query may take. Raise it when long SLO windows have no recording rules."""
