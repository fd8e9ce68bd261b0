"""Access to one Kubernetes cluster."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

from bot.domain.durations import parse_duration


class ClusterSettings(BaseModel):
    """One Kubernetes cluster. Without kubeconfig pult uses the service account it runs under."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """What people and other sections call it. No default."""
    region: str = Field(min_length=1)
    """Region it stands in, as the label "region" of its metrics has it. No default."""
    role: Literal["primary", "standby"] = "primary"
    """"standby" for a cluster that takes over in a failover."""
    kubeconfig: Annotated[Path, Strict(strict=False)] | None = None
    """Path of a kubeconfig file. Leave out to use the pod's own service account."""
    context: str = ""
    """Context inside kubeconfig; empty: its current one."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=10), gt=timedelta()
    )
    """How long one call may take (a watch lasts longer by nature)."""
