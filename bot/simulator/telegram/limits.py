"""Telegram's numbers, with unit and source.

Bot API reference, python-telegram-bot's constants, core.telegram.org/bots/faq for the rates.
"""

from typing import Final

# --- text, UTF-16 code units after entity parsing ---
TEXT: Final = 4_096
CAPTION: Final = 1_024
ENTITIES: Final = 100  # further ones are ignored
CALLBACK_TEXT: Final = 200

# --- inline keyboard ---
CALLBACK_DATA: Final = 64  # bytes
ROW: Final = 8
BUTTONS: Final = 100
COPY_TEXT: Final = 256

# --- commands and descriptions ---
COMMANDS: Final = 100
COMMAND_DESCRIPTION: Final = 256
DESCRIPTION: Final = 512
SHORT_DESCRIPTION: Final = 120
BOT_NAME: Final = 64

# --- files, bytes ---
PHOTO: Final = 10 * 1024 * 1024
DOCUMENT: Final = 50 * 1024 * 1024
PHOTO_SIDES: Final = 10_000  # width plus height, pixels
PHOTO_RATIO: Final = 20

# --- rich messages (Bot API 10.3) ---
RICH_TEXT: Final = 32_768
RICH_BLOCKS: Final = 500
RICH_DEPTH: Final = 16
RICH_COLUMNS: Final = 20
RICH_MEDIA: Final = 50
RICH_MEDIA_ID: Final = r"[A-Za-z0-9_-]{1,64}"

# --- rates: (messages, seconds); sends and edits share them ---
PER_CHAT: Final = (3, 3.0)  # one a second, with a burst of three
PER_GROUP: Final = (20, 60.0)
OVERALL: Final = (30, 1.0)

# --- time, seconds ---
CALLBACK_LIFE: Final = 30.0  # then "query is too old"; the true figure is not published
EPHEMERAL_WINDOW: Final = 15.0  # a bot that is no administrator answers within this
POLL: Final = 50  # longest getUpdates
WEBHOOK_DEADLINE: Final = 60.0
WEBHOOK_PAUSE: Final = (1.0, 60.0)  # first and longest pause between repeats
UPDATES: Final = 100  # in one getUpdates

WEBHOOK_SECRET: Final = r"[A-Za-z0-9_-]{1,256}"  # noqa: S105 - a pattern
COMMAND: Final = r"[a-z0-9_]{1,32}"
