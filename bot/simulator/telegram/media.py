"""Photos and documents: uploaded, named by file_id, or by URL."""

import hashlib
import mimetypes
import struct
from typing import Final, Literal

from bot.simulator.telegram import limits
from bot.simulator.telegram.args import Args, File
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.state import Telegram

Kind = Literal["photo", "document"]
ABOVE: Final = "show_caption_above_media"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PICTURES: Final = (_PNG, b"\xff\xd8\xff", b"GIF8", b"RIFF")
_UNKNOWN_SIDES: Final = (800, 600)


def above(args: Args) -> Json:
    """Words above their picture: asked for anew with every edit."""
    return {ABOVE: True} if args.flag(ABOVE) else {}


def read(tg: Telegram, args: Args, kind: Kind, value: str) -> Json:
    """The media part of a message from an upload (`attach://name` or the field itself), a file_id or a URL.

    TelegramError 400: file is missing, too big, or no picture.
    """
    file = args.files.get(value.removeprefix("attach://")) if value.startswith("attach://") else args.files.get(kind)
    if file is None:
        return _referenced(tg, kind, value)
    _fits(file, kind)
    file_id = f"SIM{hashlib.sha256(file.content).hexdigest()[:24]}"
    tg.files[file_id] = file.content
    return _shown(kind, file_id, file)


def _referenced(tg: Telegram, kind: Kind, value: str) -> Json:
    if value in tg.files:
        return _shown(kind, value, File("file.png", tg.files[value]))
    if value.startswith(("http://", "https://")):
        return _shown(
            kind, f"URL{hashlib.sha256(value.encode()).hexdigest()[:24]}", File(value.rsplit("/", 1)[-1], b"")
        )
    if not value:
        raise bad_request(f"there is no {kind} in the request")
    raise bad_request("wrong file identifier/HTTP URL specified")


def _fits(file: File, kind: Kind) -> None:
    if not file.content:
        raise bad_request("file must be non-empty")
    if len(file.content) > (limits.PHOTO if kind == "photo" else limits.DOCUMENT):
        raise bad_request("file is too big")
    if kind == "document":
        return
    if not file.content.startswith(_PICTURES):
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = _sides(file.content)
    if width + height > limits.PHOTO_SIDES or max(width, height) > limits.PHOTO_RATIO * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _sides(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG; a guess for the rest."""
    if content.startswith(_PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    return _UNKNOWN_SIDES


def _shown(kind: Kind, file_id: str, file: File) -> Json:
    common: Json = {"file_id": file_id, "file_unique_id": file_id[-15:], "file_size": len(file.content)}
    if kind == "photo":
        width, height = _sides(file.content)
        return {"photo": [{**common, "width": width, "height": height}]}
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"document": {**common, "file_name": file.name, "mime_type": mime}}


def get_file(tg: Telegram, args: Args) -> Json:
    """getFile: what `/file/bot<token>/<file_path>` then serves."""
    file_id = args.text("file_id")
    if file_id not in tg.files:
        raise bad_request("invalid file_id")
    size = len(tg.files[file_id])
    return {"file_id": file_id, "file_unique_id": file_id[-15:], "file_size": size, "file_path": f"files/{file_id}"}
