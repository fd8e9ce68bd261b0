"""Access to OpenCost."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.domain.durations import parse_duration


class OpencostSettings(BaseModel):
    """OpenCost, or Kubecost. Where it is configured its figures count, for the clusters that it reports."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    url: str = Field(pattern=r"^https?://")
    """Base address of its API: /allocation is under it. Kubecost's ends in /model. No default."""
    token: SecretStr | None = None
    """Bearer token, where a proxy asks for one."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=30), gt=timedelta()
    )
    """How long one call may take. OpenCost computes thirty days at the first one."""
    clusters: dict[str, str] = Field(default_factory=dict)
    """Its cluster_id of each of [[clusters]] that has another name there: { cluster-one = "nyc2" }."""
