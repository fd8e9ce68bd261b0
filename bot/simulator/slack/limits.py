"""Slack's numbers, with unit and source.

Block Kit figures: docs.slack.dev/reference/block-kit and slack_sdk's models; sums and rates: bolt-js issues 2509
and 2867, docs.slack.dev/apis/web-api/rate-limits. Newer blocks: the pages of 2026-09 and their change log.
"""

from typing import Final

# --- Web API ---
TEXT_POST: Final = 40_000  # characters: chat.postMessage cuts here and warns `message_truncated`
TEXT_UPDATE: Final = 4_000  # characters: chat.update answers `msg_too_long`
MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
MESSAGE_TEXT_SUM: Final = 12_000  # characters over all blocks; undocumented, seen as `msg_blocks_too_long`
MARKDOWN_SUM: Final = 12_000  # characters over all markdown blocks
VIEW_BYTES: Final = 250 * 1024  # bytes of a view: `view_too_large`
MODAL_STACK: Final = 3
ATTACHMENTS: Final = 100  # secondary attachments of one message: chat.postMessage, `too_many_attachments`
SNIPPET_BYTES: Final = 1024 * 1024
ALT_TEXT_UPLOAD: Final = 1_000

# --- classic blocks, characters unless said otherwise ---
ID: Final = 255
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER: Final = 150
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
ALT_TEXT: Final = 2_000
URL: Final = 3_000
IMAGE_TITLE: Final = 2_000
INPUT_LABEL: Final = 2_000
VIDEO_TITLE: Final = 200
CONTEXT_ACTIONS: Final = 5

# --- elements and objects ---
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
ACCESSIBILITY_LABEL: Final = 75
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
OPTIONS: Final = 100
OPTION_GROUPS: Final = 100
CHOICES: Final = 10  # checkboxes and radio buttons
OVERFLOW_OPTIONS: Final = 5
PLACEHOLDER: Final = 150
INPUT_VALUE: Final = 3_000

# --- views ---
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000

# --- newer blocks ---
CHART_TITLE: Final = 50
CHART_LABEL: Final = 20
CHART_AXIS: Final = 50
CHART_SERIES: Final = 12
CHART_POINTS: Final = 20
CHARTS: Final = 2  # per message
DATA_TABLE_ROWS: Final = (2, 201)  # with the header
TABLE_COLUMNS: Final = 20
DATA_TABLE_CELLS: Final = 20_000  # characters over all data_table cells of a message
PAGE_SIZE: Final = 100
TABLE_ROWS: Final = 100
TABLE_CELLS: Final = 10_000  # characters
TABLES: Final = 1  # per message, of either kind: documented for table, assumed for data_table
PLAN_TASKS: Final = 50
LAYOUT_LABEL: Final = 150
LAYOUT_ROWS: Final = 5
CONTAINER_TITLE: Final = 150
CONTAINER_CHILDREN: Final = 10
CARD_TITLE: Final = 150
CARD_BODY: Final = 200
CARD_BUTTONS: Final = 3
CAROUSEL_CARDS: Final = 10
ALERT_TEXT: Final = 200

# --- time, seconds ---
ACK: Final = 3.0  # for envelopes, slash commands, actions, views
TRIGGER: Final = 3.0  # a trigger_id lives this long and works once
RESPONSE_URL_LIFE: Final = 1_800.0
RESPONSE_URL_USES: Final = 5
EVENT_RETRIES: Final = (0.0, 60.0, 300.0)  # at once, a minute, five minutes
SOCKET_LIFE: Final = 3_600.0
SOCKET_WARNING: Final = 10.0
SOCKETS: Final = 10
TICKET_LIFE: Final = 30.0
FILE_PROCESSING: Final = 1.5  # until an upload may stand in an image block: 1 to 3 s

# --- rates: (per second, burst) ---
POSTS: Final = (1.0, 3)  # chat.postMessage: per channel, short bursts
TIER_1: Final = (1 / 60, 10)  # apps.connections.open; the burst is ours: restarts come in groups
TIER_2: Final = (20 / 60, 10)
TIER_3: Final = (50 / 60, 20)
TIER_4: Final = (100 / 60, 40)
