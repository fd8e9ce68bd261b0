"""What pult must be told about its own web console."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ConsoleSettings(BaseModel):
    """The web console and POST /api/ask. People log in with their personal tokens ([[people]] token)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    enabled: bool = True
    """Serve the console and /api/ask. Set to false where chats alone should do."""
    open: bool = False
    """Let the page choose who it is, without a token. For the demo: refused unless server.host is loopback."""
