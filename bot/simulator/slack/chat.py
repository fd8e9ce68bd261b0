"""chat.*: post, update, delete, ephemeral."""

from dataclasses import replace

from bot.simulator.slack import content, limits
from bot.simulator.slack.args import Args
from bot.simulator.slack.department import BOT_USER, Channel
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Message, Revision
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace


def destination(ws: Workspace, id_: str) -> Channel:
    """Where a post to *id_* lands: a user id means the direct messages with that user."""
    if id_.startswith("U") and id_ in ws.people:
        return ws.direct(id_)
    return ws.reachable(id_)


def post_message(ws: Workspace, args: Args) -> Json:
    channel = destination(ws, args.text("channel"))
    revision = content.read(ws, args)
    warnings = []
    if len(revision.text) > limits.TEXT_POST:
        revision = replace(revision, text=revision.text[: limits.TEXT_POST])
        warnings = ["message_truncated"]
    message = ws.post(channel.id, BOT_USER, revision, thread_ts=args.maybe("thread_ts"))
    message.broadcast = bool(message.thread_ts) and args.flag("reply_broadcast")
    answer: Json = {"ok": True, "channel": channel.id, "ts": message.ts, "message": message.wire(metadata=True)}
    if warnings:
        answer |= {"warning": ",".join(warnings), "response_metadata": {"warnings": warnings}}
    return answer


def update(ws: Workspace, args: Args) -> Json:
    """Text alone removes the blocks; metadata left out is kept."""
    channel = ws.reachable(args.text("channel"))
    found = ws.find(channel.id, args.text("ts"))
    if found is None:
        raise SlackError("message_not_found")
    if found.receiver or found.author != BOT_USER:
        raise SlackError("cant_update_message")
    if len(args.text("text")) > limits.TEXT_UPDATE:
        raise SlackError("msg_too_long")
    revision = content.read(ws, args)
    _same_first_block(found, revision)
    found.edit(revision)
    return {"ok": True, "channel": channel.id, "ts": found.ts, "text": found.text, "message": found.wire(metadata=True)}


def _same_first_block(message: Message, revision: Revision) -> None:
    """block_mismatch: rich text cannot be replaced by anything else."""
    before = message.blocks[0].get("type") if message.blocks else None
    after = revision.blocks[0].get("type") if revision.blocks else None
    if before == "rich_text" and after not in (None, "rich_text"):
        raise SlackError("block_mismatch")


def delete(ws: Workspace, args: Args) -> Json:
    channel = ws.reachable(args.text("channel"), write=False)
    message = ws.visible(channel.id, args.text("ts"))
    if message.author != BOT_USER:
        raise SlackError("cant_delete_message")
    ws.delete(message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


def post_ephemeral(ws: Workspace, args: Args) -> Json:
    """Event metadata is ignored; the receiver must be in the channel."""
    channel = ws.reachable(args.text("channel"))
    user = args.text("user")
    if user not in channel.members or user == BOT_USER:
        raise SlackError("user_not_in_channel")
    revision = replace(content.read(ws, args), metadata=None)
    message = ws.post(channel.id, BOT_USER, revision, thread_ts=args.maybe("thread_ts"), receiver=user)
    return {"ok": True, "message_ts": message.ts}


def permalink(ws: Workspace, args: Args) -> Json:
    channel = ws.reachable(args.text("channel"), write=False)
    message = ws.visible(channel.id, args.text("message_ts"))
    link = f"https://dept.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"ok": True, "channel": channel.id, "permalink": link}
