"""Chat platforms: each is a transport, a pure renderer, a limits table and its settings."""
