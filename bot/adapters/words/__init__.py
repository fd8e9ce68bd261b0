"""Languages and time zones: gettext catalogues, plural forms, and CLDR's numbers and dates (Babel)."""

from __future__ import annotations

from bot.adapters.words.languages import Languages

__all__ = ["Languages"]
