"""Schedules: what pult does by itself, at its time."""
