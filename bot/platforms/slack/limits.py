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

# --- newer blocks: docs.slack.dev, pages of 2026-06 to 2026-09 ---
CHARTS: Final = 2
"""data_visualization blocks in a message."""
CHART_TITLE: Final = 50
CHART_LABEL: Final = 20
"""Characters of a category or of a series' name."""
CHART_AXIS: Final = 50
CHART_POINTS: Final = 20
"""Points of each series: exactly one for every category."""
CHART_SERIES: Final = 6
"""Series in a chart: 12 since 2026-09; 6, as it was in June, is what every workspace takes and an eye can follow."""
DATA_TABLES: Final = 1
"""Tables in a message. One is documented for ``table``; for ``data_table`` no number is."""
TABLE_ROWS: Final = 200
"""Rows under the header of a data_table."""
TABLE_COLUMNS: Final = 20
TABLE_PAGE: Final = 10
"""Rows of a data_table shown at once; ours, of at most 100."""
TABLE_CAPTION: Final = 150
"""Ours; no figure is documented."""
TABLE_CELL: Final = 300
"""Characters of one cell; ours, for a row to stay a row."""
TABLE_TEXT: Final = 6_000
"""Characters of all cells; 20,000 are allowed, but whether they count in BLOCKS_TEXT is documented nowhere."""
PLANS: Final = 1
"""Plans in a message: tasks of two might share their ids."""
PLAN_TASKS: Final = 50
TASK_TITLE: Final = 250
"""Ours; no figure is documented."""
CONTAINER_TITLE: Final = 150
SECTION_TEXT: Final = 3_000
JSON: Final = 100_000
"""Characters of all blocks as JSON; ours, well under the 250 KB that are documented for views."""
REFUSAL_HOURS: Final = 24
"""How long a block type that the workspace refused is not tried again."""

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
WHISPER_SECONDS: Final = 60 / 100
"""Between two answers that one person sees: chat.postEphemeral is tier 4, 100 a minute; a response_url is free."""
WHISPERS: Final = 20
"""Such answers that may come at once; ours, more than a person asks for."""
CALL_SECONDS: Final = 12.0
"""Deadline of one call of the Web API; Slack itself gives up on a request before."""
ATTACH_SECONDS: Final = 8.0
"""Deadline for attaching a file, which is three calls."""
PICTURE_SECONDS: Final = 20.0
"""Deadline for painting a graph and attaching it."""
PICTURES: Final = 20
"""Pictures that may wait; in a storm the cards matter, not these."""
ALT_TEXT: Final = 1_000
"""Characters of a file's description: files.getUploadURLExternal."""
PAGE: Final = 200
"""Messages asked for at once when looking back; Slack recommends no more than 200."""
PAGES: Final = 10
"""Pages looked back at most."""
PING: Final = 5.0
"""Seconds between two looks at the socket: a dead one is noticed after four, a closed one at the next."""
CONNECT_SECONDS: Final = 20.0
"""Deadline for opening the socket."""
DEAF_SECONDS: Final = 45.0
"""Seconds without a socket after which the connection is begun anew from nothing."""
CONNECTIONS: Final = 32
"""Connections to Slack at once: channels are written to side by side."""
