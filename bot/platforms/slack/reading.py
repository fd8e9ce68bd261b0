"""What Slack tells us people did, as requests. Pure: a payload and the time in, a request or None out.

Shapes: docs.slack.dev (slash commands, Events API, block_actions) and tests/fixtures/slack. None: not for us, or not
from a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from bot.domain.cards import Place
from bot.domain.requests import Request

Body = Mapping[str, Any]
_LABELLED = re.compile(r"<[^<>|]*\|([^<>]*)>")
_BARE = re.compile(r"<(?:mailto:)?([^<>|]*)>")
_NAME = re.compile(r"^/pult\b")


def slash(body: Body, now: datetime) -> Request:
    """A slash command. Between two people pult is not there: what is for all goes to the asker's own chat with it."""
    user, channel = str(body["user_id"]), f"slack:{body['channel_id']}"
    shared = body.get("channel_name") != "directmessage"
    return Request(
        id=f"slack:{body['trigger_id']}",
        platform="slack",
        account=user,
        text=typed(str(body.get("text") or "")),
        place=Place(channel) if shared else Place(f"slack:{user}"),
        private=Place(channel, private_to=user, press=str(body.get("response_url") or "")),
        received_at=now,
        shared=shared,
    )


def event(body: Body, now: datetime) -> Request | None:
    """Words to the bot: a mention in a channel, or a direct message."""
    said = body["event"]
    if not said.get("user") or said.get("bot_id") or said.get("subtype") or said.get("edited"):
        return None
    direct = said.get("channel_type") == "im"
    if said["type"] == "message" and not direct:
        return None
    if said["type"] not in {"message", "app_mention"}:
        return None
    thread = str(said.get("thread_ts") or ("" if direct else said["ts"]))
    place = Place(f"slack:{said['channel']}", thread=thread)
    return Request(
        id=f"slack:{body['event_id']}",
        platform="slack",
        account=str(said["user"]),
        text=typed(str(said.get("text") or ""), _own_id(body)),
        place=place,
        private=place,
        received_at=now,
        shared=not direct,
    )


def press(body: Body, now: datetime) -> Request | None:
    """A pressed button: its value is the command. A link has none, and Slack opened it already."""
    value = str(body["actions"][0].get("value") or "")
    container = body.get("container") or {}
    channel, user = str(container.get("channel_id") or ""), str(body["user"]["id"])
    if not value or not channel:
        return None
    ts = str(container.get("message_ts") or "")
    # Nobody can answer under an ephemeral message; a thread it stands in is the place then.
    in_thread = str(container.get("thread_ts") or (body.get("message") or {}).get("thread_ts") or "")
    thread = in_thread or ("" if container.get("is_ephemeral") else ts)
    seed = f"{channel}/{ts}/{body['actions'][0].get('action_ts')}/{user}/{value}"
    return Request(
        id=f"slack:press-{blake2b(seed.encode(), digest_size=12).hexdigest()}",
        platform="slack",
        account=user,
        text=value,
        place=Place(f"slack:{channel}", thread=thread),
        private=Place(f"slack:{channel}", thread=in_thread, private_to=user, press=str(body.get("response_url") or "")),
        received_at=now,
        shared=not channel.startswith("D"),
        pressed=True,
    )


def typed(text: str, own: str = "") -> str:
    """What the person typed: without our name, and Slack's marks around names and links."""
    if own:
        text = re.sub(rf"<@{re.escape(own)}(?:\|[^>]*)?>", " ", text)
    text = _BARE.sub(r"\1", _LABELLED.sub(r"\1", text))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    text = text.replace("\N{NO-BREAK SPACE}", " ").strip().strip("`").strip()
    return _NAME.sub("", text).strip()


def _own_id(body: Body) -> str:
    """The bot's own user id: whom the event was meant for."""
    given = body.get("authorizations") or [{}]
    return str(given[0].get("user_id") or "")
