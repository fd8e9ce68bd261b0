"""conversations.* and users.*: who is where, and what was said."""

from collections.abc import Sequence

from bot.simulator.slack.args import Args
from bot.simulator.slack.department import BOT_USER, TEAM, Channel
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Message
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace, order


def channel_wire(channel: Channel) -> Json:
    if channel.owner:
        return {"id": channel.id, "is_im": True, "user": channel.owner, "is_archived": False, "is_open": True}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_private": False,
        "is_archived": channel.archived,
        "is_general": False,
        "is_member": BOT_USER in channel.members,
        "num_members": len(channel.members),
        "context_team_id": TEAM,
    }


def user_wire(ws: Workspace, id_: str) -> Json:
    name = ws.people.get(id_)
    if name is None:
        raise SlackError("user_not_found")
    return {
        "id": id_,
        "team_id": TEAM,
        "name": name,
        "real_name": name.capitalize(),
        "deleted": False,
        "is_bot": id_ == BOT_USER,
        "tz": "Europe/Berlin",
        "profile": {"real_name": name.capitalize(), "display_name": name, "email": f"{name}@dept.example"},
    }


def info(ws: Workspace, args: Args) -> Json:
    return {"ok": True, "channel": channel_wire(ws.channel(args.text("channel")))}


def list_(ws: Workspace, args: Args) -> Json:
    wanted = args.text("types", "public_channel").split(",")
    skip_archived = args.flag("exclude_archived")
    found = [
        channel_wire(channel)
        for channel in ws.channels.values()
        if ("im" if channel.owner else "public_channel") in wanted and not (skip_archived and channel.archived)
    ]
    return {"ok": True, "channels": found, "response_metadata": {"next_cursor": ""}}


def open_(ws: Workspace, args: Args) -> Json:
    """One user: the direct messages with that user. Groups of several are refused: pult never opens one."""
    users = [user for user in args.text("users").split(",") if user]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    channel = ws.direct(users[0])
    return {"ok": True, "channel": channel_wire(channel) if args.flag("return_im") else {"id": channel.id}}


def members(ws: Workspace, args: Args) -> Json:
    found = sorted(ws.channel(args.text("channel")).members)
    return {"ok": True, "members": found, "response_metadata": {"next_cursor": ""}}


def _between(args: Args, messages: Sequence[Message]) -> list[Message]:
    oldest, latest = args.text("oldest", "0"), args.text("latest")
    low, high = order(oldest), order(latest) if latest else (2**63, 0)
    if args.flag("inclusive"):
        return [m for m in messages if low <= order(m.ts) <= high]
    return [m for m in messages if low < order(m.ts) < high]


def _page(args: Args, messages: list[Message], default: int) -> tuple[list[Message], Json]:
    limit = args.number("limit", default)
    if not 1 <= limit <= 1_000:
        raise SlackError("invalid_limit")
    start = args.number("cursor", 0)
    more = len(messages) > start + limit
    cursor = str(start + limit) if more else ""
    return messages[start : start + limit], {"has_more": more, "response_metadata": {"next_cursor": cursor}}


def _shown(ws: Workspace, args: Args, message: Message) -> Json:
    shown = message.wire(metadata=args.flag("include_all_metadata"))
    replies = ws.replies(message)
    if replies:
        shown |= {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
    return shown


def history(ws: Workspace, args: Args) -> Json:
    """Newest first, of the replies only broadcast ones, no ephemeral ones; metadata only with include_all_metadata."""
    channel = ws.reachable(args.text("channel"), write=False)
    roots = [m for m in ws.standing(channel.id) if m.thread_ts is None or m.broadcast]
    page, rest = _page(args, _between(args, roots)[::-1], 100)
    return {"ok": True, "messages": [_shown(ws, args, m) for m in page], "pin_count": 0, **rest}


def replies(ws: Workspace, args: Args) -> Json:
    """The parent, then its replies, oldest first."""
    channel = ws.reachable(args.text("channel"), write=False)
    ts = args.text("ts")
    thread = [m for m in ws.standing(channel.id) if ts in (m.ts, m.thread_ts)]
    if not thread:
        raise SlackError("thread_not_found")
    page, rest = _page(args, _between(args, thread), 1_000)
    return {"ok": True, "messages": [_shown(ws, args, m) for m in page], **rest}


def user_info(ws: Workspace, args: Args) -> Json:
    return {"ok": True, "user": user_wire(ws, args.text("user"))}


def user_list(ws: Workspace, _args: Args) -> Json:
    members_ = [user_wire(ws, id_) for id_ in ws.people]
    return {"ok": True, "members": members_, "response_metadata": {"next_cursor": ""}}
