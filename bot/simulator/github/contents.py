"""/contents: read a file or folder, write a file as one commit."""

import base64
import binascii

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.git import blob_sha


def read(ask: Ask) -> Reply:
    ref = ask.query.get("ref", "main")
    files = ask.repo.commit_at(ref).files
    path = ask.names["path"].strip("/")
    if path in files:
        return Reply(shapes.file(ask.repo, path, files[path], ref))
    prefix = f"{path}/" if path else ""
    names = sorted({name[len(prefix) :].split("/")[0] for name in files if name.startswith(prefix)})
    if not names:
        raise errors.not_found()
    return Reply([shapes.entry(ask.repo, prefix + name, files.get(prefix + name), ref) for name in names])


def write(ask: Ask) -> Reply:
    """201 created, 200 updated; 422 when an existing file's sha is missing, 409 when it is not the present one."""
    path, message = ask.names["path"].strip("/"), ask.text("message")
    data = _decoded(ask.text("content"))
    branch = ask.body.get("branch") or "main"
    if branch in ask.repo.protected:
        raise errors.RefusedError(409, "Could not update file: Changes must be made through a pull request.")
    files = dict(ask.repo.branch(branch).files)
    _check(path, files, ask.body.get("sha"))
    status = 200 if path in files else 201
    files[path] = data
    return Reply(_commit(ask, branch, message, files) | {"content": shapes.entry(ask.repo, path, data, branch)}, status)


def delete(ask: Ask) -> Reply:
    path, message = ask.names["path"].strip("/"), ask.text("message")
    branch = ask.body.get("branch") or "main"
    files = dict(ask.repo.branch(branch).files)
    if path not in files:
        raise errors.not_found()
    _check(path, files, ask.body.get("sha"))
    del files[path]
    return Reply(_commit(ask, branch, message, files) | {"content": None})


def _commit(ask: Ask, branch: str, message: str, files: dict[str, bytes]) -> Json:
    made = ask.repo.commit(branch, message, files, ask.now)
    return {"commit": shapes.git_commit(ask.repo, made)}


def _check(path: str, files: dict[str, bytes], given: str | None) -> None:
    if path not in files:
        if given:
            raise errors.RefusedError(409, f"{path} does not match {given}")
        return
    if not given:
        raise errors.missing("sha")
    if given != blob_sha(files[path]):
        raise errors.RefusedError(409, f"{path} does not match {given}")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise errors.RefusedError(422, "content is not valid Base64") from error
