"""The stores a promise is kept on, and by how many replicas."""

import pytest

TWO = pytest.param("replicas", marks=pytest.mark.postgres)
"""Two live replicas on one PostgreSQL (tests/replicas.py)."""
BOTH = pytest.mark.parametrize(
    "store_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), TWO], indirect=True
)
"""For what the store itself must keep."""
ALSO_TWO = pytest.mark.parametrize("store_url", ["sqlite", TWO], indirect=True)
"""For what is the same code over any store, but could be told differently, or done twice, by two replicas."""
