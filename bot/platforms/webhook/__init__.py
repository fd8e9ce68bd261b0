"""Outside people's chats: signed POSTs to a paging provider."""

from bot.platforms.webhook.opening import open_pagers

__all__ = ["open_pagers"]
