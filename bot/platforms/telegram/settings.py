"""What pult must be told to work in Telegram."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _chat(text: str) -> str:
    if not re.fullmatch(r"-?\d{1,19}(/\d{1,9})?", text):
        raise ValueError("a chat's id, -100…, with /17 for one of its topics, or a person's id")
    return text


Chat = Annotated[str, AfterValidator(_chat)]


class TelegramSettings(BaseModel):
    """Leave the section out to run without Telegram."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    bot_token: SecretStr
    """Bot token from @BotFather. No default."""
    mode: Literal["polling", "webhook"] = "polling"
    """"polling" needs no public address. "webhook" is served at /telegram/updates and needs server.public_url."""
    webhook_secret: SecretStr | None = None
    """Secret that Telegram sends with every update, 1 to 256 of A-Z a-z 0-9 _ -. Required in webhook mode."""
    api_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")
    """Address of the Bot API. Change it for a Bot API server of your own, a proxy or the simulator."""
    poll: float = Field(default=25.0, gt=0, le=50)
    """Seconds one getUpdates call may hang. Lower it when a proxy cuts idle connections."""
    posts_per_second: float = Field(default=1.0, gt=0, le=30)
    """Posts a second in one chat. The default is Telegram's published rate."""
    posts_per_minute: int = Field(default=20, gt=0, le=1800)
    """Posts and edits a minute in one group. The default is Telegram's published rate."""
    rich: tuple[Chat, ...] = Field(default=(), strict=False)
    """Chats whose people all see rich messages (tables, folds); others see nothing in them. Default: none."""
