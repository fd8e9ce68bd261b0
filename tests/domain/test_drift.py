"""What counts as drift, and how soon."""

from __future__ import annotations

import pytest

from bot.domain.drift import PATIENCE, SEEN_TWICE, Against, Drift, Place, drifted

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (Place(A), None),
        (Place(A, committed=A), None),
        (Place(A, recorded=A), None),
        (Place(A, committed=B), Drift(Against.GIT, B)),
        (Place(A, committed=B, healing=True), Drift(Against.GIT, B, PATIENCE)),
        (Place(A, committed=A, said="Service api differs"), Drift(Against.TOOL, "Service api differs", SEEN_TWICE)),
        (Place(A, committed=A, said="x", healing=True), Drift(Against.TOOL, "x", PATIENCE)),
        (Place(A, committed=A, recorded=B), None),
        (Place(A, recorded=B), Drift(Against.RECORD, B)),
        (Place(A, committed=B, recorded=C, said="x"), Drift(Against.GIT, B)),
        (Place(A, committed=""), None),
    ],
)  # fmt: skip
def test_what_differs(place: Place, found: Drift | None) -> None:
    assert drifted(place) == found
