"""Releases as they live: what is told of them, where they are seen, what waits for them. Pure work in a transaction."""
