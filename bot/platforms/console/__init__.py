"""The web console: transport, renderer, limits, settings."""
