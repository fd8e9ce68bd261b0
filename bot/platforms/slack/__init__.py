"""Slack: transport, renderer, limits, settings."""

from bot.platforms.slack.opening import open_slack

__all__ = ["open_slack"]
