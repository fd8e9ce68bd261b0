"""Telegram's numbers as a sender meets them, each with its unit and source.

API: core.telegram.org/bots/api, with the constants of python-telegram-bot. FAQ: core.telegram.org/bots/faq.
tdlib: tdlib/td, which every Bot API server is built on. Ours: what we chose, and why.
"""

from __future__ import annotations

from typing import Final

# --- text, UTF-16 code units after entity parsing ---
TEXT: Final = 4_096  # API, sendMessage
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

# --- commands: API, BotCommand ---
COMMANDS: Final = 100
COMMAND: Final = r"[a-z0-9_]{1,32}"
DESCRIPTION: Final = 256  # characters

# --- files ---
DOCUMENT: Final = 20 * 1024 * 1024  # bytes; ours, of the 50 MB that sendDocument takes: it has to go through in time
