"""The stores a promise is kept on."""

import pytest

BOTH = pytest.mark.parametrize(
    "store_url",
    ["sqlite", *(pytest.param(name, marks=pytest.mark.postgres) for name in ("postgresql", "replicas"))],
    indirect=True,
)
"""The last: two live replicas on one PostgreSQL (tests/replicas.py)."""
