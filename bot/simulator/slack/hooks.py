"""response_url: what the app answers to an act, to that person unless it says otherwise."""

from collections.abc import Mapping
from typing import Any

from bot.simulator.slack import content
from bot.simulator.slack.args import Args
from bot.simulator.slack.department import BOT_USER
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Message
from bot.simulator.slack.state import Workspace
from bot.simulator.slack.tickets import Response


def answer(ws: Workspace, response: Response, body: Mapping[str, Any]) -> Message | None:
    """Carry out one answer; returns the message it made or changed, None when it deleted one.

    SlackError: as chat.postMessage; message_not_found when there is no original.
    """
    if body.get("delete_original"):
        ws.delete(_original(ws, response))
        return None
    revision = content.read(ws, Args(dict(body), None, ""))
    if body.get("replace_original"):
        original = _original(ws, response)
        original.edit(revision)
        return original
    public = body.get("response_type") == "in_channel"
    thread = str(body["thread_ts"]) if body.get("thread_ts") else None
    receiver = None if public else response.user
    return ws.post(response.channel, BOT_USER, revision, thread_ts=thread, receiver=receiver)


def _original(ws: Workspace, response: Response) -> Message:
    found = ws.find(response.channel, response.message_ts) if response.message_ts else None
    if found is None:
        raise SlackError("message_not_found", status=404)
    return found


def acknowledged(ws: Workspace, response: Response, payload: object) -> Message | None:
    """The answer inside a slash command's acknowledgement: text, or an object with text or blocks."""
    if isinstance(payload, str) and payload.strip():
        return answer(ws, response, {"text": payload})
    if isinstance(payload, dict) and (payload.get("text") or payload.get("blocks")):
        return answer(ws, response, payload)
    return None
