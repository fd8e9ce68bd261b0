"""Secondary attachments: Slack's older way to say more, still what Alertmanager sends.

docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments; errors: chat.postMessage.
"""

from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.schema import Json

TEXTS: Final = (
    "fallback", "pretext", "author_name", "author_link", "author_icon", "title", "title_link", "text", "image_url",
    "thumb_url", "footer", "footer_icon", "color", "callback_id",
)  # fmt: skip
SHOWN: Final = ("pretext", "author_name", "title", "text", "image_url", "thumb_url", "footer")


def check(found: object) -> tuple[Json, ...] | None:
    """What was sent, each with the id that Slack gives it; None: nothing was said of attachments.

    SlackError: invalid_attachments, too_many_attachments; no_text for one that shows nothing.
    """
    if found is None or found == "":
        return None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SlackError("invalid_attachments", ["must be a list of objects [json-pointer:/attachments]"])
    if len(found) > limits.ATTACHMENTS:
        raise SlackError("too_many_attachments")
    return tuple({**_checked(one, at), "id": at + 1} for at, one in enumerate(found))


def said(attachments: tuple[Json, ...] | None) -> list[str]:
    """Every text of *attachments* that a reader sees."""
    texts = [str(one[name]) for one in attachments or () for name in ("pretext", "title", "text") if one.get(name)]
    fields = [field for one in attachments or () for field in one.get("fields", ())]
    return texts + [str(field[name]) for field in fields for name in ("title", "value") if field.get(name)]


def _checked(one: Json, at: int) -> Json:
    for name in TEXTS:
        if not isinstance(one.get(name, ""), str):
            raise SlackError("invalid_attachments", [f"must be a string [json-pointer:/attachments/{at}/{name}]"])
    fields = one.get("fields", [])
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        raise SlackError("invalid_attachments", [f"must be a list of objects [json-pointer:/attachments/{at}/fields]"])
    if not fields and not any(one.get(name) for name in SHOWN):
        raise SlackError("no_text")
    return one
