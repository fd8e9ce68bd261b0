"""One value of a YAML file by its dotted path, and another one in its place: the value's bytes change and no others."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.manifests_yaml import Items, Mapping, Scalar, Value, documents, edited
from bot.domain.phrases import Code


def value_at(text: str, key: str) -> str:
    """The text at *key*, such as ``data.host`` or ``env.0.value``, in the one document that has it.

    UserError: no document has it, several have, or it is no text.
    """
    return _scalar(text, key).value


def with_value(text: str, key: str, value: str) -> str:
    """*text* with *value* at *key*. UserError as ``value_at``; an anchor shares it, or it is written unusually."""
    found = _scalar(text, key)
    if found.shared:
        raise UserError("The file has {key} behind a YAML anchor that other values share. Write it out there.",
                        key=Code(key))  # fmt: skip
    try:
        changed = edited(text, [found.replaced(value)])
    except UserError:  # it quotes what stands there, which may be a connection string
        raise _unusual(key) from None
    if value_at(changed, key) != value:
        raise _unusual(key)
    return changed


def _scalar(text: str, key: str) -> Scalar:
    found = [each for document in documents(text) if (each := _down(document, key.split("."))) is not None]
    if not found:
        raise UserError("The file has nothing at {key}.", key=Code(key))
    if len(found) > 1:
        raise UserError("The file has {key} in several documents.", key=Code(key))
    [only] = found
    if not isinstance(only, Scalar) or not only.value:
        raise UserError("The file has no text at {key}.", key=Code(key))
    return only


def _down(value: Value, path: list[str]) -> Value | None:
    """Where *path* leads; a key may hold dots itself, so the longest that fits is tried first."""
    if not path:
        return value
    match value:
        case Mapping():
            for taken in range(len(path), 0, -1):
                inner = value.values.get(".".join(path[:taken]))
                found = None if inner is None else _down(inner, path[taken:])
                if found is not None:
                    return found
        case Items() if path[0].isdecimal() and int(path[0]) < len(value.values):
            return _down(value.values[int(path[0])], path[1:])
        case _:
            return None
    return None


def _unusual(key: str) -> UserError:
    return UserError("The file writes {key} in a way that pult can't change.", key=Code(key))
