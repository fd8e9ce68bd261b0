"""Run by alembic: migrate on the connection that bot.adapters.sql.migrate has opened and will commit."""

from __future__ import annotations

from alembic import context

from bot.adapters.sql.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
