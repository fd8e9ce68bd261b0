"""Pult as a process beside a simulated department, started as an operator starts it."""

import pytest

from tests.pult_fixtures import department, make, pult, store_url

__all__ = ["department", "make", "pult", "store_url"]


@pytest.fixture
def fresh() -> bool:
    return True
