"""Alerts as people live with them: where they show, who is woken, who holds them. Pure work inside a transaction."""
