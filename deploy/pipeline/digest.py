#!/usr/bin/env python3
"""The digest commit: promotion and rollback are one line of one kustomization, changed on GitHub.

    digest.py set  dept/api deploy/staging/kustomization.yaml --image registry.example/dept/api \\
        --digest sha256:… --message "deploy: api 1.8.0 to staging"
    digest.py back dept/api deploy/production/kustomization.yaml --image … --message "revert: api in production"

``back`` puts the digest there that stood in the file before the present one. GITHUB_TOKEN needs contents: write of
that repository. Through the API: no token is in a URL, and GitHub signs what an app commits. A file that already says
it is left alone. Exit 1 with the reason when it can't be done.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
import time
import urllib.parse
from typing import Any

import github

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TRIES, PAUSE = 5, 2.0
"""How often, and seconds between, when somebody else commits at the same moment."""
LOOKED_AT = 50
"""Commits of the file that ``back`` looks through."""


def main(arguments: list[str] | None = None) -> int:
    """0 when the file says it."""
    given = _arguments(arguments)
    try:
        said, commit = _commit(given)
    except (github.RefusedError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    github.output(digest=said, commit=commit)
    sys.stdout.write(f"{given.file} says {said}" + (f" since {commit}\n" if commit else " already\n"))
    return 0


def edited(text: str, image: str, digest: str) -> str:
    """*text* with *image* at *digest*, in place of a tag too. ValueError: it does not name that image just once."""
    lines = text.splitlines()
    at = _entry(lines, image)
    deep = lines[at.start].index("-")
    flat = [line[:deep] + " " + line[deep + 1 :] if number == 0 else line for number, line in enumerate(lines[at])]
    kept = [line for line in flat if not re.match(r"\s*(newTag|digest):", line)]
    inside = next(re.match(r"\s*", line) for line in flat if line.strip())
    kept.append(f"{inside.group() if inside else ''}digest: {digest}")
    kept[0] = kept[0][:deep] + "-" + kept[0][deep + 1 :]
    return "\n".join([*lines[: at.start], *kept, *lines[at.stop :]]) + "\n"


def digest_in(text: str, image: str) -> str:
    """The digest that *text* gives *image*; empty: it names a tag."""
    lines = text.splitlines()
    found = DIGEST.search(" ".join(lines[_entry(lines, image)]))
    return found.group() if found else ""


def _entry(lines: list[str], image: str) -> slice:
    """Which lines are the entry of *image* under ``images:``: from its dash to where the next one begins."""
    name = re.compile(rf"\s*(- )?\s*name: *[\"']?{re.escape(image)}[\"']?\s*(#.*)?$")
    found = [entry for entry in _entries(lines) if any(name.match(line) for line in lines[entry])]
    if len(found) != 1:
        raise ValueError(f"the file names {image} {len(found)} times under images, not once")
    return found[0]


def _entries(lines: list[str]) -> list[slice]:
    """Every entry of the list under ``images:``."""
    if "images:" not in (bare := [line.split("#")[0].rstrip() for line in lines]):
        return []
    begins = bare.index("images:") + 1
    ends = next((at for at in range(begins, len(bare)) if re.match(r"[^\s#-]", bare[at])), len(bare))
    starts = [at for at in range(begins, ends) if re.match(r"\s*- ", lines[at])]
    return [slice(start, _end(bare, start, stop)) for start, stop in zip(starts, [*starts[1:], ends], strict=False)]


def _end(bare: list[str], start: int, stop: int) -> int:
    """Without the empty lines, and those of comments alone, that come before what follows."""
    while stop > start + 1 and not bare[stop - 1].strip():
        stop -= 1
    return stop


def _commit(given: argparse.Namespace) -> tuple[str, str]:
    """The digest that the file says now, and the commit; that is empty where nothing had to be changed."""
    for left in reversed(range(TRIES)):
        found = _file(given, given.branch)
        text = _text(found)
        digest = given.digest if given.deed == "set" else _before(given, text)
        new = edited(text, given.image, digest)
        if new == text:
            return digest, ""
        body = {"message": given.message, "content": base64.b64encode(new.encode()).decode(), "sha": found["sha"]}
        try:
            answer = github.call("PUT", _path(given), {**body, "branch": given.branch})
        except github.RefusedError as error:
            if error.status != 409 or not left:
                raise
            time.sleep(PAUSE)
        else:
            return digest, str(answer["commit"]["sha"])
    raise AssertionError


def _before(given: argparse.Namespace, text: str) -> str:
    """The digest before the present one. ValueError: the file's history knows none."""
    now = digest_in(text, given.image)
    query = {"sha": given.branch, "path": given.file, "per_page": LOOKED_AT}
    for commit in github.call("GET", f"/repos/{given.repository}/commits", **query):
        earlier = _digest_at(given, commit["sha"])
        if earlier and earlier != now:
            return earlier
    raise ValueError(f"no other digest stood in {given.file} in its last {LOOKED_AT} commits")


def _digest_at(given: argparse.Namespace, commit: str) -> str:
    """The digest that the file had in *commit*; empty: it had none, or was not there, or named no such image."""
    try:
        return digest_in(_text(_file(given, commit)), given.image)
    except ValueError:
        return ""
    except github.RefusedError as error:
        if error.status != 404:
            raise
        return ""


def _file(given: argparse.Namespace, ref: str) -> dict[str, Any]:
    return dict(github.call("GET", _path(given), ref=ref))


def _text(found: dict[str, Any]) -> str:
    return base64.b64decode(found["content"]).decode()


def _path(given: argparse.Namespace) -> str:
    return f"/repos/{given.repository}/contents/{urllib.parse.quote(given.file)}"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Commit the digest that an environment is to run.")
    parser.add_argument("deed", choices=("set", "back"))
    parser.add_argument("repository", help="owner/name of the deployment files")
    parser.add_argument("file", help="kustomization.yaml that names the image")
    parser.add_argument("--branch", default="main")
    for name in ("image", "message"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--digest", default="")
    given = parser.parse_args(arguments)
    if given.deed == "set" and not DIGEST.fullmatch(given.digest):
        parser.error("--digest: expected sha256: and 64 hexadecimal digits")
    return given


if __name__ == "__main__":
    raise SystemExit(main())
