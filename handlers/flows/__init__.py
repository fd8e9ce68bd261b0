"""Flows: the steps of an operation."""
