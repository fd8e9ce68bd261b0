"""Pictures: graphs as PNG, drawn by matplotlib in a process of its own; the bot stays small and its loop free."""
