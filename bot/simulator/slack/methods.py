"""Every Web API method this workspace knows: what runs, at what rate, with which token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bot.simulator.slack import chat, conversations, department, files, limits, rules, views
from bot.simulator.slack.args import Args
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace


@dataclass(frozen=True)
class Method:
    """*per_channel*: the rate holds for each channel, else for the workspace. *scopes*: any one of them is needed."""

    run: Callable[[Workspace, Args], Json]
    rate: tuple[float, int]
    per_channel: bool = False
    auth: Literal["bot", "app", "none"] = "bot"
    scopes: tuple[str, ...] = ()

    def allow(self, granted: str) -> None:
        """SlackError: missing_scope, when not one of ``scopes`` is among those *granted*."""
        if self.scopes and not set(self.scopes) & set(granted.split(",")):
            raise SlackError("missing_scope", needed=",".join(self.scopes))


def _api_test(_ws: Workspace, args: Args) -> Json:
    return {"ok": True, "args": args.values}


def _auth_test(_ws: Workspace, _args: Args) -> Json:
    return {
        "ok": True,
        "url": "https://dept.slack.com/",
        "team": "Department",
        "user": department.BOT_NAME,
        "team_id": department.TEAM,
        "user_id": department.BOT_USER,
        "bot_id": department.BOT_ID,
        "is_enterprise_install": False,
    }


def _connections_open(ws: Workspace, args: Args) -> Json:
    ticket = ws.tickets.socket()
    return {"ok": True, "url": f"{args.base.replace('http', 'ws', 1)}/socket?ticket={ticket}&app_id={department.APP}"}


def _validate(ws: Workspace, args: Args) -> Json:
    """blocks.validate: exactly one of blocks, message, view, as JSON strings."""
    given = [name for name in ("blocks", "message", "view") if args.values.get(name)]
    if len(given) != 1:
        raise SlackError("invalid_arguments")
    found = args.structure(given[0], f"invalid_{given[0]}")
    try:
        if given[0] == "view":
            kind = found.get("type") if isinstance(found, dict) else None
            rules.check_view(found, "home" if kind == "home" else "modal")
        else:
            blocks = found.get("blocks", []) if isinstance(found, dict) else found
            rules.check_message(blocks, ws.shelf.usable, ws.unknown_blocks)
    except SlackError as refusal:
        raise SlackError(f"invalid_{given[0]}", refusal.problems or [refusal.error]) from refusal
    return {"ok": True}


def _react(ws: Workspace, args: Args, *, add: bool) -> Json:
    channel = ws.reachable(args.text("channel"), write=False)
    message = ws.visible(channel.id, args.text("timestamp"))
    name = args.text("name").strip(":")
    if not name:
        raise SlackError("invalid_name")
    users = message.reactions.setdefault(name, [])
    if add == (department.BOT_USER in users):
        raise SlackError("already_reacted" if add else "no_reaction")
    if add:
        users.append(department.BOT_USER)
    else:
        users.remove(department.BOT_USER)
    message.reactions = {name: users for name, users in message.reactions.items() if users}
    return {"ok": True}


def _pin(ws: Workspace, args: Args, *, add: bool) -> Json:
    channel = ws.reachable(args.text("channel"))
    message = ws.visible(channel.id, args.text("timestamp"))
    if message.pinned == add:
        raise SlackError("already_pinned" if add else "no_pin")
    message.pinned = add
    return {"ok": True}


_HISTORY: Final = ("channels:history", "groups:history", "im:history")
_FILES: Final = ("files:write",)
_WRITE: Final = ("chat:write",)

METHODS: Final[dict[str, Method]] = {
    "api.test": Method(_api_test, limits.TIER_4, auth="none"),
    "auth.test": Method(_auth_test, limits.TIER_4),
    "apps.connections.open": Method(_connections_open, limits.TIER_1, auth="app"),
    "blocks.validate": Method(_validate, limits.TIER_4, auth="none"),
    "chat.postMessage": Method(chat.post_message, limits.POSTS, per_channel=True, scopes=_WRITE),
    "chat.postEphemeral": Method(chat.post_ephemeral, limits.TIER_4, scopes=_WRITE),
    "chat.update": Method(chat.update, limits.TIER_3, scopes=_WRITE),
    "chat.delete": Method(chat.delete, limits.TIER_3, scopes=_WRITE),
    "chat.getPermalink": Method(chat.permalink, limits.TIER_4),
    "conversations.info": Method(conversations.info, limits.TIER_3),
    "conversations.list": Method(conversations.list_, limits.TIER_2),
    "conversations.open": Method(conversations.open_, limits.TIER_3, scopes=("im:write",)),
    "conversations.history": Method(conversations.history, limits.TIER_3, scopes=_HISTORY),
    "conversations.replies": Method(conversations.replies, limits.TIER_3, scopes=_HISTORY),
    "conversations.members": Method(conversations.members, limits.TIER_4),
    "users.info": Method(conversations.user_info, limits.TIER_4),
    "users.list": Method(conversations.user_list, limits.TIER_2),
    "views.open": Method(views.open_, limits.TIER_4),
    "views.push": Method(views.push, limits.TIER_4),
    "views.update": Method(views.update, limits.TIER_4),
    "views.publish": Method(views.publish, limits.TIER_4),
    "files.getUploadURLExternal": Method(files.get_upload_url, limits.TIER_4, scopes=_FILES),
    "files.completeUploadExternal": Method(files.complete_upload, limits.TIER_4, scopes=_FILES),
    "files.info": Method(files.info, limits.TIER_4),
    "reactions.add": Method(lambda ws, args: _react(ws, args, add=True), limits.TIER_3),
    "reactions.remove": Method(lambda ws, args: _react(ws, args, add=False), limits.TIER_2),
    "pins.add": Method(lambda ws, args: _pin(ws, args, add=True), limits.TIER_2),
    "pins.remove": Method(lambda ws, args: _pin(ws, args, add=False), limits.TIER_2),
}
