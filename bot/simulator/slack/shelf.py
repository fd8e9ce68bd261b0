"""Uploaded files: announced, received, shared, and usable in blocks only a little later."""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.slack import limits
from bot.simulator.slack.department import BOT_USER
from bot.simulator.slack.schema import Json


@dataclass
class Upload:
    """One file. *ready* from the time it was completed plus Slack's processing."""

    id: str
    name: str
    length: int
    title: str
    content: bytes | None = None
    completed_at: datetime | None = None
    channels: list[str] = field(default_factory=list)


class Shelf:
    """All uploads by id. *processing* seconds pass until a completed file may stand in an image block."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.files: dict[str, Upload] = {}
        self.processing = limits.FILE_PROCESSING

    def ready(self, upload: Upload) -> bool:
        done = upload.completed_at
        return done is not None and (self._now() - done).total_seconds() >= self.processing

    def wire(self, upload: Upload) -> Json:
        """`mimetype` stays empty while Slack still looks at the file."""
        kind = (mimetypes.guess_type(upload.name)[0] or "application/octet-stream") if self.ready(upload) else ""
        return {
            "id": upload.id,
            "name": upload.name,
            "title": upload.title,
            "size": upload.length,
            "mimetype": kind,
            "user": BOT_USER,
            "channels": upload.channels,
            "url_private": f"https://files.slack.com/files-pri/T0DEPT-{upload.id}/{upload.name}",
            "permalink": f"https://dept.slack.com/files/{BOT_USER}/{upload.id}/{upload.name}",
        }

    def usable(self, slack_file: Json) -> bool:
        """Whether an image block may show this slack_file: by id, url_private or permalink; png, jpg or gif."""
        for upload in self.files.values():
            shown = self.wire(upload)
            if slack_file.get("id") == upload.id or slack_file.get("url") in (shown["url_private"], shown["permalink"]):
                return shown["mimetype"] in ("image/png", "image/jpeg", "image/gif")
        return False
