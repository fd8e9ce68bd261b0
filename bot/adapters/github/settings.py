"""Access to GitHub."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from bot.domain.durations import parse_duration


class GithubSettings(BaseModel):
    """GitHub's REST API: deployment files, pull requests, pipelines, releases.

    Either a token or an app (app_id and private_key).
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr | None = None
    """Fine-grained token for the services' and the deployment repositories: contents, pull requests, deployments and
    actions read and write; checks and commit statuses read."""
    app_id: int | None = None
    """Id of a GitHub App installed on the deployment repositories; better than a token, since it belongs to nobody."""
    private_key: SecretStr | None = None
    """The app's private key in PEM, best as { file = "…" }."""
    api_url: str = Field(default="https://api.github.com", pattern=r"^https?://")
    """Address of the API. Change it for GitHub Enterprise (https://HOST/api/v3) or the simulator."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration)] = Field(
        default=timedelta(seconds=15), gt=timedelta()
    )
    """How long one call may take."""

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        app = self.app_id is not None and self.private_key is not None
        half = (self.app_id is None) != (self.private_key is None)
        if half or (self.token is not None) is app:
            raise ValueError("either token, or app_id together with private_key")
        return self
