"""The HTTP server: webhooks in, signatures, health, metrics, the console page."""
