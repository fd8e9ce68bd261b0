"""Slack's numbers, each with its unit and source. Characters are counted as Slack may at worst: see ``texts.size``.

Block Kit figures: docs.slack.dev/reference/block-kit and slack_sdk's models.
Rates: docs.slack.dev/apis/web-api/rate-limits.
"""

from __future__ import annotations

from typing import Final

# --- one message ---
BLOCKS: Final = 50
"""Blocks in a message."""
BLOCKS_TEXT: Final = 10_000
"""Characters over all blocks. Undocumented; 12,000 to 13,200 by slackapi/bolt-js issues 2509 and 2867, where 11,341 was
refused once."""
TEXT: Final = 3_900
"""Characters of ``text``: chat.update answers msg_too_long over 4,000."""

# --- blocks and elements, characters unless said otherwise ---
HEADER: Final = 150
SECTION_FIELDS: Final = 10
"""Fields in a section."""
SECTION_FIELD: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
"""Elements in a context block."""
CONTEXT_TEXT: Final = 3_000
ACTIONS: Final = 25
"""Elements in an actions block."""
BUTTON: Final = 75
BUTTON_VALUE: Final = 2_000
URL: Final = 3_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
TIMESTAMP: Final = 2**40 - 1
"""Seconds since 1970 in a date element; what the strict validator takes."""

# --- ours: for a card to be read, not scrolled ---
ACTIONS_TEXT: Final = 3_000
"""Characters of all buttons with what they ask to confirm, out of BLOCKS_TEXT."""
BLOCK_TEXT: Final = 3_000
"""Characters of one part of a card; what is longer goes on in the attached file."""
SMALL_PRINT: Final = 600
"""Characters of one line of small print."""
LINES: Final = 30
"""Lines of one list, log or table."""
TABLE_WIDTH: Final = 72
"""Columns of a table in fixed width; a broader one wraps on a laptop and is drawn as a list."""
FIELD: Final = 120
"""Characters of one fact in two columns; with a longer one facts are drawn as lines."""

# --- rates and deadlines ---
BURST: Final = 3
"""Posts in one channel that may come at once: "1 per second, short bursts tolerated"."""
EDITS_PER_SECOND: Final = 50 / 60
"""chat.update is tier 3: 50 a minute, in all channels of the workspace together."""
EDITS_BURST: Final = 15
"""Edits that may come at once after a pause; ours, less than what tier 3 was seen to tolerate."""
CALL_SECONDS: Final = 12.0
"""Deadline of one call of the Web API; Slack itself gives up on a request before."""
ATTACH_SECONDS: Final = 8.0
"""Deadline for attaching a file, which is three calls."""
PAGE: Final = 200
"""Messages asked for at once when looking back; Slack recommends no more than 200."""
PAGES: Final = 10
"""Pages looked back at most."""
SIGNATURE_AGE: Final = 300
"""Seconds a signed request may be old or ahead: docs.slack.dev/authentication/verifying-requests-from-slack."""
PING: Final = 5.0
"""Seconds between two looks at the socket: a dead one is noticed after four, a closed one at the next."""
CONNECT_SECONDS: Final = 20.0
"""Deadline for opening the socket."""
DEAF_SECONDS: Final = 45.0
"""Seconds without a socket after which the connection is begun anew from nothing."""
CONNECTIONS: Final = 32
"""Connections to Slack at once: channels are written to side by side."""
