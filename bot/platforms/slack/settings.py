"""What pult must be told to work in a Slack workspace."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SlackSettings(BaseModel):
    """Leave the section out to run without Slack."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    bot_token: SecretStr
    """Bot token (xoxb-…) from the app's page "OAuth & Permissions". No default."""
    app_token: SecretStr | None = None
    """App-level token (xapp-…, scope connections:write): receive over Socket Mode, no public address needed."""
    signing_secret: SecretStr | None = None
    """From "Basic Information": receive over HTTP at /slack/events. Set app_token, signing_secret or both."""
    api_url: str = Field(default="https://slack.com/api/", pattern=r"^https?://")
    """Address of the Web API. Change it for GovSlack, a proxy or the simulator."""
    posts_per_second: float = Field(default=1.0, gt=0, le=20)
    """Posts a second in one channel. The default is Slack's published rate; lower it when other apps post there."""
    rich: bool = True
    """Use newer blocks: charts, sortable tables, plans, folded lists. A workspace that refuses them gets classic ones
    by itself; set false when people there read with clients that can't draw them."""
