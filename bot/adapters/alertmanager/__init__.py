"""Alertmanager: alerts and silences over API v2."""
