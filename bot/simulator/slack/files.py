"""files.*: upload in three steps."""

from bot.simulator.slack import chat, limits
from bot.simulator.slack.args import Args
from bot.simulator.slack.department import BOT_USER
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Revision
from bot.simulator.slack.schema import Json
from bot.simulator.slack.shelf import Upload
from bot.simulator.slack.state import Workspace


def get_upload_url(ws: Workspace, args: Args) -> Json:
    name, length = args.text("filename"), args.number("length", 0)
    if not name or length <= 0:
        raise SlackError("invalid_arguments", ["filename and a length above 0 are required"])
    if args.text("snippet_type") and length > limits.SNIPPET_BYTES:
        raise SlackError("snippet_too_large")
    if len(args.text("alt_txt")) > limits.ALT_TEXT_UPLOAD:
        raise SlackError("alt_txt_too_large")
    upload = Upload(ws.ident("F"), name, length, name)
    ws.shelf.files[upload.id] = upload
    return {"ok": True, "upload_url": f"{args.base}/upload/{upload.id}", "file_id": upload.id}


def receive(ws: Workspace, id_: str, content: bytes) -> Upload:
    """The bytes of an announced file. SlackError: file_not_found, file_upload_size_mismatch."""
    upload = ws.shelf.files.get(id_)
    if upload is None or upload.completed_at is not None:
        raise SlackError("file_not_found", status=404)
    if len(content) != upload.length:
        raise SlackError("file_upload_size_mismatch", status=400)
    upload.content = content
    return upload


def complete_upload(ws: Workspace, args: Args) -> Json:
    """Once per file; with channel_id it is shared there as one message."""
    wanted = args.structure("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments", ["files must be a list of {id, title}"])
    uploads = [_finished(ws, one) for one in wanted]
    share = args.maybe("channel_id") or args.maybe("channels")
    channel = chat.destination(ws, share) if share else None
    for upload, one in zip(uploads, wanted, strict=True):
        upload.title = str(one.get("title") or upload.name)
        upload.completed_at = ws.now()
    if channel is not None:
        for upload in uploads:
            upload.channels.append(channel.id)
        ws.post(
            channel.id,
            BOT_USER,
            Revision(ws.now(), args.text("initial_comment")),
            thread_ts=args.maybe("thread_ts"),
            files=[ws.shelf.wire(upload) for upload in uploads],
        )
    return {"ok": True, "files": [ws.shelf.wire(upload) for upload in uploads]}


def _finished(ws: Workspace, one: object) -> Upload:
    upload = ws.shelf.files.get(str(one.get("id"))) if isinstance(one, dict) else None
    if upload is None or upload.content is None or upload.completed_at is not None:
        raise SlackError("file_not_found")
    return upload


def info(ws: Workspace, args: Args) -> Json:
    upload = ws.shelf.files.get(args.text("file"))
    if upload is None or upload.completed_at is None:
        raise SlackError("file_not_found")
    return {"ok": True, "file": ws.shelf.wire(upload)}
