"""What one event may hold and how fast they may come. Ours: each provider has its own, and all have at least these."""

from __future__ import annotations

from typing import Final

TITLE: Final = 250
"""Characters: an SMS or a call reads it out; PagerDuty's summary takes 1,024, Opsgenie's message 130 and cuts it."""
TEXT: Final = 4_000
"""Characters. It is cut after a whole line."""
INTERVAL: Final = 0.5
"""Seconds between two events to one provider: PagerDuty's Events API v2 takes 120 a minute for one key."""
BURST: Final = 20
"""Events at once after a pause."""
LONGEST_DELAY: Final = 3_600.0
"""Seconds that a Retry-After may ask for: a page must not wait a day for a slip of the provider's."""
