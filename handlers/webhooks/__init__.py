"""Webhook bodies to notifications: pure."""
