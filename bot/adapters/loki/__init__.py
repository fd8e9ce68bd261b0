"""Loki: LogQL over its HTTP API."""
