"""What the app is told: shapes after the slack-http and slack-socket fixtures."""

import re
import uuid
from typing import Final

from bot.simulator.slack.department import APP, BOT_USER, TEAM, TEAM_DOMAIN, VERIFICATION, Channel
from bot.simulator.slack.messages import Button, Message
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace

_MENTION: Final = re.compile(r"<@([UW][A-Z0-9]+)>")


def _common(ws: Workspace, user: str) -> Json:
    return {
        "user": {"id": user, "username": ws.people[user], "name": ws.people[user], "team_id": TEAM},
        "api_app_id": APP,
        "token": VERIFICATION,
        "team": {"id": TEAM, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _rich(text: str) -> list[Json]:
    """The rich_text block Slack's own clients make of what a person types."""
    elements: list[Json] = []
    for index, part in enumerate(_MENTION.split(text)):
        if index % 2:
            elements.append({"type": "user", "user_id": part})
        elif part:
            elements.append({"type": "text", "text": part})
    return [
        {
            "type": "rich_text",
            "block_id": "typed",
            "elements": [{"type": "rich_text_section", "elements": elements}],
        }
    ]


def _callback(ws: Workspace, event: Json) -> Json:
    return {
        "token": VERIFICATION,
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": ws.ident("Ev"),
        "event_time": int(ws.now().timestamp()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6",
    }


def _said(ws: Workspace, message: Message) -> Json:
    event: Json = {
        "client_msg_id": str(uuid.UUID(int=ws.dice.getrandbits(128), version=4)),
        "text": message.text,
        "user": message.author,
        "ts": message.ts,
        "team": TEAM,
        "blocks": _rich(message.text),
        "channel": message.channel,
        "event_ts": message.ts,
    }
    if message.thread_ts:
        parent = ws.find(message.channel, message.thread_ts)
        event |= {"thread_ts": message.thread_ts} | ({"parent_user_id": parent.author} if parent else {})
    return event


def app_mention(ws: Workspace, message: Message) -> Json:
    return _callback(ws, {"type": "app_mention", **_said(ws, message)})


def message_event(ws: Workspace, message: Message, channel: Channel) -> Json:
    return _callback(ws, {"type": "message", **_said(ws, message), "channel_type": channel.kind})


def message_deleted(ws: Workspace, message: Message, channel: Channel) -> Json:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": message.wire(),
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": message.ts,
        "event_ts": ws.stamp(),
        "ts": ws.stamp(),
        "channel_type": channel.kind,
    }
    return _callback(ws, event)


def member_left(ws: Workspace, user: str, channel: Channel) -> Json:
    event = {"type": "member_left_channel", "user": user, "channel": channel.id, "channel_type": "C", "team": TEAM}
    return _callback(ws, event | {"event_ts": ws.stamp()})


def channel_archive(ws: Workspace, user: str, channel: Channel) -> Json:
    return _callback(ws, {"type": "channel_archive", "channel": channel.id, "user": user, "event_ts": ws.stamp()})


def home_opened(ws: Workspace, user: str, channel: Channel) -> Json:
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel.id,
        "tab": "home",
        "event_ts": ws.stamp(),
    }
    if user in ws.homes:
        event["view"] = ws.homes[user]
    return _callback(ws, event)


def slash(ws: Workspace, user: str, channel: Channel, command: str, text: str, response_url: str) -> Json:
    return {
        "token": VERIFICATION,
        "team_id": TEAM,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.owner else channel.name,
        "user_id": user,
        "user_name": ws.people[user],
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": ws.tickets.trigger(user),
    }


def action(ws: Workspace, button: Button) -> Json:
    """One entry of `actions` for a pressed button."""
    pressed = {key: value for key, value in button.element.items() if key in ("text", "style", "type", "url")}
    found: Json = {"action_id": button.action_id, "block_id": button.block_id, **pressed}
    if button.value:
        found["value"] = button.value
    return found | {"action_ts": ws.stamp()}


def press_in_message(ws: Workspace, user: str, message: Message, pressed: Json, response_url: str) -> Json:
    channel = ws.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.receiver is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = {
        "type": "block_actions",
        **_common(ws, user),
        "container": container,
        "trigger_id": ws.tickets.trigger(user),
        "channel": {"id": channel.id, "name": "directmessage" if channel.owner else channel.name},
    }
    if message.receiver is None:
        payload["message"] = message.wire()
    return payload | {"state": {"values": {}}, "response_url": response_url, "actions": [pressed]}


def press_in_view(ws: Workspace, user: str, view: Json, pressed: Json) -> Json:
    """Home and modals: no channel, no response_url."""
    return {
        "type": "block_actions",
        **_common(ws, user),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": ws.tickets.trigger(user),
        "view": {key: value for key, value in view.items() if key != "user"},
        "actions": [pressed],
    }


def view_submission(ws: Workspace, user: str, view: Json, values: Json) -> Json:
    shown = {key: value for key, value in view.items() if key != "user"}
    return {
        "type": "view_submission",
        **_common(ws, user),
        "trigger_id": ws.tickets.trigger(user),
        "view": {**shown, "state": {"values": values}},
        "response_urls": [],
    }
