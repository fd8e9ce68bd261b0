"""Telegram's numbers as a sender meets them, each with its unit and source.

API: core.telegram.org/bots/api, with the constants of python-telegram-bot. FAQ: core.telegram.org/bots/faq.
tdlib: tdlib/td, which every Bot API server is built on. Ours: what we chose, and why.
"""

from __future__ import annotations

from typing import Final

# --- text, UTF-16 code units after entity parsing ---
TEXT: Final = 4_096  # API, sendMessage
CAPTION: Final = 1_024  # API, sendPhoto
ENTITIES: Final = 100  # API constants, MessageLimit.MESSAGE_ENTITIES; further ones are ignored
TITLE: Final = 256  # ours: the body keeps room
ALERT: Final = 200  # API, answerCallbackQuery.text

# --- markup, bytes ---
TAGS: Final = 14_000  # tdlib cuts a string at 35,000 bytes (clean_input_string), and escaped text may take 24,576
URL: Final = 2_000  # ours: of one link, so that a few of them fit into TAGS

# --- layout ---
COLUMNS: Final = 60  # ours: of a table; wider ones wrap on every screen
CELL: Final = 200  # ours, units: what is read of one cell
PHONE_COLUMNS: Final = 36  # ours: of fixed-width text on a phone; a broader table of two columns is a list
SECTION: Final = 160  # ours, units: a part that would get less is left out rather than cut to nothing
NOTE: Final = 48  # ours, units: room for "… and 12,345 more" in any language

# --- rich messages, Bot API 10.3 ---
RICH_TEXT: Final = 32_768  # API, rich messages, characters
RICH_BLOCKS: Final = 500  # API; list items and table rows count
RICH_COLUMNS: Final = 20  # API, of a table
RICH_LINES: Final = 20  # ours: of a list before the rest is folded
RICH_BYTES: Final = 64_000  # ours: twice what its text may take; more is markup run wild

# --- inline keyboard ---
CALLBACK_DATA: Final = 64  # bytes: API, InlineKeyboardButton.callback_data
BUTTONS: Final = 100  # API constants, InlineKeyboardMarkupLimit.TOTAL_BUTTON_NUMBER
ROW: Final = 3  # ours, of the 8 that InlineKeyboardMarkupLimit.BUTTONS_PER_ROW allows
ROW_UNITS: Final = 36  # ours: letters of a row's labels that a phone shows uncut
LABEL: Final = 40  # ours, units

# --- rates: sends and edits share them (FAQ; edits: tdlib/td #2592) ---
PER_CHAT_BURST: Final = 3  # FAQ: "short bursts that go over this limit" are let through
OVERALL: Final = (30, 1.0)  # calls, seconds: FAQ
MINUTE: Final = 60.0  # seconds, of the limit for groups: FAQ
PROGRESS: Final = (1, 3.0)  # ours: edits, seconds, of live progress in a group; edits use up the same 20 a minute

# --- commands: API, BotCommand ---
COMMANDS: Final = 100
COMMAND: Final = r"[a-z0-9_]{1,32}"
DESCRIPTION: Final = 256  # characters

# --- pictures ---
PHOTO: Final = 10 * 1024 * 1024  # bytes: API, sendPhoto
PAINT: Final = 1.0  # seconds; ours: a card waits no longer for its picture (interface.md, section 6)
PAINT_REST: Final = 30.0  # seconds; ours: pause after a painting that failed, so that no storm waits for it
PAINT_AGAIN: Final = (
    5.0  # seconds; ours: pause after one that was late: its worker, which takes one to start, is up then
)
NEW_PICTURE: Final = 300.0  # seconds; ours: a picture this much older than its graph is replaced at the next edit
NO_PHOTOS: Final = 3_600.0  # seconds; ours: pause before a chat that forbids photos is tried with one again

# --- topics ---
LOST_TOPIC: Final = 600.0  # seconds; ours: pause before a closed or deleted topic is tried again

# --- files ---
DOCUMENT: Final = 20 * 1024 * 1024  # bytes; ours, of the 50 MB that sendDocument takes: it has to go through in time
