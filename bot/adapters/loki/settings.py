"""Where Loki answers, and how a workload's lines are found there."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.domain.durations import parse_duration


class LokiSettings(BaseModel):
    """Grafana Loki. Leave the section out to read logs from the pods themselves, as long as those are there."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    url: str = Field(pattern=r"^https?://")
    """Base address, without /loki/api/v1. No default."""
    token: SecretStr | None = None
    """Bearer token, where a proxy asks for one."""
    tenant: str = Field(default="", pattern=r"^[^\r\n]*$")
    """Tenant (X-Scope-OrgID), where Loki has several; "a|b" for two of them at once."""
    selector: str = Field(default='{namespace="$namespace", app="$name"}', pattern=r"^\{.*\$name.*\}$")
    """Streams of one workload. $namespace, $name, $kind, $cluster and $region stand for its own; $cluster or $region
    is needed where there are several clusters."""
    errors: str = Field(default='|~ "(?i)\\\\b(error|exception|fatal|panic)\\\\b"', pattern=r"^\|.+|^!.+")
    """LogQL behind the selector that leaves only errors. With Loki 3: | detected_level=~"error|critical|fatal"."""
    pod: str = Field(default="pod", pattern=r"^[A-Za-z_]\w*$")
    """Label with the pod's name: "k8s_pod_name" where OpenTelemetry collects."""
    container: str = Field(default="container", pattern=r"^[A-Za-z_]\w*$")
    """Label with the container's name."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=10), gt=timedelta()
    )
    """How long one query may take."""
