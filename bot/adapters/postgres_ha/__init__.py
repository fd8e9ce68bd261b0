"""Self-run PostgreSQL: a primary and its streaming standby, over their own protocol (docs/postgres.md)."""
