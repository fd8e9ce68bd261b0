"""What the simulated chats really got: which of the bench's groups are named there, since when, at how many calls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

NAME = re.compile(r"bench-(\d{6})")
POSTS = {"chat.postMessage", "files.completeUploadExternal", "sendMessage", "sendPhoto", "sendDocument"}
EDITS = {"chat.update", "editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup"}


@dataclass(frozen=True)
class Chat:
    """One chat of the department, and how its simulator calls it."""

    platform: str
    key: str
    id: str

    @property
    def destination(self) -> str:
        return f"{self.platform}:{self.id}"

    def heard(self, sim: str) -> Mapping[int, float]:
        """Every group's number that a message or a file there names → when it first did, in seconds since 1970."""
        found: dict[int, float] = {}
        files = {file["id"]: file["text"] for file in _look(sim, "slack", "files")["files"]}
        for message in _look(sim, self.platform, "messages", **{self.key: self.id})["messages"]:
            for at, text in _words(message, files):
                for number in NAME.findall(text):
                    found.setdefault(int(number), at)
        return found


SLACK_PAGES, SLACK_OTHERS = Chat("slack", "channel", "C0INC"), Chat("slack", "channel", "C0OPS")
TELEGRAM_PAGES = Chat("telegram", "chat", "-1001000000001")


def _words(message: Any, files: Mapping[str, str]) -> Iterator[tuple[float, str]]:
    revisions = message["revisions"]
    for revision in revisions:
        yield _seconds(revision["at"]), str(revision)
    more = [message.get("attachments", ""), message.get("rich", "")]
    yield _seconds(revisions[0]["at"]), str([*more, *(files[file["id"]] for file in message.get("files", ()))])


def calls(sim: str, platform: str) -> Counter[str]:
    """How many ``posts`` and ``edits`` were taken, and how many calls of any kind were ``refused`` with 429."""
    found: Counter[str] = Counter()
    for call in _look(sim, platform, "calls")["calls"]:
        if call["status"] == 429:
            found["refused"] += 1
        elif call["status"] == 200 and not call["error"]:
            found["posts"] += call["method"] in POSTS
            found["edits"] += call["method"] in EDITS
    return found


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _look(sim: str, platform: str, what: str, **query: str) -> Any:
    return httpx.get(f"{sim}/{platform}/_drive/{what}", params=query, timeout=60).json()
