"""Short ids people can read aloud: ``a-7k2f`` for an alert group, ``op-41c9`` for an operation."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from itertools import count

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no 0/o, 1/i/l: they are misread on a phone
ALERT = "a"
OPERATION = "op"
STORM = "s"


def short(prefix: str, seed: str, length: int = 4) -> str:
    """``prefix-xxxx`` drawn from *seed*; see ``free`` for a clash (30^4 = 810,000 ids)."""
    number = int.from_bytes(blake2b(seed.encode(), digest_size=16).digest())
    letters = []
    for _ in range(length):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return f"{prefix}-{''.join(letters)}"


def free(prefix: str, seed: str, taken: Callable[[str], object]) -> str:
    """The shortest id from *seed* that is not *taken*."""
    return next(ident for ident in (short(prefix, seed, length) for length in count(4)) if not taken(ident))


def full(prefix: str, typed: str) -> str:
    """*typed* with its prefix: people may leave it out, and may write it in capitals."""
    word = typed.strip().lower()
    return word if word.startswith(f"{prefix}-") else f"{prefix}-{word}"
