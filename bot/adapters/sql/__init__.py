"""The store on SQLite or PostgreSQL: SQLAlchemy spells the statements, the drivers run them."""

from __future__ import annotations

from bot.adapters.sql.opening import status, upgrade
from bot.adapters.sql.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store", "status", "upgrade"]
