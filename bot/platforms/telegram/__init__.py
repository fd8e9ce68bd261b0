"""Telegram: transport, renderer, limits, settings."""

from bot.platforms.telegram.opening import open_telegram

__all__ = ["open_telegram"]
